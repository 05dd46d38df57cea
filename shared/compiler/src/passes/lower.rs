//! Lower: from a draft without faults to the plan, with nodes in topological order.

use millrace_blocks::Runner;

use crate::draft::{Draft, DraftInput, DraftNode, Position, Shape, Target};
use crate::passes::scopes::{DraftScope, LoopSettings};
use crate::plan::{Action, Input, NodeIndex, Plan, PlanNode, Scope, ScopeIndex, Selector, Template};
use millrace_contracts::definition::OnItemError;

/// Builds the plan of a draft that has no faults.
pub(crate) fn run(mut draft: Draft<'_>, scopes: Vec<DraftScope>) -> Plan {
    let mut index_of = vec![NodeIndex(0); draft.nodes.len()];
    for (index, &position) in draft.order.iter().enumerate() {
        index_of[position] = NodeIndex(u32::try_from(index).expect("the number of nodes is bounded"));
    }
    let ports = draft.nodes.iter().map(input_port).collect::<Vec<_>>();
    let lower = Lower { index_of: &index_of, ports: &ports };
    let scopes = lower.scopes(&draft, scopes);
    let edges = draft.nodes.iter().map(|node| node.references().len()).sum();
    let mut nodes = Vec::with_capacity(draft.nodes.len());
    for &position in &draft.order {
        nodes.push(lower.node(&mut draft.nodes[position]));
    }
    connect(&mut nodes);
    let index =
        nodes.iter().enumerate().map(|(place, node)| (node.id.clone(), NodeIndex(place as u32))).collect();
    Plan { name: draft.name, nodes, scopes, index, edges, limits: draft.limits }
}

/// Notes downstream nodes from upstream ones.
fn connect(nodes: &mut [PlanNode]) {
    for place in 0..nodes.len() {
        let upstream = nodes[place].upstream.clone();
        upstream.iter().for_each(|source| nodes[source.0 as usize].downstream.push(NodeIndex(place as u32)));
    }
}

struct Lower<'l> {
    index_of: &'l [NodeIndex],
    /// The port of each input node, by position.
    ports: &'l [&'static str],
}

impl Lower<'_> {
    fn node(&self, node: &mut DraftNode<'_>) -> PlanNode {
        let block = node.block.expect("a draft without faults knows every block");
        let mut upstream =
            node.upstream().into_iter().map(|source| self.index_of[source]).collect::<Vec<_>>();
        upstream.sort_unstable();
        upstream.dedup();
        let item_of = node.item_of;
        let inputs =
            std::mem::take(&mut node.inputs).into_iter().map(|input| self.input(input, item_of)).collect();
        let config = std::mem::replace(&mut node.config, Shape::List(Vec::new()));
        PlanNode {
            id: node.id.clone(),
            block: block.versioned(),
            action: action(node, block.runner),
            scope: node.scope,
            inputs,
            config: self.template(config, item_of),
            upstream,
            downstream: Vec::new(),
            policy: node.policy.take().expect("every node's policy was read"),
        }
    }

    fn input(&self, input: DraftInput, item_of: Option<Position>) -> Input {
        let DraftInput { port, shape, kind, required } = input;
        Input { port, required, kind, value: self.template(shape, item_of) }
    }

    fn template(&self, shape: Shape, item_of: Option<Position>) -> Template {
        match shape {
            Shape::Literal(value) => Template::Literal(value),
            Shape::Select(reference) => Template::Select(self.selector(reference.target, item_of)),
            Shape::Object(fields) if fields.iter().all(|(_, field)| matches!(field, Shape::Literal(_))) => {
                let literal = |(name, field)| match field {
                    Shape::Literal(value) => (name, value),
                    _ => (name, serde_json::Value::Null),
                };
                Template::Literal(fields.into_iter().map(literal).collect())
            }
            Shape::Object(fields) => Template::Object(
                fields.into_iter().map(|(name, field)| (name, self.template(field, item_of))).collect(),
            ),
            Shape::List(items) => {
                Template::List(items.into_iter().map(|item| self.template(item, item_of)).collect())
            }
        }
    }

    fn selector(&self, target: Target, item_of: Option<Position>) -> Selector {
        match target {
            Target::Port(node, port) => Selector::Port(self.index_of[node], port),
            Target::All(node) => Selector::All(self.index_of[node]),
            Target::Loop(port) => {
                let opener = item_of.expect("a draft without faults knows every node's loop");
                Selector::Port(self.index_of[opener], port.to_owned())
            }
            Target::Input(node) => Selector::Port(self.index_of[node], self.ports[node].to_owned()),
            Target::Broken => unreachable!("a draft without faults has no broken selector"),
        }
    }

    fn scopes(&self, draft: &Draft<'_>, scopes: Vec<DraftScope>) -> Vec<Scope> {
        let lower = |scope: DraftScope| {
            let settings = scope.opener.map(|opener| LoopSettings::of(&draft.nodes[opener]));
            Scope {
                parent: scope.parent,
                opener: scope.opener.map(|opener| self.index_of[opener]),
                depth: scope.depth,
                members: Vec::new(),
                collectors: Vec::new(),
                max_parallel: settings.as_ref().map_or(u32::MAX, |settings| settings.max_parallel),
                on_item_error: settings.map_or(OnItemError::Fail, |settings| settings.on_item_error),
            }
        };
        let mut scopes = scopes.into_iter().map(lower).collect::<Vec<_>>();
        for &position in &draft.order {
            let node = &draft.nodes[position];
            scopes[node.scope.0 as usize].members.push(self.index_of[position]);
            if let Some(inner) = node.inner.filter(|_| node.is("collect")) {
                scopes[inner.0 as usize].collectors.push(self.index_of[position]);
            }
        }
        scopes
    }
}

fn action(node: &mut DraftNode<'_>, runner: Runner) -> Action {
    let inner = node.inner.unwrap_or(ScopeIndex::ROOT);
    match runner {
        Runner::Input => Action::Input { port: input_port(node) },
        Runner::Worker { model, .. } => Action::Job { model },
        Runner::Output => Action::Output,
        Runner::Orchestrator if node.is("for_each") => Action::ForEach(inner),
        Runner::Orchestrator if node.is("collect") => Action::Collect(inner),
        Runner::Orchestrator if node.is("delay") => Action::Delay,
        Runner::Orchestrator => {
            Action::Logic(node.logic.take().expect("a draft without faults has the logic of every node"))
        }
    }
}

/// The only port of an input node.
fn input_port(node: &DraftNode<'_>) -> &'static str {
    match node.outputs.first().map(|port| port.name.as_ref()) {
        Some("image") => "image",
        Some("images") => "images",
        _ => "value",
    }
}
