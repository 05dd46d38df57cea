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
        if let Action::ForEach(opened) = node.action {
            // Everything that reads from a loop stands inside it, and its collectors wait for its end. A loop that never
            // opened ends with its opener.
            if !self.loops.contains_key(key) {
                for &collector in &plan.scope(opened).collectors {
                    self.input_settled(RunKey::new(collector, key.path.clone()));
                }
            }
        } else {
            node.downstream.iter().for_each(|&dependant| self.tell(dependant, key));
        }
        self.member_settled(node.scope, &key.path);
    }

    /// Tells a dependant, in every item it runs in, that `key` settled.
    fn tell(&mut self, dependant: NodeIndex, key: &RunKey) {
        // The loop's end is what a collector waits for.
        if self.is_behind_loop(dependant, key.node) {
            return;
        }
        let scope = self.plan.node(dependant).scope;
        if scope == self.plan.node(key.node).scope {
            self.input_settled(RunKey::new(dependant, key.path.clone()));
            return;
        }
        for path in self.open_items(scope, &key.path) {
            self.input_settled(RunKey::new(dependant, path));
        }
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
            Some(open) => open.is_over(),
            None => self.is_settled(&key),
        }
    }

    /// Whether `collect` is a collector and `source` stands inside (or opens) the loop it closes.
    fn is_behind_loop(&self, collect: NodeIndex, source: NodeIndex) -> bool {
        let Action::Collect(closed) = self.plan.node(collect).action else { return false };
        self.plan.scope(closed).opener == Some(source) || self.is_within(self.plan.node(source).scope, closed)
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

    /// The paths of the items of `scope`'s loops that are under way below `path`, in order.
    fn open_items(&self, scope: ScopeIndex, path: &ItemPath) -> Vec<ItemPath> {
        let mut between = Vec::new();
        let mut here = scope;
        while self.plan.scope(here).depth > path.depth() {
            between.push(here);
            here = self.plan.scope(here).parent.expect("only the root has no parent, and no depth");
        }
        let mut paths = vec![path.clone()];
        for inner in between.into_iter().rev() {
            let opener = self.plan.scope(inner).opener.expect("only the root has no opener");
            let open =
                paths.into_iter().filter_map(|path| self.loops.get_key_value(&RunKey::new(opener, path)));
            paths = open
                .flat_map(|(key, open)| open.remaining.keys().map(|&item| key.path.child(item)))
                .collect();
        }
        paths
    }
}
