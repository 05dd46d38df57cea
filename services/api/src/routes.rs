//! The handlers, one file per family of addresses.

pub(crate) mod batch;
pub(crate) mod blobs;
pub(crate) mod blocks;
pub(crate) mod cancel;
pub(crate) mod console;
pub(crate) mod docs;
pub(crate) mod events;
pub(crate) mod executions;
pub(crate) mod fallback;
pub(crate) mod firehose;
pub(crate) mod inference;
pub(crate) mod jobs;
pub(crate) mod models;
pub(crate) mod nodes;
pub(crate) mod openapi;
pub(crate) mod queues;
pub(crate) mod rerun;
pub(crate) mod run;
pub(crate) mod schedules;
pub(crate) mod stats;
pub(crate) mod upload;
pub(crate) mod validate;
pub(crate) mod versions;
pub(crate) mod workers;
pub(crate) mod workflows;
