//! A workflow on its way through the passes: nodes in document order, those of called workflows behind them; references
//! by position.

use std::collections::HashMap;
use std::sync::Arc;

use millrace_blocks::{Block, Category, OutputPort};
use millrace_contracts::{Fault, Faults, Kind, NodeId};
use serde_json::{Map, Value};

use crate::logic::Logic;
use crate::plan::{NodePolicy, RunLimits, ScopeIndex};

/// A node's position in [`Draft::nodes`]; for nodes of the definition itself, that in its `nodes`.
pub(crate) type Position = usize;

/// Position of a frame in [`Draft::frames`]; the definition's own is 0.
pub(crate) type FrameIndex = usize;

/// Everything the passes find out.
#[derive(Debug, Default)]
pub(crate) struct Draft<'a> {
    pub(crate) name: String,
    pub(crate) limits: RunLimits,
    /// Nodes of the definition that another draft has, and that count too.
    pub(crate) taken: usize,
    pub(crate) nodes: Vec<DraftNode<'a>>,
    /// The definition's own, then one per call.
    pub(crate) frames: Vec<Frame<'a>>,
    /// The nodes that are part of no cycle, upstream first.
    pub(crate) order: Vec<Position>,
    pub(crate) faults: Faults,
}

/// The nodes of one workflow where it is used: the names that its selectors mean.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    /// Where its workflow stands in the definition, as a JSON pointer.
    pub(crate) pointer: Arc<str>,
    /// The first node of each id.
    pub(crate) by_id: HashMap<&'a str, Position>,
    /// The call whose inside it is; none for the definition's own.
    pub(crate) call: Option<Position>,
    /// Its `json_output`s inside a call: what the call gives.
    pub(crate) results: Vec<Position>,
    /// The `workflows` that its calls may name, the nearest last, each with its pointer.
    pub(crate) libraries: Vec<(&'a Map<String, Value>, Arc<str>)>,
    /// The calls around it, outermost first: the workflow of each, and its name without a version.
    pub(crate) chain: Vec<(&'a Value, &'a str)>,
}

impl Frame<'_> {
    /// The port of the call that gives `port` of the result with this id: the port's own name where there is one result
    /// only, `<id>.<port>` where there are several.
    pub(crate) fn port_of_result(&self, id: &str, port: &str) -> String {
        if self.results.len() == 1 { port.to_owned() } else { format!("{id}.{port}") }
    }
}

/// What a node stands for when it has to do with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing special: it runs.
    Plain,
    /// A `sub_workflow`: takes the inputs. `inside` is none when its workflow is not known.
    Call { exit: Position, inside: Option<FrameIndex> },
    /// The other end of a call, which gives its outputs. It is called as the call is.
    Exit { call: Position },
    /// An input node inside a call: stands for the call's input of its name, and does not run.
    Argument,
    /// A `json_output` inside a call: stands for outputs of the call, and does not run.
    Result,
}

/// One node.
#[derive(Debug)]
pub(crate) struct DraftNode<'a> {
    pub(crate) position: Position,
    /// Its id in the run: behind those of the calls around it, `call/detect`.
    pub(crate) id: NodeId,
    /// Its id in its own workflow.
    pub(crate) name: &'a str,
    /// The JSON pointer to it.
    pub(crate) pointer: Arc<str>,
    pub(crate) frame: FrameIndex,
    /// The call around it: it waits for that, and is skipped with it.
    pub(crate) gate: Option<Position>,
    pub(crate) role: Role,
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
    /// Whether it is one of those of which the node needs one.
    pub(crate) one_of: bool,
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

impl<'a> Draft<'a> {
    /// The nodes that a node waits for, with repetitions.
    pub(crate) fn upstream(&self, node: &DraftNode<'a>) -> Vec<Position> {
        match node.role {
            Role::Exit { call } => self.results(call).iter().copied().chain([call]).collect(),
            _ => node.upstream(),
        }
    }

    /// The `json_output`s inside a call.
    pub(crate) fn results(&self, call: Position) -> &[Position] {
        match self.nodes[call].role {
            Role::Call { inside: Some(frame), .. } => &self.frames[frame].results,
            _ => &[],
        }
    }

    /// The input node inside `call` that its input `port` is for.
    pub(crate) fn argument(&self, call: &DraftNode<'a>, port: &str) -> Option<&DraftNode<'a>> {
        let Role::Call { inside: Some(frame), .. } = call.role else { return None };
        let position = *self.frames[frame].by_id.get(port)?;
        Some(&self.nodes[position]).filter(|node| node.role == Role::Argument)
    }

    /// The frame inside a call whose workflow is known.
    pub(crate) fn inside(&self, node: &DraftNode<'a>) -> Option<&Frame<'a>> {
        match node.role {
            Role::Call { inside: Some(frame), .. } => Some(&self.frames[frame]),
            _ => None,
        }
    }
}

impl<'a> DraftNode<'a> {
    /// Whether it is a `sub_workflow`.
    pub(crate) fn is_call(&self) -> bool {
        matches!(self.role, Role::Call { .. })
    }

    /// Whether there is a node of the plan for it.
    pub(crate) fn runs(&self) -> bool {
        !matches!(self.role, Role::Argument | Role::Result)
    }

    /// Every selector of the node, its inputs' first.
    pub(crate) fn references(&self) -> Vec<&Reference> {
        let mut found = Vec::new();
        self.inputs.iter().for_each(|input| input.shape.visit(&mut |reference| found.push(reference)));
        self.config.visit(&mut |reference| found.push(reference));
        found
    }

    /// The nodes it waits for, with repetitions. An exit waits for more: see [`Draft::upstream`].
    fn upstream(&self) -> Vec<Position> {
        let read = self.references().into_iter().filter_map(|reference| self.node_of(&reference.target));
        read.chain(self.gate).collect()
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
        Fault::new(code, format!("{}{below}", self.pointer), message).on(&self.id)
    }
}
