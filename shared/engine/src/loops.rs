//! Loops: opening one over a list, keeping so many items under way, ending an item, collecting the results.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace_compiler::logic::Ports;
use millrace_compiler::plan::{Action, PlanNode, ScopeIndex};
use millrace_contracts::definition::OnItemError;
use millrace_contracts::values::ValueRef;
use millrace_contracts::{ErrorKind, ItemPath, JobError, UnixMillis};
use serde_json::{Map, Value, json};

use crate::bind::Skipped;
use crate::effects::ShellWorkKind;
use crate::execution::{Agenda, Execution, OpenLoop, RunKey};

impl Execution {
    /// Starts a `for_each`: opens its loop at once when the list is at hand, through the shell when it is a reference.
    pub(crate) fn start_loop(&mut self, key: &RunKey, list: Value, now: UnixMillis) {
        if ValueRef::from_value(&list).is_some() {
            self.ask_shell(key, ShellWorkKind::Items { list });
            return;
        }
        match list.clone() {
            Value::Array(items) => self.open_loop(key, items, list, now),
            other => {
                let found = kind_name(&other);
                let error = JobError::new(
                    ErrorKind::InvalidInput,
                    format!(
                        "for_each walks a list and was given {found}; connect a port whose kind is list<…>"
                    ),
                );
                self.fail_node(key, error.at("/inputs/items"), now);
            }
        }
    }

    pub(crate) fn open_loop(&mut self, key: &RunKey, items: Vec<Value>, stored: Value, now: UnixMillis) {
        if let Err(error) = self.check_size(key, items.len()) {
            self.fail_node(key, error, now);
            return;
        }
        let Action::ForEach(scope) = self.plan.node(key.node).action else { return };
        let total = items.len() as u32;
        self.effects.opened_loops.push(key.clone());
        let mut open = OpenLoop::new(scope, total, Some(Arc::new(items)));
        let members = self.member_count(scope);
        self.planned += u64::from(total) * members;
        if members == 0 {
            (open.next, open.done) = (total, total);
        }
        let over = open.is_over();
        self.loops.insert(key.clone(), open);
        self.unit_added(self.plan.node(key.node).scope, &key.path);
        let outputs = Map::from_iter([("items".to_owned(), stored), ("count".to_owned(), json!(total))]);
        self.complete(key, outputs, Vec::new(), now);
        if over {
            self.agenda.push_back(Agenda::LoopDone(key.clone()));
        } else {
            self.launch_items(key);
        }
    }

    fn check_size(&self, key: &RunKey, items: usize) -> Result<(), JobError> {
        let Action::ForEach(scope) = self.plan.node(key.node).action else { return Ok(()) };
        let runs = self.planned.saturating_add((items as u64).saturating_mul(self.member_count(scope)));
        let (what, found, limit) = if items > self.settings.max_items {
            ("items in one for_each", items as u64, self.settings.max_items as u64)
        } else if runs > self.settings.max_node_runs {
            ("node runs in one execution", runs, self.settings.max_node_runs)
        } else {
            return Ok(());
        };
        let message =
            format!("{found} {what}, at most {limit} are allowed; split the input over several runs");
        Err(JobError::new(ErrorKind::InvalidInput, message).at("/inputs/items"))
    }

    /// Launches items until as many are under way as may be.
    pub(crate) fn launch_items(&mut self, opener: &RunKey) {
        let Some(open) = self.loops.get(opener) else { return };
        let plan = self.plan.clone();
        let scope = open.scope;
        let members = plan.scope(scope).members.len() as u32;
        let max_parallel = plan.scope(scope).max_parallel.max(1) as usize;
        loop {
            let Some(open) = self.loops.get_mut(opener) else { return };
            if open.closed || open.next >= open.total || open.remaining.len() >= max_parallel {
                return;
            }
            let item = open.next;
            open.next += 1;
            open.remaining.insert(item, members);
            self.meta.progress.total += u64::from(members);
            self.wait_for_inputs(scope, &opener.path.child(item));
        }
    }

    /// One more thing to wait for in the item (or the run) that `path` is.
    fn unit_added(&mut self, scope: ScopeIndex, path: &ItemPath) {
        match self.enclosing_item(scope, path) {
            None => self.root_remaining += 1,
            Some((opener, item)) => {
                let open = self.loops.get_mut(&opener).expect("an inner loop opens inside an open item");
                *open.remaining.get_mut(&item).expect("a loop opens only while its item is under way") += 1;
            }
        }
    }

