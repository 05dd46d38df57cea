//! What must hold after every step of every run, checked against the stored records and the log alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use millrace_compiler::Plan;
use millrace_compiler::plan::ScopeIndex;
use millrace_contracts::run::Progress;
use millrace_contracts::{Event, EventType, ItemPath, Job, NodeStatus};
use millrace_engine::{Execution, Meta, NodeRecord};

use super::driver::Commit;

/// The stored side of a run, as the checks see it.
pub(crate) struct Checker {
    plan: Arc<Plan>,
    records: HashMap<String, NodeRecord>,
    /// How many terminal events each node run has.
    ends: BTreeMap<String, u32>,
    seq: u64,
    ended: bool,
}

impl Checker {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        Self { plan, records: HashMap::new(), ends: BTreeMap::new(), seq: 0, ended: false }
    }

    /// Checks a commit, and the state of the run after it.
    pub(crate) fn check(&mut self, commit: &Commit, run: &Execution) {
        if self.ended {
            assert!(!commit.needed && commit.jobs.is_empty(), "nothing follows the end: {commit:?}");
            return;
        }
        if commit.noop.is_some() && !commit.needed {
            assert!(commit.jobs.is_empty(), "what changes nothing asks for nothing: {commit:?}");
        }
        self.check_log(&commit.durable);
        self.check_records(commit);
        self.check_jobs(commit);
        if let Some(bytes) = commit.fields.get("meta") {
            let meta: Meta = serde_json::from_slice(bytes).unwrap();
            // One that was loaded in the middle of a long step may be ahead by the items that it launches next.
            let total = run.meta().progress.total;
            assert!(total >= meta.progress.total, "{total} node runs are known, {:?} stored", meta.progress);
            let progress = Progress { total, ..meta.progress };
            assert_eq!(&Meta { progress, ..meta.clone() }, run.meta());
            self.check_counts(&meta);
            self.check_limits(&meta);
            self.ended = meta.status.is_terminal();
            if self.ended {
                self.check_end();
            }
        }
    }

    /// No job is sent for a result that was found, and nobody is told of a job that is neither sent nor
    /// done, following another one.
    fn check_jobs(&self, commit: &Commit) {
        for (job, _) in &commit.jobs {
            let record = &self.records[&format!("{}{}", job.node_id, job.path)];
            // What is sent again may have been reported on in the same batch; what was found was never to be sent.
            let found = record.metrics.as_ref().is_some_and(|metrics| metrics.cached);
            assert!(!found || record.attempt != job.attempt, "{record:?} waits for no such job");
        }
        for (_, event) in commit.live.iter().filter(|(_, event)| event.kind == EventType::NodeQueued) {
            let is_sent = |(job, _): &(Job, Event)| {
                Some(&job.node_id) == event.node_id.as_ref()
                    && job.path == event.path.clone().unwrap_or_default()
            };
            let is_done = commit.live.iter().any(|(_, other)| {
                other.kind == EventType::NodeStarted
                    && (&other.node_id, &other.path, other.attempt) == (&event.node_id, &event.path, Some(1))
            });
            assert!(commit.jobs.iter().any(is_sent) || is_done, "{event:?} is told and no job is sent");
        }
    }

    fn check_log(&mut self, durable: &[Event]) {
        for (position, event) in durable.iter().enumerate() {
            self.seq += 1;
            assert_eq!(event.seq, Some(self.seq), "the log has no gaps");
            let last = position + 1 == durable.len();
            assert!(!event.kind.ends_run() || last, "the run's end is its last event");
            let status = event.data["status"].as_str().and_then(|status| status.parse::<NodeStatus>().ok());
            if let (Some(node), Some(status)) = (&event.node_id, status)
                && status.is_terminal()
            {
                let path = event.path.clone().unwrap_or_default();
                let ends = self.ends.entry(format!("{node}{path}")).or_default();
                *ends += 1;
                assert_eq!(*ends, 1, "{node}{path} ends once");
            }
        }
    }

    fn check_records(&mut self, commit: &Commit) {
        for (field, bytes) in &commit.fields {
            let Some(place) = field.strip_prefix("n:") else { continue };
            let record: NodeRecord = serde_json::from_slice(bytes).unwrap();
            if let Some(before) = self.records.get(place)
                && before.status.is_terminal()
            {
                assert_eq!(before, &record, "a node run that ended does not change");
            }
            assert_eq!(
                record.status.is_terminal(),
                self.ends.contains_key(place),
                "an ended node run has its event: {place}"
            );
            assert!(!record.at_pool || !record.status.is_terminal(), "{place} ended at a pool");
            self.records.insert(place.to_owned(), record);
        }
    }

    fn check_counts(&self, meta: &Meta) {
        let count = |of: &[NodeStatus]| {
            self.records.values().filter(|record| of.contains(&record.status)).count() as u64
        };
        let progress = meta.progress;
        assert_eq!(progress.completed, count(&[NodeStatus::Completed]), "completed");
        assert_eq!(progress.failed, count(&[NodeStatus::Failed, NodeStatus::TimedOut]), "failed");
        assert_eq!(progress.skipped, count(&[NodeStatus::Skipped, NodeStatus::Cancelled]), "skipped");
        assert_eq!(progress.running, count(&[NodeStatus::Queued, NodeStatus::Running]), "running");
        assert!(progress.total >= self.records.len() as u64, "total counts every record");
        let at_pool = self.records.values().filter(|record| record.at_pool).count() as u64;
        assert_eq!(meta.jobs_pending, at_pool, "jobs_pending");
    }

    fn check_limits(&self, meta: &Meta) {
        if let Some(limit) = self.plan.limits.max_concurrency {
            assert!(meta.jobs_pending <= u64::from(limit), "max_concurrency");
        }
        let mut under_way: BTreeMap<(u32, ItemPath), BTreeSet<u32>> = BTreeMap::new();
        for record in self.records.values().filter(|record| !record.status.is_terminal()) {
            let node = self.plan.find(&record.node_id).unwrap();
            let mut scope = self.plan.node(node).scope;
            while scope != ScopeIndex::ROOT {
                let depth = self.plan.scope(scope).depth;
                let item = record.path.indices()[depth - 1];
                under_way.entry((scope.0, record.path.prefix(depth - 1))).or_default().insert(item);
                scope = self.plan.scope(scope).parent.unwrap();
            }
        }
        for ((scope, path), items) in under_way {
            let limit = self.plan.scope(ScopeIndex(scope)).max_parallel as usize;
            assert!(items.len() <= limit, "max_parallel at {path}: {items:?}");
        }
    }

    fn check_end(&self) {
        for (place, record) in &self.records {
            assert!(record.status.is_terminal(), "{place} is still {}", record.status);
        }
    }
}

/// At the end of a run: every node run that is known of has ended.
pub(crate) fn check_ended(run: &Execution) {
    let meta = run.meta();
    assert!(meta.status.is_terminal(), "the run did not end: {meta:?}");
    let progress = meta.progress;
    assert_eq!(progress.total, progress.completed + progress.failed + progress.skipped, "{progress:?}");
    assert_eq!((progress.running, meta.jobs_pending), (0, 0));
}
