//! Results by content: a job of a pure block is asked for before it is sent, and a result that was made before ends its node
//! run in place of the job. Whether there was one changes who did the work and nothing else: a run that is stepped again
//! after a crash may find what it first missed, or miss what it first found.

use millrace_compiler::plan::{Action, PlanNode};
use millrace_contracts::definition::CachePolicy;
use millrace_contracts::job::ModelRef;
use millrace_contracts::{ExecutionId, Job, JobId, JobMetrics, ModelDigest, ModelId, NodeStatus, UnixMillis};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::content::ContentKey;
use crate::effects::Noop;
use crate::execution::{Execution, RunKey};
use crate::start::Given;

/// A job that is to be looked up before it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Whose job.
    pub key: RunKey,
    /// The job.
    pub job: JobId,
    /// The attempt it is.
    pub attempt: u32,
    /// What the result is made from, the model's copy not yet in it.
    pub content: ContentKey,
    /// The model, for blocks with one. Without its digest there is nothing to look up, unless the shell knows it.
    pub model: Option<ModelRef>,
}

/// A result that was made before.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Whose job it stands for.
    pub key: RunKey,
    /// The attempt that was asked for.
    pub attempt: u32,
    /// The copy of the model that made it.
    pub model: Option<(ModelId, ModelDigest)>,
    /// The result.
    pub result: Reusable,
}

/// What is kept of a result. Times are not: they are those of another run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reusable {
    /// Output ports; large values by reference.
    pub outputs: Map<String, Value>,
    /// Things worth knowing that did not stop it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The run that made it.
    pub origin: ExecutionId,
    /// When.
    pub at: UnixMillis,
}

/// A result that was made now and may be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// Whose result.
    pub key: RunKey,
    /// What it was made from, the model's copy included.
    pub content: ContentKey,
}

impl Execution {
    /// The key of a node run's result; none where results are not reused. What is at a URL may change.
    pub(crate) fn content(&self, node: &PlanNode, given: &Given) -> Option<ContentKey> {
        let fetched = matches!(node.action, Action::Input { .. });
        let reuses = self.settings.reuse && !fetched && node.policy.cache == CachePolicy::Auto;
        reuses.then(|| ContentKey::of(&node.block, &given.config, &given.inputs))
    }

    /// Asks for a job's result, if its content has a key. A rerun asks for nothing: whoever repeats a run wants it done
    /// again, since something changed that content does not show. What it makes others may use.
    pub(crate) fn ask(&mut self, key: &RunKey, job: &Job, content: Option<ContentKey>) {
        let Some(content) = content.filter(|_| self.accepted.rerun_of.is_none()) else { return };
        let model = job.model.clone();
        self.effects.asks.push(Ask { key: key.clone(), job: job.id, attempt: job.attempt, content, model });
    }

    /// Notes that a worker made a result that others may use.
    pub(crate) fn note_made(&mut self, key: &RunKey, used: Option<&ModelDigest>) {
        let plan = self.plan.clone();
        let node = plan.node(key.node);
        if !self.settings.reuse || node.policy.cache == CachePolicy::Off {
            return;
        }
        let Ok(given) = self.given(node, &key.path) else { return };
        let Some(content) = self.content(node, &given) else { return };
        let content = match (&node.action, used) {
            (Action::Job { model: true }, Some(used)) => content.with_model(used),
            // Which copy made it is not known: nobody could find it.
            (Action::Job { model: true }, None) => return,
            _ => content,
        };
        self.effects.made.push(Made { key: key.clone(), content });
    }

    /// What may be kept of a node run that completed by a job.
    #[must_use]
    pub fn reusable(&self, key: &RunKey) -> Option<Reusable> {
        let record = self.nodes.get(key).filter(|record| record.status == NodeStatus::Completed)?;
        Some(Reusable {
            outputs: record.outputs.clone()?,
            warnings: record.warnings.clone(),
            origin: self.accepted.execution_id,
            at: record.completed_at?,
        })
    }

    /// Ends the node runs that these results were found for. One whose attempt is over, or which a worker began, keeps
    /// what it has.
    pub(crate) fn take_hits(&mut self, hits: Vec<Hit>, now: UnixMillis) {
        for hit in hits {
            if let Err(noop) = self.take_hit(hit, now) {
                self.effects.noop = Some(noop);
            }
        }
    }

    fn take_hit(&mut self, hit: Hit, now: UnixMillis) -> Result<(), Noop> {
        let Hit { key, attempt, model, result } = hit;
        let record = self.nodes.get(&key).ok_or(Noop::Unknown)?;
        if record.attempt != attempt || !record.at_pool || record.status != NodeStatus::Queued {
            return Err(Noop::Stale);
        }
        let digest = match &model {
            Some((model, digest)) => {
                self.pin_model(Some(model), Some(digest)).map_err(|_| Noop::Stale)?;
                Some(digest.clone())
            }
            None => None,
        };
        let run = self.accepted.execution_id;
        let record = self.record(&key);
        let job = JobId::of(run, &record.node_id, &record.path, attempt);
        record.started_at = Some(now);
        record.metrics = Some(JobMetrics {
            inference_job_id: Some(job),
            cached: true,
            model_digest: digest,
            ..JobMetrics::default()
        });
        record.warnings = result.warnings;
        record.origin = Some(result.origin);
        record.error = None;
        self.meta.jobs_completed += 1;
        // It was not sent yet, and need not be.
        self.effects.abandon.push(job);
        self.complete(&key, result.outputs, Vec::new(), now);
        Ok(())
    }
}
