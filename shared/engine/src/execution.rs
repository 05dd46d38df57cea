//! The state of one run in memory: the stored records plus everything that is derived from them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use millrace_compiler::plan::{NodeIndex, Plan, ScopeIndex};
use millrace_contracts::message::{Accepted, Message};
use millrace_contracts::{ItemPath, JobError, UnixMillis};
use serde_json::{Map, Value};

use crate::chain::Answered;
use crate::effects::{Effects, ShellWork};
use crate::record::{Meta, NodeRecord};
use crate::reuse::Hit;

/// One node run: a node at a place inside the loops around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunKey {
    /// The node.
    pub node: NodeIndex,
    /// One index per enclosing loop.
    pub path: ItemPath,
}

impl RunKey {
    pub(crate) fn new(node: NodeIndex, path: ItemPath) -> Self {
        Self { node, path }
    }
}

/// What may happen to a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A message from the inbox.
    Message(Message),
    /// Results that were found for jobs in [`Effects::asks`], before those were sent.
    Cached(Vec<Hit>),
    /// The shell finished a piece of [`crate::ShellWork`].
    Worked {
        /// Whose work it was.
        key: RunKey,
        /// The result.
        result: Result<Worked, JobError>,
    },
    /// What an earlier step left, see [`Execution::is_unfinished`].
    Continue,
}

/// What a piece of shell work gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Worked {
    /// Output ports of a logic block; large values by reference.
    Ports {
        /// Values by port.
        values: Map<String, Value>,
        /// Ports that were not taken.
        skipped: Vec<String>,
    },
    /// The items of a loop, resolved one level deep, and the list as it is to be stored.
    Items {
        /// The items.
        items: Vec<Value>,
        /// The same list, by reference when it is large.
        stored: Value,
    },
}

/// What the shell's configuration says about every run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Items one loop may have.
    pub max_items: usize,
    /// Node runs one execution may have.
    pub max_node_runs: u64,
    /// How many partitions the runs are spread over; decides whose inbox a job's report goes to.
    pub partitions: u16,
    /// Whether results are asked for by content before jobs are sent.
    pub reuse: bool,
    /// Transforms in a row that go to a worker as one job, at most [`millrace_contracts::chain::MOST_CHAINED`]; 1 for none.
    pub chain_nodes: usize,
    /// Follow-ups that one step looks at; the rest is left to [`Input::Continue`], so that nobody is held up by a long step. Each may
    /// be the evaluation of an expression, which takes some tens of milliseconds at most.
    pub step_limit: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_items: 20_000,
            max_node_runs: 200_000,
            partitions: 16,
            reuse: true,
            chain_nodes: 16,
            step_limit: 64,
        }
    }
}

/// A loop that is under way.
#[derive(Debug)]
pub(crate) struct OpenLoop {
    pub(crate) scope: ScopeIndex,
    pub(crate) total: u32,
    /// The items; none until the shell has brought a list that was stored by reference.
    pub(crate) items: Option<Arc<Vec<Value>>>,
    /// The first item that has not been launched.
    pub(crate) next: u32,
    /// Launched items that are not done, in order: how many members and inner loops of each are unsettled.
    pub(crate) remaining: BTreeMap<u32, u32>,
    /// Items that are done.
    pub(crate) done: u32,
    /// Items that failed and are tolerated.
    pub(crate) failed: BTreeSet<u32>,
    /// Whether an item around it failed: nothing more happens in it.
    pub(crate) closed: bool,
}

impl OpenLoop {
    /// Whether nothing more happens in it.
    pub(crate) fn is_over(&self) -> bool {
        self.closed || self.done == self.total
    }
}

