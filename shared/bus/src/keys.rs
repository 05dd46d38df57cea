//! Every key and internal channel of the bus, in one place. All keys of one partition, and all of one queue, share a
//! hash tag, so that a script stays in one slot of a Redis Cluster. The layout is versioned by the prefix.

use millrace_contracts::{ExecutionId, JobId, ModelDigest, ModelId, Partition, Pool, WorkerId, WorkflowId};

use crate::QueueKey;
use crate::queues::QueueName;

/// Consumer group of the inboxes.
pub(crate) const ORCHESTRATORS: &str = "orchestrator";
/// Consumer group of the job streams.
pub(crate) const WORKERS: &str = "workers";
/// Consumer group of the events streams.
pub(crate) const WRITERS: &str = "writer";

/// Field of a message's JSON.
pub(crate) const MESSAGE: &str = "m";
/// Field of a timer's text, in an inbox.
pub(crate) const TIMER: &str = "t";
/// Field of an event's JSON.
pub(crate) const EVENT: &str = "e";
/// Field of a job's JSON.
pub(crate) const JOB: &str = "j";

/// The key layout under one prefix.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    fn of_partition(&self, partition: Partition, rest: &str) -> String {
        format!("{{{}:p{partition}}}:{rest}", self.prefix)
    }

    /// Stream: messages to the orchestrators.
    pub(crate) fn inbox(&self, partition: Partition) -> String {
        self.of_partition(partition, "inbox")
    }

    /// Stream: what the writer records.
    pub(crate) fn events(&self, partition: Partition) -> String {
        self.of_partition(partition, "events")
    }

    /// Sorted set: timer text by due time, ms.
    pub(crate) fn timers(&self, partition: Partition) -> String {
        self.of_partition(partition, "timers")
    }

    /// String: who leads the partition.
    pub(crate) fn owner(&self, partition: Partition) -> String {
        self.of_partition(partition, "owner")
    }

    /// Hash: a run's state.
    pub(crate) fn run(&self, partition: Partition, run: ExecutionId) -> String {
        format!("{{{}:p{partition}}}:run:{run}", self.prefix)
    }

    /// Stream: a run's durable events.
    pub(crate) fn log(&self, partition: Partition, run: ExecutionId) -> String {
        format!("{{{}:p{partition}}}:log:{run}", self.prefix)
    }

    /// Sorted set: runs that have ended by when, ms; what they weigh together is beside it, `:weight`.
    pub(crate) fn finished(&self, partition: Partition) -> String {
        self.of_partition(partition, "finished")
    }

    /// Stream: jobs of one queue at one priority, in hand or open to all. What waits behind it is in keys that begin
    /// with this one's name: `:ring`, `:heads`, `:state`, and a list `:flow:<flow>` for each flow that waits.
    pub(crate) fn queue(&self, queue: &QueueKey) -> String {
        let model = queue.model.as_ref().map_or("-", |model| model.as_str());
        format!("{{{}:q:{}:{model}}}:{}", self.prefix, queue.pool, queue.priority.as_str())
    }

    /// Sorted set: runs whose jobs in one queue are no longer wanted, by when that was said, ms.
    pub(crate) fn gone(&self, name: &QueueName) -> String {
        let model = name.model.as_ref().map_or("-", |model| model.as_str());
        format!("{{{}:q:{}:{model}}}:gone", self.prefix, name.pool)
    }

    /// Stream: what could not be read from `stream`; same slot.
    pub(crate) fn dead(stream: &str) -> String {
        format!("{stream}:dead")
    }

    /// The line in front of the orchestrators: all its keys begin with this, and share its hash tag.
    pub(crate) fn line(&self) -> String {
        format!("{{{}:line}}", self.prefix)
    }

    /// Hash: messages of runs that wait in line or have not begun.
    pub(crate) fn line_messages(&self) -> String {
        format!("{}:messages", self.line())
    }

    /// Sorted set: admitted runs by when, ms.
    pub(crate) fn line_running(&self) -> String {
        format!("{}:running", self.line())
    }

    /// Sorted set: admitted runs that have not begun by when they were sent, ms.
    pub(crate) fn line_unsent(&self) -> String {
        format!("{}:unsent", self.line())
    }

    /// Hash: how many runs may be under way.
    pub(crate) fn line_settings(&self) -> String {
        format!("{}:settings", self.line())
    }

    /// String: a result by the digest of what it was made from; expires.
    pub(crate) fn result(&self, shard: u8, digest: &str) -> String {
        format!("{{{}:r{shard}}}:result:{digest}", self.prefix)
    }

    /// Sorted set: digests of a shard's results by expiry, ms.
    pub(crate) fn result_index(&self, shard: u8) -> String {
        format!("{{{}:r{shard}}}:results", self.prefix)
    }

    /// A window over many runs: all its keys begin with this, and share its hash tag.
    pub(crate) fn window(&self, digest: &str) -> String {
        format!("{{{}:w:{digest}}}", self.prefix)
    }

    /// Sorted set: `<pool>|<model or ->` by time of last use, ms.
    pub(crate) fn queues(&self) -> String {
        format!("{}:queues", self.prefix)
    }

    /// Channel: a queue appeared.
    pub(crate) fn queues_channel(&self) -> String {
        format!("{}:queues:new", self.prefix)
    }

    /// Channel: a flow begins to wait while others have jobs before it.
    pub(crate) fn callers_channel(&self) -> String {
        format!("{}:queues:callers", self.prefix)
    }

    /// Channel: jobs are no longer wanted.
    pub(crate) fn cancelled_channel(&self) -> String {
        format!("{}:cancelled", self.prefix)
    }

    /// Stream or channel of one measurement, for this process alone.
    pub(crate) fn measure(&self, what: &str) -> String {
        format!("{}:measure:{}:{what}", self.prefix, std::process::id())
    }

    /// Sorted set: orchestrator replicas by last sign of life, ms.
    pub(crate) fn orchestrators(&self) -> String {
        format!("{}:orchestrators", self.prefix)
    }

    /// Sorted set: workers by last sign of life, ms.
    pub(crate) fn workers(&self) -> String {
        format!("{}:workers", self.prefix)
    }

    /// String: that a worker is to drain; expires.
    pub(crate) fn drain(&self, worker: &WorkerId) -> String {
        format!("{}:worker:{worker}:drain", self.prefix)
    }

    /// Channel: workers that are to drain.
    pub(crate) fn drain_channel(&self) -> String {
        format!("{}:workers:drain", self.prefix)
    }

    /// String: who loads a model ahead of its first job of the pool; expires.
    pub(crate) fn preload(&self, pool: &Pool, model: &ModelId) -> String {
        format!("{}:preload:{pool}:{model}", self.prefix)
    }

    /// String: which worker waits to be empty for a job of the pool on its last chance; expires.
    pub(crate) fn last_chance(&self, pool: &Pool) -> String {
        format!("{}:last-chance:{pool}", self.prefix)
    }

    /// Hash: registered models, JSON by name; under no name, that all of them are in it.
    pub(crate) fn models(&self) -> String {
        format!("{}:models", self.prefix)
    }

    /// Hash: what workers say of the models in their repositories, JSON by name, and who says it, by `?` and the name; expires.
    pub(crate) fn descriptions(&self) -> String {
        format!("{}:models:described", self.prefix)
    }

    /// String: what workers say of a loaded copy of a model, JSON; expires.
    pub(crate) fn model_copy(&self, digest: &ModelDigest) -> String {
        format!("{}:models:copy:{digest}", self.prefix)
    }

    /// Set: names of models in repositories beyond those that signs of life name, by the digest of all of them; expires.
    pub(crate) fn model_names(&self, digest: &str) -> String {
        format!("{}:models:names:{digest}", self.prefix)
    }

    /// Channel: what workers are asked to do with models.
    pub(crate) fn model_wishes(&self) -> String {
        format!("{}:models:wishes", self.prefix)
    }

    /// String: changes whenever the saved workflow does; expires.
    pub(crate) fn stamp(&self, workflow: WorkflowId) -> String {
        format!("{}:stamp:{workflow}", self.prefix)
    }

    /// String: what a job was asked for as; expires.
    pub(crate) fn job(&self, job: JobId) -> String {
        format!("{}:job:{job}", self.prefix)
    }

    /// String: what a worker says of itself; expires.
    pub(crate) fn worker(&self, worker: &WorkerId) -> String {
        format!("{}:worker:{worker}", self.prefix)
    }
}
