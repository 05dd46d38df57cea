//! Jobs that go to a worker together. The first is a job like any other; those that follow have their own ids, and read what
//! the ones before them put out. The worker runs them in their order and reports on all it ended at once: until then
//! nothing is recorded of any, and a result that is missing from the report only means that the job is sent by itself.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::job::{Job, JobReport};
use crate::{JobId, NodeId};

/// Jobs that go to a worker together at most, the first one included.
pub const MOST_CHAINED: usize = 16;

/// A job that follows another one in the same hand: the first attempt of a node run of the same run and item, with the same
/// pool, priority and deadline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FollowUp {
    /// Deterministic, as that of any job.
    pub id: JobId,
    /// The node, for correlation.
    pub node_id: NodeId,
    /// The block and version to run.
    pub task: String,
    /// Input ports whose values are known already.
    pub inputs: Map<String, Value>,
    /// Input ports whose values are made on the way.
    pub reads: Vec<Read>,
    /// The block's configuration, selectors resolved and defaults filled in.
    pub config: Map<String, Value>,
}

/// Where an input port's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// The input port.
    pub port: String,
    /// The place of the job that puts it out: 0 is the first of all, 1 the first that follows.
    pub of: usize,
    /// The output port. One that is left out means null, as anywhere.
    pub output: String,
}

/// How a job went that followed another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FollowUpReport {
    /// The node.
    pub node_id: NodeId,
    /// What a report on the job by itself would say.
    pub report: JobReport,
}

impl Job {
    /// The job that `follow_up` stands for, `outputs` being what the jobs before it put out, the first one's at 0.
    ///
    /// None when it reads from a job that is not among those.
    #[must_use]
    pub fn followed_by(&self, follow_up: &FollowUp, outputs: &[&Map<String, Value>]) -> Option<Self> {
        let mut inputs = follow_up.inputs.clone();
        for Read { port, of, output } in &follow_up.reads {
            let value = outputs.get(*of)?.get(output).cloned();
            inputs.insert(port.clone(), value.unwrap_or_default());
        }
        Some(Self {
            id: follow_up.id,
            execution_id: self.execution_id,
            workflow_id: self.workflow_id,
            node_id: follow_up.node_id.clone(),
            path: self.path.clone(),
            attempt: 1,
            task: follow_up.task.clone(),
            model: None,
            pool: self.pool.clone(),
            priority: self.priority,
            flow: self.flow.clone(),
            inputs,
            config: follow_up.config.clone(),
            then: Vec::new(),
            queued_at: self.queued_at,
            deadline: self.deadline,
            traceparent: self.traceparent.clone(),
            reply_to: self.reply_to,
            outlives_run: self.outlives_run,
        })
    }
}
