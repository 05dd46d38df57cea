//! Lower: from a draft without faults to the plan, with nodes in topological order. Of a call, its entrance and its exit
//! become nodes; the inputs and outputs of the workflow inside are what these two are made of.

use millrace_blocks::outputs::api_response;
use millrace_blocks::{Block, Runner};
use millrace_contracts::Kind;
use millrace_contracts::definition::{CachePolicy, OnError, OnItemError, Retry};

use crate::draft::{Draft, DraftInput, DraftNode, Position, Role, Shape, Target};
use crate::inputs::InputSpec;
use crate::inputs::picture::is_made_of_images;
use crate::logic::Logic;
use crate::logic::enter::Entrance;
use crate::passes::chains;
use crate::passes::scopes::{DraftScope, LoopSettings};
use crate::plan::{
    Action, Input, NodeIndex, NodePolicy, Plan, PlanNode, Scope, ScopeIndex, Selector, Template, entrance_of,
};

/// Builds the plan of a draft that has no faults.
pub(crate) fn run(mut draft: Draft<'_>, scopes: Vec<DraftScope>) -> Plan {
    let running = draft.order.iter().copied().filter(|&position| draft.nodes[position].runs());
    let running = running.collect::<Vec<_>>();
    let mut index_of = vec![NodeIndex(0); draft.nodes.len()];
    for (index, &position) in running.iter().enumerate() {
        index_of[position] = NodeIndex(u32::try_from(index).expect("the number of nodes is bounded"));
    }
    // What stands for an input of a call is its entrance.
    for node in draft.nodes.iter().filter(|node| node.role == Role::Argument) {
        index_of[node.position] = index_of[node.gate.expect("an argument is inside a call")];
    }
    let sources = draft.nodes.iter().map(Source::of).collect::<Vec<_>>();
    let upstream = draft.nodes.iter().map(|node| upstream(&draft, node, &index_of)).collect::<Vec<_>>();
    let entrances = draft.nodes.iter().map(|node| entrance(&draft, node)).collect::<Vec<_>>();
    let lower = Lower { index_of: &index_of, sources: &sources };
    let scopes = lower.scopes(&draft, &running, scopes);
    let edges = draft.nodes.iter().map(|node| node.references().len()).sum();
    let mut nodes = Vec::with_capacity(running.len());
    let transforms = running.iter().map(|&position| is_transform(&draft.nodes[position])).collect::<Vec<_>>();
    let mut given = entrances;
    let mut waits = upstream;
    for &position in &running {
        let upstream = std::mem::take(&mut waits[position]);
        let node = match draft.nodes[position].role {
            Role::Exit { call } => lower.exit(&mut draft, position, call),
            _ => lower.node(&mut draft.nodes[position], given[position].take()),
        };
        nodes.push(PlanNode { upstream, ..node });
    }
    connect(&mut nodes);
    chains::run(&mut nodes, &transforms);
    let index =
        nodes.iter().enumerate().map(|(place, node)| (node.id.clone(), NodeIndex(place as u32))).collect();
    Plan { name: draft.name, nodes, scopes, index, edges, limits: draft.limits }
}

/// Whether its job may be one of several that go to a worker together. A limit on its time is on its own time.
fn is_transform(node: &DraftNode<'_>) -> bool {
    node.block.is_some_and(Block::is_transform_job)
        && node.policy.as_ref().is_some_and(|policy| policy.timeout_ms.is_none())
}

/// The distinct nodes of the plan that a node waits for.
fn upstream<'a>(draft: &Draft<'a>, node: &DraftNode<'a>, index_of: &[NodeIndex]) -> Vec<NodeIndex> {
    let mut found = Vec::new();
    for source in draft.upstream(node) {
        match draft.nodes[source].role {
            Role::Result => {
                found.extend(draft.upstream(&draft.nodes[source]).into_iter().map(|of| index_of[of]))
            }
            _ => found.push(index_of[source]),
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What the entrance of a call checks.
fn entrance<'a>(draft: &Draft<'a>, call: &DraftNode<'a>) -> Option<Entrance> {
    let frame = draft.inside(call)?;
    let mut arguments = frame.by_id.values().map(|&position| &draft.nodes[position]).collect::<Vec<_>>();
    arguments.retain(|node| node.role == Role::Argument);
    arguments.sort_unstable_by_key(|node| node.position);
    let inputs = arguments.iter().map(|node| InputSpec::of_argument(node)).collect::<Vec<_>>();
    let is_limited = |spec: &InputSpec| {
        let limits = |own: &millrace_blocks::inputs::parameter_input::Config| {
            own.min.is_some() || own.max.is_some() || own.choices.is_some()
        };
        spec.kind != Kind::Any || spec.parameter.as_ref().is_some_and(limits)
    };
    let reads = inputs.iter().any(is_limited);
    Some(Entrance { inputs, reads })
}

/// Notes downstream nodes from upstream ones.
fn connect(nodes: &mut [PlanNode]) {
    for place in 0..nodes.len() {
        let upstream = nodes[place].upstream.clone();
        upstream.iter().for_each(|source| nodes[source.0 as usize].downstream.push(NodeIndex(place as u32)));
    }
}

/// How selectors read from a node.
struct Source {
    /// The only port of an input node.
    port: &'static str,
    /// The input of a call that it stands for.
    argument: Option<String>,
}

impl Source {
    fn of(node: &DraftNode<'_>) -> Self {
        let argument = (node.role == Role::Argument).then(|| node.name.to_owned());
        Self { port: input_port(node), argument }
    }
}

struct Lower<'l> {
    /// By position.
    index_of: &'l [NodeIndex],
    /// By position.
    sources: &'l [Source],
}

