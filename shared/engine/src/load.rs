//! Building a run's memory from its stored records, on whichever machine took it over.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use millrace_compiler::plan::{Action, NodeIndex, Plan, ScopeIndex};
use millrace_contracts::ItemPath;
use millrace_contracts::message::Accepted;
use millrace_contracts::values::ValueRef;
use serde_json::Value;

use crate::execution::{Agenda, Execution, OpenLoop, RunKey, Settings};
use crate::record::{
    ACCEPTED, HISTORY_PREFIX, Handled, LOOP_PREFIX, LoopRecord, META, Meta, NODE_PREFIX, NodeRecord,
};

/// Stored records that do not make a run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A record every run has is not there.
    #[error("the stored run has no `{0}` record")]
    Missing(&'static str),
    /// A record does not parse.
    #[error("the stored record `{field}` is damaged")]
    Damaged {
        /// Which one.
        field: String,
        /// How.
        #[source]
        source: serde_json::Error,
    },
    /// The records speak of a node that the workflow does not have.
    #[error("the stored record `{0}` names a node that is not in the workflow")]
    UnknownNode(String),
}

/// A loop whose list is in the blob store: bring it with [`Execution::provide_items`] before the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingItems {
    /// The loop's opener.
    pub opener: RunKey,
    /// Where the list is.
    pub list: ValueRef,
}

impl Execution {
    /// The accepted run among stored records, so that its workflow can be fetched and compiled.
    ///
    /// # Errors
    /// The record is missing or damaged.
    pub fn accepted_in(fields: &HashMap<String, Vec<u8>>) -> Result<Accepted, LoadError> {
        parse(fields, ACCEPTED)
    }

    /// Builds a run from its stored records. Node runs that were ready and not started are started by the next step.
    ///
    /// # Errors
    /// Records that are missing, damaged, or of another workflow.
    pub fn load(
        plan: Arc<Plan>,
        fields: &HashMap<String, Vec<u8>>,
        settings: Settings,
    ) -> Result<(Self, Vec<MissingItems>), LoadError> {
        let accepted = parse(fields, ACCEPTED)?;
        let meta: Meta = parse(fields, META)?;
        let mut run = Self::empty(plan, accepted, settings);
        run.meta = meta;
        run.load_nodes(fields)?;
        let mut missing = run.load_loops(fields)?;
        if run.is_terminal() {
            return Ok((run, Vec::new()));
        }
        run.load_history(fields)?;
        run.derive();
        missing.retain(|list| run.reads_items(&list.opener));
        missing.sort_by(|a, b| (&a.opener.path, a.opener.node).cmp(&(&b.opener.path, b.opener.node)));
        Ok((run, missing))
    }

    /// Hands a loop the list that was stored by reference.
    pub fn provide_items(&mut self, opener: &RunKey, items: Vec<Value>) {
        if let Some(open) = self.loops.get_mut(opener) {
            open.items = Some(Arc::new(items));
        }
    }

    fn load_nodes(&mut self, fields: &HashMap<String, Vec<u8>>) -> Result<(), LoadError> {
        for (field, bytes) in fields.iter().filter(|(field, _)| field.starts_with(NODE_PREFIX)) {
            let record: NodeRecord = from_json(field, bytes)?;
            let node =
                self.plan.find(&record.node_id).ok_or_else(|| LoadError::UnknownNode(field.clone()))?;
            self.nodes.insert(RunKey::new(node, record.path.clone()), Box::new(record));
        }
        Ok(())
    }

    /// Results of an earlier epoch that were not adopted yet.
    fn load_history(&mut self, fields: &HashMap<String, Vec<u8>>) -> Result<(), LoadError> {
        for (field, bytes) in fields.iter().filter(|(field, _)| field.starts_with(HISTORY_PREFIX)) {
            let record: NodeRecord = from_json(field, bytes)?;
            let node =
                self.plan.find(&record.node_id).ok_or_else(|| LoadError::UnknownNode(field.clone()))?;
            let key = RunKey::new(node, record.path.clone());
            if !self.nodes.contains_key(&key) {
                self.history.insert(key, record);
            }
        }
        Ok(())
    }

