#![doc = include_str!("../README.md")]

pub mod audit;
pub mod chain;
pub mod definition;
pub mod error;
pub mod event;
pub mod fault;
pub mod flow;
pub mod ids;
pub mod job;
pub mod kind;
pub mod message;
pub mod model;
pub mod run;
pub mod schedule;
pub mod time;
pub mod values;

pub use chain::{FollowUp, FollowUpReport};
pub use error::{ErrorKind, JobError};
pub use event::{Event, EventType};
pub use fault::{Fault, Faults};
pub use flow::Flow;
pub use ids::{
    BlobId, ExecutionId, ItemPath, JobId, ModelDigest, ModelId, NodeId, Partition, Pool, ScheduleId,
    WorkerId, WorkflowId,
};
pub use job::{IMAGE_FETCH, IO_POOL, Job, JobMetrics, JobReport};
pub use kind::Kind;
pub use run::{ExecutionStatus, NodeStatus};
pub use time::UnixMillis;