impl Lower<'_> {
    fn node(&self, node: &mut DraftNode<'_>, entrance: Option<Entrance>) -> PlanNode {
        let block = node.block.expect("a draft without faults knows every block");
        let item_of = node.item_of;
        let inputs =
            std::mem::take(&mut node.inputs).into_iter().map(|input| self.input(input, item_of)).collect();
        let config = std::mem::replace(&mut node.config, Shape::List(Vec::new()));
        let (id, action) = match entrance {
            Some(entrance) => (entrance_of(&node.id), Action::Logic(Logic::Enter(entrance))),
            None => (node.id.clone(), action(node, block.runner)),
        };
        let mut policy = node.policy.take().expect("every node's policy was read");
        if !block.pure {
            policy.cache = CachePolicy::Off;
        }
        PlanNode {
            id,
            block: block.versioned(),
            action,
            scope: node.scope,
            inputs,
            config: self.template(config, item_of),
            upstream: Vec::new(),
            downstream: Vec::new(),
            next: None,
            gate: node.gate.map(|call| self.index_of[call]),
            policy,
        }
    }

    /// The end of a call, made of the outputs inside it.
    fn exit(&self, draft: &mut Draft<'_>, position: Position, call: Position) -> PlanNode {
        let mut inputs = Vec::new();
        let block = draft.nodes[call].block.expect("a call is of a known block");
        for result in draft.results(call).to_vec() {
            let (name, item_of) = (draft.nodes[result].name, draft.nodes[result].item_of);
            for input in std::mem::take(&mut draft.nodes[result].inputs) {
                let frame =
                    draft.inside(&draft.nodes[call]).expect("a call in a draft without faults is known");
                let port = frame.port_of_result(name, &input.port);
                inputs
                    .push(self.input(DraftInput { port, required: false, one_of: false, ..input }, item_of));
            }
        }
        let node = &draft.nodes[position];
        PlanNode {
            id: node.id.clone(),
            block: block.versioned(),
            action: Action::Return,
            scope: node.scope,
            inputs,
            config: Template::Literal(serde_json::Value::Object(serde_json::Map::new())),
            upstream: Vec::new(),
            downstream: Vec::new(),
            next: None,
            // It is skipped with the call itself, and so with what is around that.
            gate: Some(self.index_of[call]),
            policy: NodePolicy {
                retry: Retry::default(),
                timeout_ms: None,
                on_error: OnError::Fail,
                pool: crate::passes::policies::NO_POOL.into(),
                priority: None,
                cache: CachePolicy::Off,
            },
        }
    }

    fn input(&self, input: DraftInput, item_of: Option<Position>) -> Input {
        let DraftInput { port, shape, kind, required, one_of } = input;
        Input { port, required, one_of, kind, value: self.template(shape, item_of) }
    }

    fn template(&self, shape: Shape, item_of: Option<Position>) -> Template {
        match shape {
            Shape::Literal(value) => Template::Literal(value),
            Shape::Select(reference) => self.select(reference.target, item_of),
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

    fn select(&self, target: Target, item_of: Option<Position>) -> Template {
        let selector = match target {
            Target::Port(node, port) => Selector::Port(self.index_of[node], self.port_of(node, port)),
            Target::All(node) => match &self.sources[node].argument {
                // The only port of an input node.
                Some(argument) => {
                    let port = Selector::Port(self.index_of[node], argument.clone());
                    return Template::Object(vec![(
                        self.sources[node].port.to_owned(),
                        Template::Select(port),
                    )]);
                }
                None => Selector::All(self.index_of[node]),
            },
            Target::Loop(port) => {
                let opener = item_of.expect("a draft without faults knows every node's loop");
                Selector::Port(self.index_of[opener], port.to_owned())
            }
            Target::Input(node) => {
                Selector::Port(self.index_of[node], self.port_of(node, self.sources[node].port.to_owned()))
            }
            Target::Broken => unreachable!("a draft without faults has no broken selector"),
        };
        Template::Select(selector)
    }

    fn port_of(&self, node: Position, port: String) -> String {
        self.sources[node].argument.clone().unwrap_or(port)
    }

    fn scopes(&self, draft: &Draft<'_>, running: &[Position], scopes: Vec<DraftScope>) -> Vec<Scope> {
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
        for &position in running {
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
        Runner::Input => Action::Input {
            port: input_port(node),
            pictures: node.outputs.first().is_some_and(|port| is_made_of_images(&port.kind)),
        },
        Runner::Worker { model, .. } => Action::Job { model },
        Runner::Output if node.is(api_response::NAME) => Action::Respond,
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
