//! The compiled workflow: what the engine walks. Nodes are in topological order and refer to each other by index.

use std::collections::HashMap;

use millrace_blocks::settings;
use millrace_contracts::definition::{CachePolicy, OnError, OnItemError, Retry};
use millrace_contracts::job::Priority;
use millrace_contracts::values::ValueRef;
use millrace_contracts::{JobError, Kind, NodeId, Pool};
use serde_json::{Map, Value};

use crate::logic::Logic;

/// Position of a node in [`Plan::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeIndex(pub u32);

/// Position of a scope in [`Plan::scopes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeIndex(pub u32);

impl ScopeIndex {
    /// The scope of everything outside loops.
    pub const ROOT: Self = Self(0);
}

/// A definition that compiled. It cannot fail for structural reasons any more.
#[derive(Debug)]
pub struct Plan {
    /// The workflow's name.
    pub name: String,
    /// Every node, upstream before downstream.
    pub nodes: Vec<PlanNode>,
    /// The root scope, then one per `for_each`, outer before inner.
    pub scopes: Vec<Scope>,
    /// Position of each node by id.
    pub index: HashMap<NodeId, NodeIndex>,
    /// Selectors in all.
    pub edges: usize,
    /// Limits of a run as a whole.
    pub limits: RunLimits,
}

/// The id of the node that takes the inputs of the call `call`; the one that gives its outputs has the call's own id.
#[must_use]
pub fn entrance_of(call: &NodeId) -> NodeId {
    NodeId::from(format!("{call}/@in"))
}

/// Limits of a run as a whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunLimits {
    /// Ends the run after so long.
    pub timeout_ms: Option<u64>,
    /// Jobs of the run that may be queued or running at once.
    pub max_concurrency: Option<u32>,
    /// Turns its runs get where other workflows get one, 1 to 16; 1 when none is given.
    pub weight: Option<u8>,
}

/// One `for_each` and what runs inside it; or the root, which has no opener.
#[derive(Debug)]
pub struct Scope {
    /// The enclosing scope; none for the root.
    pub parent: Option<ScopeIndex>,
    /// The `for_each` that opens it; none for the root.
    pub opener: Option<NodeIndex>,
    /// How many loops deep: 0 for the root.
    pub depth: usize,
    /// The nodes directly inside, in topological order.
    pub members: Vec<NodeIndex>,
    /// The `collect` nodes that close it; they are members of the parent.
    pub collectors: Vec<NodeIndex>,
    /// Items under way at once.
    pub max_parallel: u32,
    /// What a failed item means.
    pub on_item_error: OnItemError,
}

/// A node, ready to run.
#[derive(Debug)]
pub struct PlanNode {
    /// Its id in the definition; inside a call, behind the call's: `count/detect`.
    pub id: NodeId,
    /// Block type with its version, `detection@1`.
    pub block: String,
    /// Who runs it, and how.
    pub action: Action,
    /// The scope it runs in.
    pub scope: ScopeIndex,
    /// Input ports.
    pub inputs: Vec<Input>,
    /// Configuration with defaults filled in and selectors still in place.
    pub config: Template,
    /// Distinct nodes it reads from, for readiness. For a `collect` these include the nodes inside the scope it closes.
    pub upstream: Vec<NodeIndex>,
    /// Distinct nodes that read from it.
    pub downstream: Vec<NodeIndex>,
    /// The node whose job may go to a worker together with this one's: it reads from this one, and whoever else does waits
    /// for it as well.
    pub next: Option<NodeIndex>,
    /// The call it is inside of, as the node that takes the call's inputs: unless that completes, this one is skipped.
    pub gate: Option<NodeIndex>,
    /// Retry, timeout, error and placement policy.
    pub policy: NodePolicy,
}

/// One input port of a node.
#[derive(Debug)]
pub struct Input {
    /// The port's name.
    pub port: String,
    /// Whether a skipped source skips the node; an optional port reads null.
    pub required: bool,
    /// Whether it is one of those of which the node needs one: it can do without each of them, but not without all.
    pub one_of: bool,
    /// The kind the block asks for.
    pub kind: Kind,
    /// What it reads.
    pub value: Template,
}

