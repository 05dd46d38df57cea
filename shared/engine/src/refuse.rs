//! Runs that end without being walked to their end: one that cannot be walked, or no longer, fails at once, for all to see,
//! instead of standing still for ever; one that nobody wants any more before it began is cancelled.

use std::collections::HashMap;
use std::sync::Arc;

use millrace_compiler::plan::{Plan, RunLimits, Scope};
use millrace_contracts::definition::OnItemError;
use millrace_contracts::message::Accepted;
use millrace_contracts::{ExecutionStatus, JobError, UnixMillis};

use crate::effects::Effects;
use crate::execution::{Execution, Settings};
use crate::load::{LoadError, from_json, parse};
use crate::record::{ACCEPTED, META, Meta, NODE_PREFIX, NodeRecord};

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
        // One that is begun again began long ago.
        run.meta.started_at = run.accepted.started_at.or(Some(now));
        run.finish(ExecutionStatus::Failed, Some(error), now);
        let effects = run.take_effects();
        (run, effects)
    }

    /// Ends a run that was under way, with the reason: its stored records make no run any more, or its workflow is gone. Only
    /// what says which run it is and where it stands is read; no node is told of. None when it had ended before.
    ///
    /// # Errors
    /// Even those records are missing or damaged.
    pub fn give_up(
        fields: &HashMap<String, Vec<u8>>,
        settings: Settings,
        error: JobError,
        now: UnixMillis,
    ) -> Result<Option<(Self, Effects)>, LoadError> {
        let (accepted, meta): (Accepted, Meta) = (parse(fields, ACCEPTED)?, parse(fields, META)?);
        let mut run = Self::empty(Arc::new(nothing()), accepted, settings);
        run.meta = meta;
        if run.is_terminal() {
            return Ok(None);
        }
        run.effects.abandon_all = run.meta.jobs_pending > 0;
        run.meta.jobs_pending = 0;
        let progress = &mut run.meta.progress;
        progress.skipped += std::mem::take(&mut progress.running);
        // Whoever looks at the ended run reads these.
        let damaged = |(field, bytes): &(&String, &Vec<u8>)| {
            field.starts_with(NODE_PREFIX) && from_json::<NodeRecord>(field, bytes).is_err()
        };
        run.effects.removed = fields.iter().filter(damaged).map(|(field, _)| field.clone()).collect();
        run.finish(ExecutionStatus::Failed, Some(error), now);
        let effects = run.take_effects();
        Ok(Some((run, effects)))
    }

    /// Ends a run that was cancelled before it began, or before it was begun again: every node is cancelled, none was ever
    /// started. Without a plan, where the definition does not compile any more, no node is told of.
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
        run.meta.started_at = run.accepted.started_at;
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
