//! The store against a real Postgres.
#![allow(clippy::disallowed_methods, reason = "a test's own task, which the test ends")]

mod accept;
mod audit;
mod collections;
mod deletion;
mod fleet;
mod group_commit;
mod measure;
mod migrate;
mod outage;
mod paging;
mod partitions;
mod plans;
mod poison;
mod record;
mod reports;
mod retention;
mod shuffles;
mod story;
mod support;
mod workflows;
