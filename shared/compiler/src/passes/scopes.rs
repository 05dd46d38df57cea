//! Scopes: which loop each node runs in. A node runs in the deepest scope it reads from, and all it reads from must lie
//! on one chain of loops; a `collect` runs outside the scope it closes.

use std::collections::HashMap;

use millrace_contracts::definition::OnItemError;
use millrace_contracts::{Fault, NodeId};
use serde::Deserialize;
use serde_json::Value;

use crate::codes;
use crate::draft::{Draft, DraftNode, FrameIndex, Position, Reference, Role, Target};
use crate::limits::MAX_LOOP_DEPTH;
use crate::passes::waits;
use crate::plan::ScopeIndex;

/// A scope as it is found; the root has no opener.
#[derive(Debug)]
pub(crate) struct DraftScope {
    pub(crate) parent: Option<ScopeIndex>,
    pub(crate) opener: Option<Position>,
    pub(crate) depth: usize,
}

/// Gives every ordered node its scope; returns the scopes, the root first.
pub(crate) fn run(draft: &mut Draft<'_>) -> Vec<DraftScope> {
    let mut scopes = Scopes {
        all: vec![DraftScope { parent: None, opener: None, depth: 0 }],
        ids: HashMap::new(),
        first_loops: HashMap::new(),
    };
    for node in draft.nodes.iter().filter(|node| node.is("for_each")) {
        scopes.first_loops.entry(node.frame).or_insert_with(|| node.name.to_owned());
    }
    let known = draft.faults.0.len();
    for step in 0..draft.order.len() {
        let position = draft.order[step];
        let mut faults = Vec::new();
        let placed = scopes.place(draft, position, &mut faults);
        let node = &mut draft.nodes[position];
        (node.scope, node.inner, node.item_of) = (placed.scope, placed.inner, placed.item_of);
        draft.faults.0.extend(faults);
    }
    if draft.faults.0.len() == known {
        waits::run(draft, &scopes.all);
    }
    scopes.all
}

#[derive(Debug, Default)]
struct Scopes {
    all: Vec<DraftScope>,
    /// Ids of openers, for messages.
    ids: HashMap<Position, NodeId>,
    /// The first `for_each` of each workflow, for hints.
    first_loops: HashMap<FrameIndex, String>,
}

struct Place {
    scope: ScopeIndex,
    inner: Option<ScopeIndex>,
    item_of: Option<Position>,
}

impl Scopes {
    fn place(&mut self, draft: &Draft<'_>, position: Position, faults: &mut Vec<Fault>) -> Place {
        let node = &draft.nodes[position];
        if let Role::Exit { call } = node.role {
            return Place { scope: draft.nodes[call].scope, inner: None, item_of: None };
        }
        // What is inside a call runs as often as the call.
        let floor = node.gate.map_or(ScopeIndex::ROOT, |call| draft.nodes[call].scope);
        let references = node.references();
        let deepest = self.deepest(draft, (node, floor), &references, faults);
        let item_of = self.settle_item(node, (&references, deepest, floor), faults);
        let deepest = item_of
            .and_then(|opener| draft.nodes[opener].inner)
            .map_or(deepest, |own| if self.depth(own) > self.depth(deepest) { own } else { deepest });
        if node.is("for_each") {
            let inner = self.open(node, deepest, faults);
            return Place { scope: deepest, inner: Some(inner), item_of };
        }
        if node.is("collect") {
            return Place {
                scope: self.close(node, (deepest, floor), faults),
                inner: Some(deepest),
                item_of,
            };
        }
        if node.block.is_some_and(|block| block.runner == millrace_blocks::Runner::Output) && deepest != floor
        {
            let opener = self.opener(deepest);
            let message = format!("an output inside the loop of `{opener}` would be given once per item");
            let hint = format!("put a collect before `{}`, and read its `items`", node.id);
            let pointer = self.first_inside(draft, (node, floor), &references);
            faults.push(node.fault(codes::OUTPUT_IN_LOOP, &pointer, message).hint(hint));
        }
        Place { scope: deepest, inner: None, item_of }
    }