    fn load_loops(&mut self, fields: &HashMap<String, Vec<u8>>) -> Result<Vec<MissingItems>, LoadError> {
        let mut missing = Vec::new();
        for (field, bytes) in fields.iter().filter(|(field, _)| field.starts_with(LOOP_PREFIX)) {
            let record: LoopRecord = from_json(field, bytes)?;
            let opener = self.opener_of(field)?;
            let Action::ForEach(scope) = self.plan.node(opener.node).action else {
                return Err(LoadError::UnknownNode(field.clone()));
            };
            let list = self.nodes.get(&opener).and_then(|node| node.outputs.as_ref()?.get("items")).cloned();
            let items = match list {
                Some(Value::Array(items)) => Some(Arc::new(items)),
                Some(other) => {
                    if let Some(list) = ValueRef::from_value(&other) {
                        missing.push(MissingItems { opener: opener.clone(), list });
                    }
                    None
                }
                None => None,
            };
            self.loops.insert(opener, OpenLoop::new(scope, record.total, items));
        }
        Ok(missing)
    }

    /// Whether anybody may still read the loop's items: those inside it, and whoever collects them when it is over, who may
    /// wait for other nodes too.
    fn reads_items(&self, opener: &RunKey) -> bool {
        let Some(open) = self.loops.get(opener) else { return false };
        let is_to_come = |&collector: &NodeIndex| {
            let key = RunKey::new(collector, opener.path.clone());
            !self.nodes.get(&key).is_some_and(|record| record.status.is_terminal())
        };
        !open.is_over() || self.plan.scope(open.scope).collectors.iter().any(is_to_come)
    }

    fn opener_of(&self, field: &str) -> Result<RunKey, LoadError> {
        let unknown = || LoadError::UnknownNode(field.to_owned());
        let name = &field[LOOP_PREFIX.len()..];
        let (id, path) = name.find('[').map_or((name, ""), |bracket| name.split_at(bracket));
        let node = self.plan.find(&id.into()).ok_or_else(unknown)?;
        let path: ItemPath = path.parse().map_err(|_| unknown())?;
        Ok(RunKey::new(node, path))
    }

    /// Everything that follows from the records. What was decided when they were stored is not decided again, so a run
    /// that was loaded goes on exactly as the one in memory would have.
    fn derive(&mut self) {
        self.derive_failed_items();
        self.derive_loops();
        self.derive_counts();
        let root = ItemPath::root();
        self.root_remaining = self.unsettled_units(ScopeIndex::ROOT, &root);
        self.wait_for_inputs(ScopeIndex::ROOT, &root);
        let mut openers: Vec<RunKey> = self.loops.keys().cloned().collect();
        openers.sort_by(|a, b| (&a.path, a.node).cmp(&(&b.path, b.node)));
        for opener in openers {
            let open = &self.loops[&opener];
            let (scope, under_way) = (open.scope, open.remaining.keys().copied().collect::<Vec<_>>());
            for item in under_way {
                self.wait_for_inputs(scope, &opener.path.child(item));
            }
            self.launch_items(&opener);
        }
        self.derive_line();
    }

    /// Node runs of items that were launched and have no record yet are added when those items are launched again.
    fn derive_counts(&mut self) {
        let members = self.member_count(ScopeIndex::ROOT);
        let (mut total, mut planned) = (members, members);
        for open in self.loops.values() {
            let members = self.member_count(open.scope);
            total += u64::from(open.next) * members;
            planned += u64::from(open.total) * members;
        }
        (self.meta.progress.total, self.planned) = (total, planned);
    }

    /// Jobs that were ready and had no place go back in line; in a run that is full, every ready job is one.
    fn derive_line(&mut self) {
        let in_line = self.nodes.iter().filter(|(_, record)| record.in_line);
        self.ready = in_line.map(|(key, _)| (key.path.clone(), key.node)).collect();
        for entry in std::mem::take(&mut self.agenda) {
            match entry {
                Agenda::Start(key) if self.is_full() && self.is_job(&key) => {
                    self.ready.insert((key.path, key.node));
                }
                other => self.agenda.push_back(other),
            }
        }
        // A place may have become free, and nobody in line was told.
        if !self.ready.is_empty() && !self.is_full() {
            self.agenda.push_back(Agenda::NextInLine);
        }
    }

