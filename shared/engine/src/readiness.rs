//! Who waits for whom. Each node run that has not started keeps the number of inputs it waits for; a settled node run
//! takes one off each of its dependants. The cost of a transition is the number of its dependants, never the size of the run.

use millrace_compiler::plan::{Action, NodeIndex, ScopeIndex};
use millrace_contracts::ItemPath;

use crate::execution::{Agenda, Execution, RunKey};

impl Execution {
    /// Counts, for every member of `scope` at `path`, what it waits for; starts those that wait for nothing.
    pub(crate) fn wait_for_inputs(&mut self, scope: ScopeIndex, path: &ItemPath) {
        let plan = self.plan.clone();
        for &member in &plan.scope(scope).members {
            let key = RunKey::new(member, path.clone());
            if self.nodes.contains_key(&key) {
                continue;
            }
            let count = self.unsettled_inputs(&key);
            if count == 0 {
                self.agenda.push_back(Agenda::Start(key));
            } else {
                self.pending.insert(key, count);
            }
        }
    }

    fn unsettled_inputs(&self, key: &RunKey) -> u32 {
        let node = self.plan.node(key.node);
        let mut count = 0;
        if let Action::Collect(closed) = node.action {
            count += u32::from(!self.is_loop_settled(closed, &key.path));
        }
        for &upstream in &node.upstream {
            if self.is_behind_loop(key.node, upstream) || self.encloses(upstream, node.scope) {
                continue;
            }
            let depth = self.plan.scope(self.plan.node(upstream).scope).depth;
            let source = RunKey::new(upstream, key.path.prefix(depth));
            count += u32::from(!self.is_settled(&source));
        }
        count
    }

    /// Tells everybody who reads from `key` that it settled.
    pub(crate) fn follow_settled(&mut self, key: &RunKey) {
        self.untold.remove(key);
        let plan = self.plan.clone();
        let node = plan.node(key.node);
        for &dependant in &node.downstream {
            let scope = plan.node(dependant).scope;
            if self.is_behind_loop(dependant, key.node) {
                // The loop's end is what a collector waits for; a loop that never opened ends with its opener.
                let opens = plan.scope(self.closed_by(dependant)).opener == Some(key.node);
                if opens && !self.loops.contains_key(key) {
                    self.input_settled(RunKey::new(dependant, key.path.clone()));
                }
            } else if scope == node.scope {
                self.input_settled(RunKey::new(dependant, key.path.clone()));
            } else if !self.encloses(key.node, scope) {
                for path in self.open_items(scope, &key.path) {
                    self.input_settled(RunKey::new(dependant, path));
                }
            }
        }
        self.member_settled(node.scope, &key.path);
    }

    /// Takes one off what `key` waits for.
    pub(crate) fn input_settled(&mut self, key: RunKey) {
        let Some(count) = self.pending.get_mut(&key) else { return };
        *count -= 1;
        if *count == 0 {
            self.pending.remove(&key);
            self.agenda.push_back(Agenda::Start(key));
        }
    }

    /// Whether `key` settled and its dependants were told.
    fn is_settled(&self, key: &RunKey) -> bool {
        self.nodes.get(key).is_some_and(|record| record.status.is_terminal()) && !self.untold.contains(key)
    }

    /// Whether the loop that `closed` is has ended at `path`, or will never open.
    fn is_loop_settled(&self, closed: ScopeIndex, path: &ItemPath) -> bool {
        let opener = self.plan.scope(closed).opener.expect("only loops are closed by a collect");
        let key = RunKey::new(opener, path.clone());
        match self.loops.get(&key) {
            Some(open) => open.done == open.total,
            None => self.is_settled(&key),
        }
    }

    /// Whether `collect` is a collector and `source` stands inside (or opens) the loop it closes.
    fn is_behind_loop(&self, collect: NodeIndex, source: NodeIndex) -> bool {
        let Action::Collect(closed) = self.plan.node(collect).action else { return false };
        self.plan.scope(closed).opener == Some(source) || self.is_within(self.plan.node(source).scope, closed)
    }

    fn closed_by(&self, collect: NodeIndex) -> ScopeIndex {
        match self.plan.node(collect).action {
            Action::Collect(closed) => closed,
            _ => ScopeIndex::ROOT,
        }
    }

    /// Whether `node` opens a loop that `scope` is or lies inside.
    fn encloses(&self, node: NodeIndex, scope: ScopeIndex) -> bool {
        match self.plan.node(node).action {
            Action::ForEach(opened) => self.is_within(scope, opened),
            _ => false,
        }
    }

    /// Whether `scope` is `outer` or lies inside it.
    pub(crate) fn is_within(&self, mut scope: ScopeIndex, outer: ScopeIndex) -> bool {
        loop {
            if scope == outer {
                return true;
            }
            match self.plan.scope(scope).parent {
                Some(parent) => scope = parent,
                None => return false,
            }
        }
    }

    /// The paths of the items of `scope`'s loops that are under way at or below `path`.
    fn open_items(&self, scope: ScopeIndex, path: &ItemPath) -> Vec<ItemPath> {
        let below = self.loops.iter().filter(|(opener, open)| {
            open.scope == scope && opener.path.indices().starts_with(path.indices())
        });
        below.flat_map(|(opener, open)| open.remaining.keys().map(|&item| opener.path.child(item))).collect()
    }
}