    /// One thing less to wait for in the item (or the run) that `path` is.
    pub(crate) fn member_settled(&mut self, scope: ScopeIndex, path: &ItemPath) {
        let Some((opener, item)) = self.enclosing_item(scope, path) else {
            self.root_remaining -= 1;
            return;
        };
        let Some(open) = self.loops.get_mut(&opener) else { return };
        // An item that failed was closed as a whole; what settles in it afterwards no longer counts.
        let Some(remaining) = open.remaining.get_mut(&item) else { return };
        *remaining -= 1;
        if *remaining == 0 {
            self.item_done(&opener, item);
        }
    }

    fn enclosing_item(&self, scope: ScopeIndex, path: &ItemPath) -> Option<(RunKey, u32)> {
        let opener = self.plan.scope(scope).opener?;
        let item = *path.indices().last()?;
        Some((RunKey::new(opener, path.prefix(path.depth() - 1)), item))
    }

    fn item_done(&mut self, opener: &RunKey, item: u32) {
        let Some(open) = self.loops.get_mut(opener) else { return };
        if open.remaining.remove(&item).is_none() {
            return;
        }
        open.done += 1;
        if open.is_over() {
            self.agenda.push_back(Agenda::LoopDone(opener.clone()));
        } else {
            self.launch_items(opener);
        }
    }

    /// Every item is done: collectors may collect, and the loop is one thing less to wait for.
    pub(crate) fn follow_loop_done(&mut self, opener: &RunKey) {
        let plan = self.plan.clone();
        let Some(open) = self.loops.get(opener) else { return };
        for &collector in &plan.scope(open.scope).collectors {
            self.input_settled(RunKey::new(collector, opener.path.clone()));
        }
        self.member_settled(plan.node(opener.node).scope, &opener.path);
    }

    /// An item failed in a loop that tolerates it: what is under way in it is cancelled, the rest of it never starts.
    pub(crate) fn fail_item(&mut self, opener: &RunKey, item: u32, now: UnixMillis) {
        let Some(open) = self.loops.get_mut(opener) else { return };
        open.failed.insert(item);
        let scope = open.scope;
        self.close_item(scope, &opener.path.child(item), now);
        self.item_done(opener, item);
    }

    fn close_item(&mut self, scope: ScopeIndex, path: &ItemPath, now: UnixMillis) {
        let plan = self.plan.clone();
        for &member in &plan.scope(scope).members {
            let key = RunKey::new(member, path.clone());
            self.pending.remove(&key);
            self.ready.remove(&(path.clone(), member));
            if self.nodes.get(&key).is_some_and(|record| !record.status.is_terminal()) {
                self.cancel_node(&key, now);
            } else if !self.nodes.contains_key(&key) {
                self.record(&key);
                self.cancel_node(&key, now);
            }
            if let Action::ForEach(inner) = plan.node(member).action {
                self.close_loop(inner, &key, now);
            }
        }
    }

    fn close_loop(&mut self, scope: ScopeIndex, opener: &RunKey, now: UnixMillis) {
        let Some(open) = self.loops.get_mut(opener) else { return };
        open.closed = true;
        for item in std::mem::take(&mut open.remaining).into_keys() {
            self.close_item(scope, &opener.path.child(item), now);
        }
    }

    /// Gathers a finished loop's results in the order of its items. Skipped items are left out; failed ones are left out
    /// or null, as the loop says.
    pub(crate) fn start_collect(
        &mut self,
        key: &RunKey,
        node: &PlanNode,
        scope: ScopeIndex,
        now: UnixMillis,
    ) -> Result<(), Skipped> {
        let plan = self.plan.clone();
        let opener = RunKey::new(
            plan.scope(scope).opener.expect("only loops are closed by a collect"),
            key.path.clone(),
        );
        let total = self.loops.get(&opener).ok_or(Skipped)?.total;
        let source = node.inputs.iter().find(|input| input.port == "item").ok_or(Skipped)?;
        let mut items = Vec::with_capacity(total as usize);
        for item in 0..total {
            if self.loops[&opener].failed.contains(&item) {
                if plan.scope(scope).on_item_error == OnItemError::Null {
                    items.push(Value::Null);
                }
            } else if let Ok(value) = self.resolve(&source.value, &key.path.child(item)) {
                items.push(value);
            }
        }
        let count = json!(items.len());
        let values = Map::from_iter([("items".to_owned(), Value::Array(items)), ("count".to_owned(), count)]);
        self.complete_or_store(key, Ports { values, skipped: Vec::new() }, now);
        Ok(())
    }
}

impl OpenLoop {
    pub(crate) fn new(scope: ScopeIndex, total: u32, items: Option<Arc<Vec<Value>>>) -> Self {
        Self {
            scope,
            total,
            items,
            next: 0,
            remaining: BTreeMap::new(),
            done: 0,
            failed: BTreeSet::new(),
            closed: false,
        }
    }
}

fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