    fn is_job(&self, key: &RunKey) -> bool {
        matches!(self.plan.node(key.node).action, Action::Job { .. })
    }

    pub(crate) fn member_count(&self, scope: ScopeIndex) -> u64 {
        self.plan.scope(scope).members.len() as u64
    }

    fn derive_failed_items(&mut self) {
        let failed: Vec<(RunKey, u32)> = self
            .nodes
            .iter()
            .filter(|(_, record)| record.handled == Some(Handled::Item))
            .filter_map(|(key, _)| self.tolerant_loop(key))
            .collect();
        for (opener, item) in failed {
            if let Some(open) = self.loops.get_mut(&opener) {
                open.failed.insert(item);
            }
        }
    }

    /// Inner loops first: what an item waits for includes the loops inside it.
    fn derive_loops(&mut self) {
        let mut openers: Vec<RunKey> = self.loops.keys().cloned().collect();
        openers.sort_by_key(|opener| std::cmp::Reverse(opener.path.depth()));
        for opener in openers {
            if self.is_in_failed_item(&opener) {
                self.loops.get_mut(&opener).expect("the key was just listed").closed = true;
            }
            self.derive_loop(&opener);
        }
    }

    fn derive_loop(&mut self, opener: &RunKey) {
        let open = &self.loops[opener];
        let (scope, total, closed) = (open.scope, open.total, open.closed);
        let plan = self.plan.clone();
        let begun = |item: u32| {
            let path = opener.path.child(item);
            let members = &plan.scope(scope).members;
            members.iter().any(|&member| self.nodes.contains_key(&RunKey::new(member, path.clone())))
        };
        if plan.scope(scope).members.is_empty() {
            let open = self.loops.get_mut(opener).expect("the key was just looked up");
            (open.next, open.done) = (total, total);
            return;
        }
        let next = (0..total).rev().find(|&item| begun(item)).map_or(0, |last| last + 1);
        let mut done = 0;
        let mut remaining = BTreeMap::new();
        for item in 0..next {
            let units = self.unsettled_units(scope, &opener.path.child(item));
            if closed || units == 0 || self.loops[opener].failed.contains(&item) {
                done += 1;
            } else {
                remaining.insert(item, units);
            }
        }
        let open = self.loops.get_mut(opener).expect("the key was just looked up");
        (open.next, open.done, open.remaining) = (next, done, remaining);
    }

    /// Members of `scope` at `path` that have not settled, and loops opened there that have not ended.
    fn unsettled_units(&self, scope: ScopeIndex, path: &ItemPath) -> u32 {
        let unsettled = |key: &RunKey| !self.nodes.get(key).is_some_and(|record| record.status.is_terminal());
        let mut units = 0;
        for &member in &self.plan.scope(scope).members {
            let key = RunKey::new(member, path.clone());
            units += u32::from(unsettled(&key));
            units += u32::from(self.loops.get(&key).is_some_and(|open| !open.is_over()));
        }
        units
    }

    fn is_in_failed_item(&self, key: &RunKey) -> bool {
        let mut scope = self.plan.node(key.node).scope;
        while let (Some(opener), Some(parent)) =
            (self.plan.scope(scope).opener, self.plan.scope(scope).parent)
        {
            let depth = self.plan.scope(parent).depth;
            let around = self.loops.get(&RunKey::new(opener, key.path.prefix(depth)));
            if around.is_some_and(|open| open.failed.contains(&key.path.indices()[depth])) {
                return true;
            }
            scope = parent;
        }
        false
    }
}

/// Reads a record that every run has.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    fields: &HashMap<String, Vec<u8>>,
    field: &'static str,
) -> Result<T, LoadError> {
    from_json(field, fields.get(field).ok_or(LoadError::Missing(field))?)
}

/// Reads one record.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(field: &str, bytes: &[u8]) -> Result<T, LoadError> {
    serde_json::from_slice(bytes).map_err(|source| LoadError::Damaged { field: field.to_owned(), source })
}
