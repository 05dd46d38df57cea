//! Runs that end without having begun: one that cannot be walked fails at once, for all to see, instead of standing still for
//! ever; one that nobody wants any more is cancelled.

use std::collections::HashMap;
use std::sync::Arc;

use millrace_compiler::plan::{Plan, RunLimits, Scope};
use millrace_contracts::definition::OnItemError;
use millrace_contracts::message::Accepted;
use millrace_contracts::{ExecutionStatus, JobError, UnixMillis};

use crate::effects::Effects;
use crate::execution::{Execution, Settings};

impl Execution {
    /// Ends a run that never began, with the reason. This happens when a definition that was accepted by an older
    /// version does not compile any more.
    #[must_use]
    pub fn refuse(
        accepted: Accepted,
        settings: Settings,
        error: JobError,
        now: UnixMillis,
    ) -> (Self, Effects) {
        let mut run = Self::empty(Arc::new(nothing()), accepted, settings);
        run.effects.first = true;
        run.meta.started_at = Some(now);
        run.finish(ExecutionStatus::Failed, Some(error), now);
        let effects = run.take_effects();
        (run, effects)
    }

    /// Ends a run that was cancelled before it began: every node is cancelled, none was ever started. Without a plan, where
    /// the definition does not compile any more, no node is told of.
    #[must_use]
    pub fn withdraw(
        plan: Option<Arc<Plan>>,
        accepted: Accepted,
        settings: Settings,
        error: JobError,
        now: UnixMillis,
    ) -> (Self, Effects) {
        let plan = plan.unwrap_or_else(|| Arc::new(nothing()));
        let mut run = Self::empty(plan, accepted, settings);
        run.effects.first = true;
        run.count_members();
        run.finish(ExecutionStatus::Cancelled, Some(error), now);
        let effects = run.take_effects();
        (run, effects)
    }
}

/// The workflow without a node.
fn nothing() -> Plan {
    let root = Scope {
        parent: None,
        opener: None,
        depth: 0,
        members: Vec::new(),
        collectors: Vec::new(),
        max_parallel: 1,
        on_item_error: OnItemError::Fail,
    };
    Plan {
        name: String::new(),
        nodes: Vec::new(),
        scopes: vec![root],
        index: HashMap::new(),
        edges: 0,
        limits: RunLimits::default(),
    }
}