/// Who runs a node.
#[derive(Debug)]
pub enum Action {
    /// The run's input of the node's own name, checked and defaulted at the door.
    Input {
        /// The port the value appears on: `image`, `images` or `value`.
        port: &'static str,
        /// Whether it is made of pictures: those by URL are fetched by a job first.
        pictures: bool,
    },
    /// Decided inside the orchestrator by a pure function.
    Logic(Logic),
    /// Opens this scope.
    ForEach(ScopeIndex),
    /// Closes this scope.
    Collect(ScopeIndex),
    /// Passes its value on after a time.
    Delay,
    /// A job for a worker.
    Job {
        /// Whether `config.model_id` and `config.model_source` name a model whose queue it goes to.
        model: bool,
    },
    /// Its inputs become `outputs.<node id>` of the run.
    Output,
    /// The same; and a request that waits for the run is answered with them.
    Respond,
    /// The end of a call: its inputs become its ports. One whose source was skipped is skipped itself; so is the node when
    /// all are.
    Return,
}

/// A node's policies.
#[derive(Debug, Clone)]
pub struct NodePolicy {
    /// How often and how patiently.
    pub retry: Retry,
    /// Each attempt may take so long.
    pub timeout_ms: Option<u64>,
    /// What its final failure means.
    pub on_error: OnError,
    /// Which workers.
    pub pool: Pool,
    /// How urgent; the run's priority when none.
    pub priority: Option<Priority>,
    /// Whether results are reused: never where the block is not pure.
    pub cache: CachePolicy,
}

/// A value that may contain selectors.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// No selector inside.
    Literal(Value),
    /// A selector.
    Select(Selector),
    /// An object with a selector somewhere inside.
    Object(Vec<(String, Template)>),
    /// A list with a selector somewhere inside.
    List(Vec<Template>),
}

/// A compiled selector.
#[derive(Debug, Clone, PartialEq)]
pub enum Selector {
    /// An output port of a node: `$nodes.ID.PORT`, and `$inputs.NAME` as the input node's port.
    Port(NodeIndex, String),
    /// All output ports of a node as an object: `$nodes.ID.*`.
    All(NodeIndex),
}

impl PlanNode {
    /// Whether the node can do without the inputs `skipped`, none of which is required by itself.
    #[must_use]
    pub fn does_without(&self, skipped: &[&str]) -> bool {
        let mut one_of = self.inputs.iter().filter(|input| input.one_of).peekable();
        one_of.peek().is_none() || one_of.any(|input| !skipped.contains(&input.port.as_str()))
    }

    /// Checks the node's configuration, its selectors resolved, as the compiler checked what is written out. Where part of it
    /// is stored apart, whoever resolves that checks it.
    ///
    /// # Errors
    /// `INVALID_CONFIG`, with the place in the node.
    pub fn check_config(&self, config: &Map<String, Value>) -> Result<(), JobError> {
        let is_apart = |value: &Value| !ValueRef::all_in(value).is_empty();
        if matches!(self.config, Template::Literal(_)) || config.values().any(is_apart) {
            return Ok(());
        }
        settings::check(&self.block, config, self.inputs.iter().map(|input| input.port.as_str()))
    }
}

impl Template {
    /// Every selector inside, in document order.
    #[must_use]
    pub fn selectors(&self) -> Vec<&Selector> {
        let mut found = Vec::new();
        self.visit(&mut |selector| found.push(selector));
        found
    }

    fn visit<'a>(&'a self, each: &mut impl FnMut(&'a Selector)) {
        match self {
            Self::Literal(_) => {}
            Self::Select(selector) => each(selector),
            Self::Object(fields) => fields.iter().for_each(|(_, value)| value.visit(each)),
            Self::List(items) => items.iter().for_each(|item| item.visit(each)),
        }
    }
}

impl Selector {
    /// The node it reads from.
    #[must_use]
    pub fn node(&self) -> NodeIndex {
        match self {
            Self::Port(node, _) | Self::All(node) => *node,
        }
    }
}

impl Plan {
    /// The node at `index`.
    #[must_use]
    pub fn node(&self, index: NodeIndex) -> &PlanNode {
        &self.nodes[index.0 as usize]
    }

    /// The scope at `index`.
    #[must_use]
    pub fn scope(&self, index: ScopeIndex) -> &Scope {
        &self.scopes[index.0 as usize]
    }

    /// The node with this id.
    #[must_use]
    pub fn find(&self, id: &NodeId) -> Option<NodeIndex> {
        self.index.get(id).copied()
    }

    /// The nodes that answer a request which waits for the run. At most one of them completes: the compiler saw to that.
    pub fn responses(&self) -> impl Iterator<Item = &NodeId> {
        let responds = |node: &&PlanNode| matches!(node.action, Action::Respond);
        self.nodes.iter().filter(responds).map(|node| &node.id)
    }

    /// Every node with its index, upstream before downstream.
    pub fn iter(&self) -> impl Iterator<Item = (NodeIndex, &PlanNode)> {
        self.nodes.iter().enumerate().map(|(position, node)| (NodeIndex(position as u32), node))
    }
}
