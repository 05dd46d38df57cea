//! The states of a run and of its node runs, and the snapshot a client starts from.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::JobError;
use crate::job::JobMetrics;
use crate::{ExecutionId, ItemPath, NodeId, UnixMillis, WorkerId, WorkflowId};

macro_rules! status {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The name on the wire and in the tables.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::ids::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(crate::ids::IdError { what: "status", value: text.chars().take(80).collect() }),
                }
            }
        }
    };
}

status!(
    /// Where a run stands. The last four are final: exactly one of them is ever reached.
    ExecutionStatus {
        /// Accepted, not started.
        Pending = "pending",
        /// Started.
        Running = "running",
        /// Every node settled without a failure that counts.
        Completed = "completed",
        /// A node failed and its policy says that the run fails.
        Failed = "failed",
        /// Somebody asked for it.
        Cancelled = "cancelled",
        /// The run's own `timeout_ms` passed.
        TimedOut = "timed_out",
    }
);

impl ExecutionStatus {
    /// Whether the run has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

status!(
    /// Where a node run stands. The last five are final.
    NodeStatus {
        /// Waits for its inputs, for a place under a concurrency limit, or for its next attempt.
        Pending = "pending",
        /// Handed to a pool.
        Queued = "queued",
        /// A worker has it.
        Running = "running",
        /// Done.
        Completed = "completed",
        /// Out of attempts.
        Failed = "failed",
        /// The run or the loop item ended before it did.
        Cancelled = "cancelled",
        /// A required input was not taken, or failed with `on_error: skip`.
        Skipped = "skipped",
        /// The last attempt took longer than `timeout_ms`.
        TimedOut = "timed_out",
    }
);

impl NodeStatus {
    /// Whether the node run has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Pending | Self::Queued | Self::Running)
    }
}

/// How many node runs stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// Node runs known so far; loops add theirs when they open.
    pub total: u64,
    /// Completed.
    pub completed: u64,
    /// Failed or timed out.
    pub failed: u64,
    /// Skipped or cancelled.
    pub skipped: u64,
    /// Queued or running.
    pub running: u64,
}

/// A node run as clients see it: in snapshots, in `GET /executions/{id}/nodes`, in the terminal node event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeView {
    /// The node.
    pub node_id: NodeId,
    /// Its place inside loops.
    #[serde(default, skip_serializing_if = "is_root")]
    pub path: ItemPath,
    /// The block's type with its version, `detection@1`.
    pub block: String,
    /// Where it stands.
    pub status: NodeStatus,
    /// Attempts begun, from 1; 0 before the first.
    pub attempt: u32,
    /// Output ports, once completed; large values by reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Map<String, Value>>,
    /// The last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
    /// Where the time went, for jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<JobMetrics>,
    /// When it was handed to a pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<UnixMillis>,
    /// When work on it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<UnixMillis>,
    /// Who has it or had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    /// Output ports that were not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped_ports: Vec<String>,
    /// The run whose result this is, where it was not made in this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<ExecutionId>,
}

impl NodeView {
    /// From started, or from queued where it never started, to ended, milliseconds; none before.
    #[must_use]
    pub fn duration_ms(&self) -> Option<u64> {
        let begun = self.started_at.or(self.queued_at);
        begun.zip(self.completed_at).map(|(begun, ended)| ended.since(begun))
    }
}

fn is_root(path: &ItemPath) -> bool {
    path.depth() == 0
}

/// A run's state at one point of its log: the first SSE event of a fresh client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// The run.
    pub execution_id: ExecutionId,
    /// The saved workflow it walks, if it is one.
    pub workflow_id: Option<WorkflowId>,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// The log's epoch; rises only when the log was lost and rebuilt.
    pub epoch: u32,
    /// The last durable event this snapshot contains; 0 before the first.
    pub seq: u64,
    /// Counts.
    pub progress: Progress,
    /// When it was accepted.
    pub created_at: UnixMillis,
    /// When it started.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub completed_at: Option<UnixMillis>,
    /// What the output blocks gave, once completed.
    pub outputs: Option<Map<String, Value>>,
    /// Why it failed.
    pub error: Option<JobError>,
    /// The node runs so far. Loops of many items are cut at a limit; `nodes_omitted` counts the rest.
    pub nodes: Vec<NodeView>,
    /// Node runs left out of `nodes`.
    #[serde(default)]
    pub nodes_omitted: u64,
}

/// What came of telling a run's `callback_url` of its end: the `data` of `workflow:callback:delivered` and `:failed`. It does
/// not repeat the address, which may hold a signature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallbackTold {
    /// The HTTP status of the last answer, whether it was taken or given up; none where there never was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How often it was sent, once it was taken or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Why it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
}
