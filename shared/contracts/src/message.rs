//! What the orchestrator's inbox carries: wishes of the api, reports of workers, timers that came due.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::chain::FollowUpReport;
use crate::ids::IdError;
use crate::job::{JobReport, Priority};
use crate::schedule::Cue;
use crate::{BlobId, ExecutionId, ItemPath, NodeId, Partition, Pool, ScheduleId, UnixMillis, WorkflowId};

/// An accepted run, complete in itself: the `data` of `workflow:execute`, and what the record is rebuilt from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The run.
    pub execution_id: ExecutionId,
    /// The saved workflow, if it is one.
    pub workflow_id: Option<WorkflowId>,
    /// Its version, from 1.
    pub version: Option<u32>,
    /// The definition's bytes in the blob store.
    pub definition: BlobId,
    /// Input node → value. Images are image values by blob reference; other large values by reference.
    pub input: Map<String, Value>,
    /// How urgent.
    #[serde(default)]
    pub priority: Priority,
    /// Turns its flow gets where others get one, 1 to 16: the definition's `weight`.
    #[serde(default = "crate::flow::one", skip_serializing_if = "crate::flow::is_one")]
    pub weight: u8,
    /// Sends every job of the run to this pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
    /// Ends the run after so many milliseconds; overrides the definition's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// When it was accepted.
    pub created_at: UnixMillis,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The schedule that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<ScheduleId>,
    /// The run that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<RerunOf>,
    /// Who is told of its end: the terminal event is sent there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// The log's epoch: 1, or more after the log was lost.
    pub epoch: u32,
    /// When it began, for one that is begun again after its log was lost: its clock goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<UnixMillis>,
    /// Where it runs, where the installation says so; its events carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Which run another one repeats, and from where on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RerunOf {
    /// The earlier run, of the same definition and input.
    pub execution_id: ExecutionId,
    /// The node to begin at: results of nodes that do not depend on it are taken over. All is done again when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NodeId>,
}

/// One message of an inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// Start a run.
    Execute(Box<Accepted>),
    /// End a run early.
    Cancel {
        /// The run.
        execution_id: ExecutionId,
        /// Why, for people.
        reason: String,
    },
    /// A worker's report on a job.
    Report {
        /// The run the job belongs to.
        execution_id: ExecutionId,
        /// The node.
        node_id: NodeId,
        /// The item.
        path: ItemPath,
        /// The attempt.
        attempt: u32,
        /// When the worker sent it.
        at: UnixMillis,
        /// What it says.
        report: Box<JobReport>,
        /// Whether it tells of the job's start too, because the job was over so soon that nobody was told before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        with_start: bool,
        /// How the jobs went that followed, in their order; the first that failed is the last.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        then: Vec<FollowUpReport>,
    },
    /// A timer came due.
    Timer(Timer),
    /// Look at a run again: sent by the sweeper when a run seems to stand still.
    Wake {
        /// The run.
        execution_id: ExecutionId,
    },
    /// Look at a schedule. Not about a run: the engine never sees it.
    Schedule(Cue),
}

impl Message {
    /// The run it is about; none when it is about a schedule.
    #[must_use]
    pub fn execution_id(&self) -> Option<ExecutionId> {
        match self {
            Self::Execute(accepted) => Some(accepted.execution_id),
            Self::Cancel { execution_id, .. }
            | Self::Report { execution_id, .. }
            | Self::Wake { execution_id } => Some(*execution_id),
            Self::Timer(timer) => Some(timer.execution_id),
            Self::Schedule(_) => None,
        }
    }

    /// The shard whose inbox it goes to.
    #[must_use]
    pub fn partition(&self, partitions: u16) -> Partition {
        match self {
            Self::Schedule(cue) => cue.schedule_id.partition(partitions),
            of_run => {
                let run = of_run.execution_id().expect("every message but a cue is about a run");
                run.partition(partitions)
            }
        }
    }

    /// The message that a due member of a timer set becomes: a run's timer or a schedule's cue.
    ///
    /// # Errors
    /// The text is neither.
    pub fn of_due(text: &str) -> Result<Self, IdError> {
        match text.parse::<Cue>() {
            Ok(cue) => Ok(Self::Schedule(cue)),
            Err(_) => text.parse().map(Self::Timer),
        }
    }
}

/// A durable alarm of a run. Its text form is the member of the partition's timer set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Timer {
    /// The run.
    pub execution_id: ExecutionId,
    /// What it is for.
    pub purpose: TimerPurpose,
}

/// What an alarm is for. Node alarms name the attempt, so that a stale one changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerPurpose {
    /// The run's `timeout_ms`.
    RunTimeout,
    /// A node run's `timeout_ms`.
    NodeTimeout(NodeAttempt),
    /// The end of a back-off: begin this attempt.
    Retry(NodeAttempt),
    /// The end of a `delay` block.
    Delay(NodeAttempt),
}

/// One attempt of one node run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeAttempt {
    /// The node.
    pub node_id: NodeId,
    /// The item.
    pub path: ItemPath,
    /// From 1.
    pub attempt: u32,
}

/// `<run>|run`, `<run>|timeout|<node>|<path>|<attempt>`, …: node ids hold no bar.
impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, node) = match &self.purpose {
            TimerPurpose::RunTimeout => return write!(f, "{}|run", self.execution_id),
            TimerPurpose::NodeTimeout(node) => ("timeout", node),
            TimerPurpose::Retry(node) => ("retry", node),
            TimerPurpose::Delay(node) => ("delay", node),
        };
        write!(f, "{}|{name}|{}|{}|{}", self.execution_id, node.node_id, node.path, node.attempt)
    }
}

impl FromStr for Timer {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || IdError { what: "timer", value: text.chars().take(80).collect() };
        let mut parts = text.split('|');
        let execution_id = parts.next().ok_or_else(fault)?.parse()?;
        let name = parts.next().ok_or_else(fault)?;
        if name == "run" {
            return Ok(Self { execution_id, purpose: TimerPurpose::RunTimeout });
        }
        let node = NodeAttempt {
            node_id: parts.next().ok_or_else(fault)?.into(),
            path: parts.next().ok_or_else(fault)?.parse()?,
            attempt: parts.next().ok_or_else(fault)?.parse().map_err(|_| fault())?,
        };
        let purpose = match name {
            "timeout" => TimerPurpose::NodeTimeout(node),
            "retry" => TimerPurpose::Retry(node),
            "delay" => TimerPurpose::Delay(node),
            _ => return Err(fault()),
        };
        Ok(Self { execution_id, purpose })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_survive_their_text_form() {
        let execution_id = ExecutionId::generate();
        let node =
            NodeAttempt { node_id: "detect-1".into(), path: ItemPath::root().child(3).child(0), attempt: 2 };
        for purpose in [
            TimerPurpose::RunTimeout,
            TimerPurpose::NodeTimeout(node.clone()),
            TimerPurpose::Retry(node.clone()),
            TimerPurpose::Delay(node),
        ] {
            let timer = Timer { execution_id, purpose };
            assert_eq!(timer.to_string().parse::<Timer>().unwrap(), timer);
        }
        assert!("nonsense".parse::<Timer>().is_err());
    }
}