/// One run, between two steps.
#[derive(Debug)]
pub struct Execution {
    pub(crate) plan: Arc<Plan>,
    pub(crate) settings: Settings,
    pub(crate) accepted: Accepted,
    pub(crate) meta: Meta,
    /// Boxed: a record is large, and the map grows to tens of thousands of them.
    pub(crate) nodes: HashMap<RunKey, Box<NodeRecord>>,
    /// Loops by their opener's node run; finished ones stay, empty, so that collectors can read how many items there were.
    pub(crate) loops: HashMap<RunKey, OpenLoop>,
    /// How many inputs a node run still waits for. Absent once it started.
    pub(crate) pending: HashMap<RunKey, u32>,
    /// Members of the root scope, and loops opened there, that are not settled.
    pub(crate) root_remaining: u32,
    /// Jobs that wait for a place under `max_concurrency`: items in their order, then nodes in theirs. The order follows
    /// from the keys alone, so that a run that was loaded goes on exactly as the one in memory would have.
    pub(crate) ready: BTreeSet<(ItemPath, NodeIndex)>,
    /// Logic node runs handed to the shell.
    pub(crate) shell: HashSet<RunKey>,
    /// Settled node runs whose dependants have not been told yet; empty when nothing is left on the agenda.
    pub(crate) untold: HashSet<RunKey>,
    /// Results recorded before the log was lost, or by the run this one reruns; adopted in place of doing the work again.
    pub(crate) history: HashMap<RunKey, NodeRecord>,
    /// Node runs there will be when every open loop has gone through all its items.
    pub(crate) planned: u64,
    /// What a report says of jobs that followed the one it is on; empty when nothing is left on the agenda.
    pub(crate) answered: Answered,
    pub(crate) effects: Effects,
    /// What is still to be looked at, in this step or by [`Input::Continue`].
    pub(crate) agenda: VecDeque<Agenda>,
}

/// A follow-up of a step. A queue instead of recursion: a chain of 10,000 nodes must not need a deep stack.
#[derive(Debug)]
pub(crate) enum Agenda {
    /// All inputs of this node run are settled: start it.
    Start(RunKey),
    /// This node run settled: look at what depends on it.
    Settled(RunKey),
    /// Every item of this opener's loop is done.
    LoopDone(RunKey),
    /// A job ended: whoever is next in line may start.
    NextInLine,
}

impl Execution {
    /// The run's small record: status, numbers, times.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The run as it was accepted.
    #[must_use]
    pub fn accepted(&self) -> &Accepted {
        &self.accepted
    }

    /// The compiled workflow it walks.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Whether the run has ended.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.meta.status.is_terminal()
    }

    /// Whether it only waits for time: a delay, or the pause before another attempt.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        let works = self.meta.jobs_pending > 0 || !self.ready.is_empty() || !self.shell.is_empty();
        !works && !self.is_unfinished() && !self.is_terminal()
    }

    /// Whether steps so far left something that follows from them: [`Input::Continue`] goes on with it. It may be committed in
    /// between; a run that is loaded then knows what is left.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        // What was stored may be all but the end itself.
        !self.agenda.is_empty() || self.root_remaining == 0 && !self.is_terminal()
    }

    /// Applies one input and says what follows from it, as far as one step goes.
    pub fn step(&mut self, input: Input, now: UnixMillis) -> Effects {
        // What follows waits its turn while something is left, and where the shell did a piece of work, which is one of many, in any
        // case: else many of them at once would make a long step after all.
        let follows = match input {
            Input::Continue => true,
            Input::Message(_) | Input::Cached(_) => !self.is_unfinished(),
            Input::Worked { .. } => false,
        };
        crate::handlers::handle(self, input, now);
        if follows {
            self.run_agenda(now);
        }
        self.take_effects()
    }

    /// Takes back what was asked of the shell and is not done yet: it is asked for again by [`Input::Continue`].
    pub fn take_back(&mut self, work: Vec<ShellWork>) {
        for ShellWork { key, .. } in work {
            if self.shell.remove(&key) {
                self.agenda.push_back(Agenda::Start(key));
            }
        }
    }

    pub(crate) fn run_agenda(&mut self, now: UnixMillis) {
        for _ in 0..self.settings.step_limit.max(1) {
            let Some(item) = self.agenda.pop_front() else { break };
            debug_assert!(!self.is_terminal(), "a run that ended has nothing left to look at");
            match item {
                Agenda::Start(key) => self.start(&key, now),
                Agenda::Settled(key) => self.follow_settled(&key),
                Agenda::LoopDone(opener) => self.follow_loop_done(&opener),
                Agenda::NextInLine => self.start_next_in_line(now),
            }
        }
        if self.agenda.is_empty() {
            // What was not used means nothing any more: its node is a job of its own, or none.
            self.answered.clear();
        }
        self.complete_if_done(now);
    }

    pub(crate) fn take_effects(&mut self) -> Effects {
        let mut effects = std::mem::take(&mut self.effects);
        effects.drop_abandoned();
        effects
    }
}
