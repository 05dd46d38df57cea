//! A workflow on its way through the passes: nodes in document order, references by document position.

use std::collections::HashMap;

use millrace_blocks::{Block, Category, OutputPort};
use millrace_contracts::{Fault, Faults, Kind, NodeId};
use serde_json::{Map, Value};

use crate::logic::Logic;
use crate::plan::{NodePolicy, RunLimits, ScopeIndex};

/// A node's position in the definition's `nodes`.
pub(crate) type Position = usize;

/// Everything the passes find out.
#[derive(Debug, Default)]
pub(crate) struct Draft<'a> {
    pub(crate) name: String,
    pub(crate) limits: RunLimits,
    pub(crate) nodes: Vec<DraftNode<'a>>,
    /// The first node of each id.
    pub(crate) by_id: HashMap<&'a str, Position>,
    /// The nodes that are part of no cycle, upstream first.
    pub(crate) order: Vec<Position>,
    pub(crate) faults: Faults,
}

/// One node.
#[derive(Debug)]
pub(crate) struct DraftNode<'a> {
    pub(crate) position: Position,
    pub(crate) id: NodeId,
    /// Whether it is not even an object, which is reported already.
    pub(crate) absent: bool,
    /// The node's own JSON.
    pub(crate) source: &'a Map<String, Value>,
    /// None when its `type` means nothing; then no pass asks anything of its ports.
    pub(crate) block: Option<&'static Block>,
    pub(crate) policy: Option<NodePolicy>,
    /// Defaults filled in, dollars unescaped, selectors as their text.
    pub(crate) settings: Map<String, Value>,
    pub(crate) config: Shape,
    pub(crate) inputs: Vec<DraftInput>,
    /// The scope it runs in.
    pub(crate) scope: ScopeIndex,
    /// The scope its `item` and `index` are in, or which it closes.
    pub(crate) inner: Option<ScopeIndex>,
    /// Its output ports, once its inputs' kinds are known.
    pub(crate) outputs: Vec<OutputPort>,
    /// Its evaluation, for the blocks the orchestrator runs.
    pub(crate) logic: Option<Logic>,
    /// Where `$item` and `$index` in it lead.
    pub(crate) item_of: Option<Position>,
}

/// One wired input.
#[derive(Debug)]
pub(crate) struct DraftInput {
    pub(crate) port: String,
    pub(crate) shape: Shape,
    /// The kind the port asks for, once known.
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// A value with its selectors taken apart.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Literal(Value),
    Select(Reference),
    Object(Vec<(String, Shape)>),
    List(Vec<Shape>),
}

/// A selector and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) target: Target,
    /// JSON pointer below the node, such as `/inputs/image`.
    pub(crate) pointer: String,
}

/// What a selector leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// `$nodes.ID.PORT`.
    Port(Position, String),
    /// `$nodes.ID.*`.
    All(Position),
    /// `$inputs.NAME`: the input node's only port.
    Input(Position),
    /// `$item` or `$index`: that port of a loop found later.
    Loop(&'static str),
    /// A selector that is already reported.
    Broken,
}

impl Shape {
    /// Calls `each` with every selector inside, in document order. JSON depth is bounded before, so recursion is too.
    pub(crate) fn visit<'s>(&'s self, each: &mut impl FnMut(&'s Reference)) {
        match self {
            Self::Literal(_) => {}
            Self::Select(reference) => each(reference),
            Self::Object(fields) => fields.iter().for_each(|(_, shape)| shape.visit(each)),
            Self::List(items) => items.iter().for_each(|shape| shape.visit(each)),
        }
    }
}

impl<'a> DraftNode<'a> {
    /// Every selector of the node, its inputs' first.
    pub(crate) fn references(&self) -> Vec<&Reference> {
        let mut found = Vec::new();
        self.inputs.iter().for_each(|input| input.shape.visit(&mut |reference| found.push(reference)));
        self.config.visit(&mut |reference| found.push(reference));
        found
    }

    /// The nodes it reads from, with repetitions.
    pub(crate) fn upstream(&self) -> Vec<Position> {
        self.references().into_iter().filter_map(|reference| self.node_of(&reference.target)).collect()
    }

    /// The node a selector of this node leads to, as far as it is known.
    pub(crate) fn node_of(&self, target: &Target) -> Option<Position> {
        match target {
            Target::Port(node, _) | Target::All(node) | Target::Input(node) => Some(*node),
            Target::Loop(_) => self.item_of,
            Target::Broken => None,
        }
    }

    /// Whether it is an input node.
    pub(crate) fn is_input(&self) -> bool {
        self.block.is_some_and(|block| block.category == Category::Input)
    }

    /// Whether the node is of the block with this name.
    pub(crate) fn is(&self, block: &str) -> bool {
        self.block.is_some_and(|own| own.name == block)
    }

    /// A fault somewhere in the node; `below` is a JSON pointer inside it.
    pub(crate) fn fault(&self, code: &str, below: &str, message: impl Into<String>) -> Fault {
        Fault::new(code, format!("/nodes/{}{below}", self.position), message).on(&self.id)
    }
}
