//! The one envelope: CloudEvents 1.0 in JSON, its types, and the Redis channel each type travels on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::ids::IdError;
use crate::time::rfc3339;
use crate::{ExecutionId, ItemPath, NodeId, UnixMillis, WorkflowId};

macro_rules! event_types {
    ($($(#[$doc:meta])* $variant:ident = $channel:literal),+ $(,)?) => {
        /// What happened, or (for `execute` and `cancel`) what is wished for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventType { $($(#[$doc])* $variant),+ }

        impl EventType {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The Redis pub/sub channel, `workflow:node:completed`.
            #[must_use]
            pub fn channel(self) -> &'static str {
                match self { $(Self::$variant => $channel),+ }
            }

            /// The type that travels on `channel`.
            #[must_use]
            pub fn from_channel(channel: &str) -> Option<Self> {
                match channel { $($channel => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

event_types!(
    /// A run was accepted.
    WorkflowExecute = "workflow:execute",
    /// A cancel was asked for.
    WorkflowCancel = "workflow:cancel",
    /// A run started.
    WorkflowStarted = "workflow:started",
    /// A run completed.
    WorkflowCompleted = "workflow:completed",
    /// A run failed or timed out.
    WorkflowFailed = "workflow:failed",
    /// A run was cancelled.
    WorkflowCancelled = "workflow:cancelled",
    /// The run's `callback_url` took the news of its end. Recorded, without a `seq`: the run's log has ended.
    CallbackDelivered = "workflow:callback:delivered",
    /// The run's `callback_url` did not take the news of its end, and is not told again. Recorded, without a `seq`.
    CallbackFailed = "workflow:callback:failed",
    /// A node run was handed to a pool. Live only.
    NodeQueued = "workflow:node:queued",
    /// A worker took a node run. Live only.
    NodeStarted = "workflow:node:started",
    /// A node run got further. Live only.
    NodeProgress = "workflow:node:progress",
    /// A node run completed.
    NodeCompleted = "workflow:node:completed",
    /// A node run failed or timed out for good.
    NodeFailed = "workflow:node:failed",
    /// An attempt failed and another will follow.
    NodeRetrying = "workflow:node:retrying",
    /// A node run was skipped.
    NodeSkipped = "workflow:node:skipped",
    /// A node run was cancelled.
    NodeCancelled = "workflow:node:cancelled",
    /// A job was handed to a pool.
    InferenceQueued = "inference:queued",
    /// A worker took a job.
    InferenceStarted = "inference:started",
    /// A job got further.
    InferenceProgress = "inference:progress",
    /// A job is done.
    InferenceCompleted = "inference:completed",
    /// A job failed.
    InferenceFailed = "inference:failed",
    /// A worker is there.
    WorkerRegistered = "worker:registered",
    /// A worker is still there.
    WorkerHeartbeat = "worker:heartbeat",
    /// A worker takes no more jobs.
    WorkerDraining = "worker:draining",
    /// A worker is gone.
    WorkerLost = "worker:lost",
    /// A model is being loaded.
    ModelLoading = "model:loading",
    /// A model is ready.
    ModelLoaded = "model:loaded",
    /// A model was unloaded.
    ModelEvicted = "model:evicted",
    /// A model could not be loaded.
    ModelFailed = "model:failed",
    /// A caller of the api changed something. Recorded, published nowhere.
    AuditChanged = "audit:changed",
);

impl EventType {
    /// Whether events of this type have a `seq`, stand in the run's log and are recorded.
    #[must_use]
    pub fn is_durable(self) -> bool {
        matches!(
            self,
            Self::WorkflowStarted
                | Self::WorkflowCompleted
                | Self::WorkflowFailed
                | Self::WorkflowCancelled
                | Self::NodeCompleted
                | Self::NodeFailed
                | Self::NodeRetrying
                | Self::NodeSkipped
                | Self::NodeCancelled
        )
    }

    /// Whether this is the last event of a run.
    #[must_use]
    pub fn ends_run(self) -> bool {
        matches!(self, Self::WorkflowCompleted | Self::WorkflowFailed | Self::WorkflowCancelled)
    }

    /// The SSE `event:` name: the channel without `workflow:`, colons as dots (`node.completed`, `inference.started`).
    #[must_use]
    pub fn sse_name(self) -> String {
        self.channel().trim_start_matches("workflow:").replace(':', ".")
    }
}

/// `millrace.workflow.node.completed`.
impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("millrace.")?;
        self.channel().split(':').enumerate().try_for_each(|(position, part)| {
            if position > 0 {
                f.write_str(".")?;
            }
            f.write_str(part)
        })
    }
}

impl FromStr for EventType {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("millrace.")
            .and_then(|rest| Self::from_channel(&rest.replace('.', ":")))
            .ok_or_else(|| IdError { what: "event type", value: text.chars().take(80).collect() })
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A CloudEvents 1.0 envelope in structured JSON mode. Extension attributes are lower-case without underscores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique per source; the same for every copy of one fact.
    pub id: String,
    /// The role that speaks: `/millrace/orchestrator`.
    pub source: String,
    /// What happened.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "millrace.workflow.node.completed"))]
    pub kind: EventType,
    /// When.
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub time: UnixMillis,
    /// What it is about: the run, the node, the job, the worker, the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "executionid")]
    pub execution_id: Option<ExecutionId>,
    /// The saved workflow.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "workflowid")]
    pub workflow_id: Option<WorkflowId>,
    /// The node.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "nodeid")]
    pub node_id: Option<NodeId>,
    /// The item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<ItemPath>,
    /// The log's epoch, with `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// Position in the run's log, from 1 without gaps; durable events only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The attempt of the node run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Where the run runs, where the installation says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What there is to say.
    #[serde(default)]
    pub data: Value,
}

/// The roles that speak; the `source` of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The REST api.
    Api,
    /// The orchestrator.
    Orchestrator,
    /// A worker.
    Worker,
}

impl Source {
    /// The `source` attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "/millrace/api",
            Self::Orchestrator => "/millrace/orchestrator",
            Self::Worker => "/millrace/worker",
        }
    }
}

impl Event {
    /// An envelope with nothing optional in it.
    #[must_use]
    pub fn new(kind: EventType, source: Source, id: String, time: UnixMillis, data: Value) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id,
            source: source.as_str().to_owned(),
            kind,
            time,
            subject: None,
            traceparent: None,
            execution_id: None,
            workflow_id: None,
            node_id: None,
            path: None,
            epoch: None,
            seq: None,
            attempt: None,
            region: None,
            data,
        }
    }

    /// The SSE `id:` of a durable event, `<epoch>-<seq>`.
    #[must_use]
    pub fn log_position(&self) -> Option<LogPosition> {
        Some(LogPosition { epoch: self.epoch?, seq: self.seq? })
    }
}

