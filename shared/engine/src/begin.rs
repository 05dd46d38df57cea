//! The first step of a run.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use millrace_compiler::plan::{Plan, ScopeIndex};
use millrace_contracts::message::{Accepted, Timer, TimerPurpose};
use millrace_contracts::run::Progress;
use millrace_contracts::{EventType, ExecutionStatus, ItemPath, NodeStatus, UnixMillis};
use serde_json::json;

use crate::effects::Effects;
use crate::execution::{Execution, RunKey, Settings};
use crate::record::{Meta, NodeRecord};

impl Execution {
    /// Starts a run. `history` holds results that need not be made again, of a log that was lost or of the run that
    /// this one reruns; only completed ones count.
    #[must_use]
    pub fn begin(
        plan: Arc<Plan>,
        accepted: Accepted,
        settings: Settings,
        history: Vec<NodeRecord>,
        now: UnixMillis,
    ) -> (Self, Effects) {
        let mut run = Self::empty(plan, accepted, settings);
        run.history = run.keyed(history);
        run.effects.first = true;
        let started_at = run.accepted.started_at.unwrap_or(now);
        run.meta.started_at = Some(started_at);
        run.count_members();
        let data = json!({"version": run.accepted.version, "accepted": run.accepted});
        run.emit(EventType::WorkflowStarted, now, data);
        run.set_run_timer(started_at);
        run.wait_for_inputs(ScopeIndex::ROOT, &ItemPath::root());
        run.run_agenda(now);
        let effects = run.take_effects();
        (run, effects)
    }

    /// What there is to do before any loop opens: the nodes outside loops.
    pub(crate) fn count_members(&mut self) {
        let members = self.plan.scope(ScopeIndex::ROOT).members.len();
        self.meta.progress.total = members as u64;
        self.root_remaining = members as u32;
        self.planned = members as u64;
    }

    pub(crate) fn empty(plan: Arc<Plan>, accepted: Accepted, settings: Settings) -> Self {
        let meta = Meta {
            status: ExecutionStatus::Running,
            epoch: accepted.epoch,
            seq: 0,
            progress: Progress::default(),
            models: BTreeMap::new(),
            jobs_pending: 0,
            jobs_completed: 0,
            jobs_failed: 0,
            started_at: None,
            completed_at: None,
            error: None,
        };
        Self {
            plan,
            settings,
            accepted,
            meta,
            nodes: HashMap::new(),
            loops: HashMap::new(),
            pending: HashMap::new(),
            root_remaining: 0,
            ready: BTreeSet::new(),
            shell: HashSet::new(),
            untold: HashSet::new(),
            history: HashMap::new(),
            planned: 0,
            answered: HashMap::new(),
            effects: Effects::default(),
            agenda: VecDeque::new(),
        }
    }

    fn keyed(&self, history: Vec<NodeRecord>) -> HashMap<RunKey, NodeRecord> {
        let completed = history.into_iter().filter(|record| record.status == NodeStatus::Completed);
        completed
            .filter_map(|record| {
                let node = self.plan.find(&record.node_id)?;
                self.adopts(self.plan.node(node)).then_some(())?;
                Some((RunKey::new(node, record.path.clone()), record))
            })
            .collect()
    }

    /// Counted from the run's beginning, also in a later life: an alarm that is overdue fires at once.
    fn set_run_timer(&mut self, started_at: UnixMillis) {
        if let Some(timeout_ms) = self.timeout_ms() {
            let due = started_at.after(Duration::from_millis(timeout_ms));
            self.effects.set_timers.push((due, self.run_timer()));
        }
    }

    /// The run's own limit, or the definition's.
    pub(crate) fn timeout_ms(&self) -> Option<u64> {
        self.accepted.timeout_ms.or(self.plan.limits.timeout_ms)
    }

    pub(crate) fn run_timer(&self) -> Timer {
        Timer { execution_id: self.accepted.execution_id, purpose: TimerPurpose::RunTimeout }
    }
}
