//! Chains: transforms in a row that go to a worker as one job. The engine keeps nothing of them. Which nodes follow is read off
//! the plan and what has settled, each time a job is sent; and what a report says of them is used when their turn comes in
//! the same step. Where it says nothing of a node, that is a job like any other.

use std::collections::HashMap;

use millrace_compiler::plan::{NodeIndex, Selector, Template};
use millrace_contracts::chain::{FollowUp, FollowUpReport, MOST_CHAINED, Read};
use millrace_contracts::job::JobOutcome;
use millrace_contracts::{ItemPath, JobId, JobReport, UnixMillis};
use serde_json::{Map, Value};

use crate::bind::Skipped;
use crate::execution::{Execution, RunKey};
use crate::handlers::report;

/// What the jobs that follow may weigh in all, as JSON, bytes: the bus stays small.
const MOST_BYTES: usize = 32 * 1024;

/// What a report says of the jobs that followed, until their turn comes.
pub(crate) type Answered = HashMap<RunKey, JobReport>;

impl Execution {
    /// The jobs that may go to a worker together with that of `head`.
    pub(crate) fn follow_ups(&self, head: &RunKey) -> Vec<FollowUp> {
        let mut chain = vec![head.node];
        let (mut found, mut bytes) = (Vec::new(), 0);
        while chain.len() < self.settings.chain_nodes.min(MOST_CHAINED) {
            let last = chain.last().expect("the head is there");
            let Some(next) = self.plan.node(*last).next else { break };
            let Some(follow_up) = self.follow_up(&chain, &RunKey::new(next, head.path.clone())) else {
                break;
            };
            bytes += weight(&follow_up);
            if bytes > MOST_BYTES {
                break;
            }
            chain.push(next);
            found.push(follow_up);
        }
        found
    }

    /// The first job of `key`, if all it waits for has settled or is made by `chain`; and if it comes to a job at all.
    fn follow_up(&self, chain: &[NodeIndex], key: &RunKey) -> Option<FollowUp> {
        let node = self.plan.node(key.node);
        let known = |source: NodeIndex| chain.contains(&source) || self.has_ended(source, &key.path);
        // What is recorded as done is taken over when its turn comes.
        let is_done = self.nodes.contains_key(key) || self.history.contains_key(key);
        if is_done || !node.upstream.iter().all(|&source| known(source)) {
            return None;
        }
        let (mut inputs, mut reads, mut skipped) = (Map::new(), Vec::new(), Vec::new());
        for input in &node.inputs {
            if let Template::Select(Selector::Port(source, output)) = &input.value
                && let Some(of) = chain.iter().position(|made| made == source)
            {
                reads.push(Read { port: input.port.clone(), of, output: output.clone() });
                continue;
            }
            let value = match self.resolve_known(chain, &input.value, &key.path)? {
                Err(Skipped) if !input.required => {
                    skipped.push(input.port.as_str());
                    Value::Null
                }
                resolved => resolved.ok()?,
            };
            inputs.insert(input.port.clone(), value);
        }
        if !node.does_without(&skipped) {
            return None;
        }
        let config = match self.resolve_known(chain, &node.config, &key.path)?.ok()? {
            Value::Object(config) => config,
            _ => Map::new(),
        };
        // What is wrong with it is said when its own turn comes.
        node.check_config(&config).ok()?;
        let id = JobId::of(self.accepted.execution_id, &node.id, &key.path, 1);
        Some(FollowUp { id, node_id: node.id.clone(), task: node.block.clone(), inputs, reads, config })
    }

    /// A template's value; none when it needs what `chain` has yet to make.
    fn resolve_known(
        &self,
        chain: &[NodeIndex],
        template: &Template,
        path: &ItemPath,
    ) -> Option<Result<Value, Skipped>> {
        let is_made = |selector: &&Selector| chain.contains(&selector.node());
        template.selectors().iter().all(|selector| !is_made(selector)).then(|| self.resolve(template, path))
    }

    /// Whether `node` has ended where somebody at `path` reads it.
    fn has_ended(&self, node: NodeIndex, path: &ItemPath) -> bool {
        self.nodes.get(&self.source(node, path)).is_some_and(|record| record.status.is_terminal())
    }

    /// Notes what a report on a job of the item `path` says of those that followed it. What is not about a first attempt there
    /// that has ended says nothing.
    pub(crate) fn note_answers(&mut self, path: &ItemPath, then: Vec<FollowUpReport>) {
        for FollowUpReport { node_id, report } in then {
            let job = JobId::of(self.accepted.execution_id, &node_id, path, 1);
            let ended = report.job_id == job && !matches!(report.outcome, JobOutcome::Started);
            if let Some(node) = self.plan.find(&node_id).filter(|_| ended) {
                self.answered.insert(RunKey::new(node, path.clone()), report);
            }
        }
    }

    /// Whether it is known how the first attempt of `key` ended.
    pub(crate) fn is_answered(&self, key: &RunKey) -> bool {
        self.answered.contains_key(key) && self.nodes.get(key).is_none_or(|record| record.attempt == 0)
    }

    /// Ends the attempt of `key` that has just begun, as the report says it ended.
    pub(crate) fn take_answer(&mut self, key: &RunKey, now: UnixMillis) {
        let Some(report) = self.answered.remove(key) else { return };
        // It waited for nobody: it began when the job before it had ended.
        self.record(key).queued_at = Some(report.started_at);
        report::begun(self, key, &report, now);
        report::ended(self, key, report, now);
    }
}

fn weight(follow_up: &FollowUp) -> usize {
    serde_json::to_vec(follow_up).map_or(usize::MAX, |json| json.len())
}