/// A place in a run's log; `<epoch>-<seq>` as SSE id and as Redis stream id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition {
    /// Rises only when the log was lost and rebuilt; from 1.
    pub epoch: u32,
    /// From 1 without gaps; 0 is before the first.
    pub seq: u64,
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

impl FromStr for LogPosition {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault =
            || IdError { what: "event position (<epoch>-<seq>)", value: text.chars().take(80).collect() };
        let (epoch, seq) = text.split_once('-').ok_or_else(fault)?;
        Ok(Self { epoch: epoch.parse().map_err(|_| fault())?, seq: seq.parse().map_err(|_| fault())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_survives_its_channel_and_its_dotted_name() {
        for kind in EventType::ALL {
            assert_eq!(EventType::from_channel(kind.channel()), Some(*kind));
            assert_eq!(kind.to_string().parse::<EventType>().unwrap(), *kind);
        }
        assert_eq!(EventType::NodeCompleted.to_string(), "millrace.workflow.node.completed");
        assert_eq!(EventType::NodeCompleted.sse_name(), "node.completed");
        assert_eq!(EventType::WorkflowCompleted.sse_name(), "completed");
    }

    #[test]
    fn the_envelope_is_cloudevents() {
        let mut event = Event::new(
            EventType::NodeCompleted,
            Source::Orchestrator,
            "x/1-3".into(),
            UnixMillis(1_700_000_000_123),
            Value::Null,
        );
        event.epoch = Some(1);
        event.seq = Some(3);
        event.node_id = Some("detect".into());
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["specversion"], "1.0");
        assert_eq!(json["type"], "millrace.workflow.node.completed");
        assert_eq!(json["time"], "2023-11-14T22:13:20.123Z");
        assert_eq!(json["nodeid"], "detect");
        assert!(json.as_object().unwrap().keys().all(|key| key.chars().all(|c| c.is_ascii_lowercase())));
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
        assert_eq!(event.log_position().unwrap().to_string(), "1-3");
    }
}