    /// The deepest scope that the node reads from; no less deep than `floor`.
    fn deepest(
        &self,
        draft: &Draft<'_>,
        (node, floor): (&DraftNode<'_>, ScopeIndex),
        references: &[&Reference],
        faults: &mut Vec<Fault>,
    ) -> ScopeIndex {
        let mut deepest: Option<(ScopeIndex, Position)> = None;
        for reference in references {
            let Some(source) = node.node_of(&reference.target) else { continue };
            let scope = self.of_value(&draft.nodes[source]);
            let Some((current, from)) = deepest else {
                deepest = Some((scope, source));
                continue;
            };
            if self.encloses(current, scope) {
                deepest = Some((scope, source));
            } else if !self.encloses(scope, current) {
                let other = &draft.nodes[source].id;
                let message = format!(
                    "`{}` is inside the loop of `{}`, `{other}` inside the loop of `{}`: their items do not belong together",
                    draft.nodes[from].id,
                    self.opener(current),
                    self.opener(scope)
                );
                let hint = format!("put a collect before `{}` to take one of the two as a list", node.id);
                faults.push(node.fault(codes::SCOPE_MISMATCH, &reference.pointer, message).hint(hint));
            }
        }
        deepest.map_or(floor, |(scope, _)| scope)
    }

    /// The loop that `$item` and `$index` of the node mean.
    fn settle_item(
        &self,
        node: &DraftNode<'_>,
        (references, deepest, floor): (&[&Reference], ScopeIndex, ScopeIndex),
        faults: &mut Vec<Fault>,
    ) -> Option<Position> {
        let uses = references.iter().find(|reference| matches!(reference.target, Target::Loop(_)))?;
        if node.item_of.is_some() {
            return node.item_of;
        }
        // The loops around a call are none of its workflow's.
        if let Some(opener) = self.all[deepest.0 as usize].opener.filter(|_| deepest != floor) {
            return Some(opener);
        }
        let Some(example) = self.first_loops.get(&node.frame) else {
            let fault =
                node.fault(codes::ITEM_OUTSIDE_LOOP, &uses.pointer, "there is no for_each in this workflow");
            faults.push(fault.hint("add a for_each over the list, or name the port: $nodes.ID.PORT"));
            return None;
        };
        let message = "there are several loops, and nothing else here tells which one is meant";
        let hint = format!("name the loop: $nodes.{example}.item or $nodes.{example}.index");
        faults.push(node.fault(codes::AMBIGUOUS_ITEM, &uses.pointer, message).hint(hint));
        None
    }

    fn open(&mut self, node: &DraftNode<'_>, outer: ScopeIndex, faults: &mut Vec<Fault>) -> ScopeIndex {
        let depth = self.depth(outer) + 1;
        if depth > MAX_LOOP_DEPTH {
            let message = format!("{depth} loops inside each other, and there may be {MAX_LOOP_DEPTH}");
            faults.push(node.fault(codes::LOOPS_TOO_DEEP, "", message).hint("collect an outer loop first"));
            // Stay shallow: walks up the chain of scopes are taken to be short.
            return outer;
        }
        self.ids.insert(node.position, node.id.clone());
        self.all.push(DraftScope { parent: Some(outer), opener: Some(node.position), depth });
        ScopeIndex(u32::try_from(self.all.len() - 1).expect("there are fewer scopes than nodes"))
    }

    fn close(
        &self,
        node: &DraftNode<'_>,
        (inner, floor): (ScopeIndex, ScopeIndex),
        faults: &mut Vec<Fault>,
    ) -> ScopeIndex {
        if let Some(outer) = self.all[inner.0 as usize].parent.filter(|_| inner != floor) {
            return outer;
        }
        // A missing or broken input is reported already.
        let reads = node.references().iter().all(|reference| reference.target != Target::Broken);
        if reads && !node.inputs.is_empty() {
            let fault = node.fault(
                codes::COLLECT_OUTSIDE_LOOP,
                "/inputs/item",
                "what it collects is outside every loop",
            );
            faults.push(
                fault.hint(
                    "wire something that depends on a for_each's `item` to it, or leave the collect out",
                ),
            );
        }
        floor
    }

    /// The scope in which a node's ports have a value each.
    fn of_value(&self, node: &DraftNode<'_>) -> ScopeIndex {
        if node.is("for_each") { node.inner.unwrap_or(node.scope) } else { node.scope }
    }

    fn first_inside(
        &self,
        draft: &Draft<'_>,
        (node, floor): (&DraftNode<'_>, ScopeIndex),
        references: &[&Reference],
    ) -> String {
        let inside = references.iter().find(|reference| {
            let source = node.node_of(&reference.target);
            source.is_some_and(|source| self.of_value(&draft.nodes[source]) != floor)
        });
        inside.map_or(String::new(), |reference| reference.pointer.clone())
    }

    fn depth(&self, scope: ScopeIndex) -> usize {
        self.all[scope.0 as usize].depth
    }

    /// Whether `outer` is `inner` or one of the scopes around it.
    fn encloses(&self, outer: ScopeIndex, inner: ScopeIndex) -> bool {
        let mut scope = Some(inner);
        while let Some(current) = scope {
            if current == outer {
                return true;
            }
            scope = self.all[current.0 as usize].parent;
        }
        false
    }

    fn opener(&self, scope: ScopeIndex) -> String {
        let opener = self.all[scope.0 as usize].opener;
        opener.and_then(|position| self.ids.get(&position)).map(NodeId::to_string).unwrap_or_default()
    }
}

/// A `for_each`'s own settings, which are literal by the time they are read.
#[derive(Debug)]
pub(crate) struct LoopSettings {
    pub(crate) max_parallel: u32,
    pub(crate) on_item_error: OnItemError,
}

impl LoopSettings {
    /// Reads them from a checked configuration.
    pub(crate) fn of(node: &DraftNode<'_>) -> Self {
        let number = node.settings.get("max_parallel").and_then(Value::as_u64);
        let policy =
            node.settings.get("on_item_error").and_then(|value| OnItemError::deserialize(value).ok());
        Self {
            max_parallel: number.and_then(|number| u32::try_from(number).ok()).unwrap_or(1),
            on_item_error: policy.unwrap_or_default(),
        }
    }
}
