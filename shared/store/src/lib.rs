#![doc = include_str!("../README.md")]

mod accept;
mod api_keys;
mod audit;
mod blob_uses;
mod blobs;
mod collections;
mod dead_letters;
mod definitions;
mod error;
mod events;
mod executions;
mod expired;
mod group_commit;
mod inspect;
mod jobs;
mod json;
mod measure;
mod migrate;
mod models;
mod node_runs;
mod outage;
mod paging;
mod prices;
mod record;
mod schedules;
mod stats;
mod store;
mod workers;
mod workflows;

pub use accept::{AcceptOutcome, AcceptedRun, WholeOutcome};
pub use api_keys::{ApiKey, ApiKeys, KeyHash, KeySecret, NewApiKey};
pub use audit::{Audit, ChangeFilter, ChangeRecord};
pub use blob_uses::{BlobUses, UnreadValue};
pub use blobs::{BlobRecord, Blobs};
pub use collections::{
    CollectionLimits, CollectionRecord, Collections, Match, Metric, Nearest, NewCollection, Point, PointsPut,
    VectorFault,
};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use definitions::Definition;
pub use error::{Bounded, StoreError};
pub use events::Events;
pub use executions::{
    Callback, CallbackStatus, ExecutionFilter, ExecutionRecord, ExecutionSummary, Executions, JobCounts,
    KeyHolder, OWN_LABEL, Unfinished,
};
pub use expired::Expired;
pub use group_commit::{GroupCommit, GroupCommitError, GroupCommitSettings, GroupCommitter};
pub use inspect::VectorExtension;
pub use jobs::{JobFilter, JobRecord, JobStatus, JobTask, Jobs};
pub use measure::ServerCounters;
pub use models::{ModelRecord, Models};
pub use node_runs::NodeRuns;
pub use prices::Prices;
pub use record::{RecordBatch, Recorded};
pub use schedules::{
    Firing, FiringOutcome, LastRun, NearFiring, NewSchedule, ScheduleLimits, ScheduleRecord, Schedules,
};
pub use stats::{ErrorCount, FleetTime, Kpi, ModelUse, Stats, StatsWindow, WorkflowCost};
pub use store::{Store, StoreSettings};
pub use workers::{WorkerRecord, WorkerStatus, Workers};
pub use workflows::{Lookup, NewWorkflow, WorkflowRecord, WorkflowSummary, WorkflowVersion, Workflows};
