//! Kinds: output ports of every node, upstream first, and whether what is wired to each input and setting fits.

use std::collections::BTreeMap;

use millrace_blocks::logic::sub_workflow;
use millrace_blocks::{OutputPort, Placed};
use millrace_contracts::definition::OnError;
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Kind};
use serde_json::Value;

use crate::codes;
use crate::draft::{Draft, DraftInput, DraftNode, Position, Reference, Role, Shape, Target};
use crate::inputs::parameter;
use crate::plan::ScopeIndex;
use crate::suggest::did_you_mean;

/// Checks every ordered node.
pub(crate) fn run(draft: &mut Draft<'_>) {
    for step in 0..draft.order.len() {
        let position = draft.order[step];
        if let Role::Exit { call } = draft.nodes[position].role {
            draft.nodes[position].outputs = given_by(draft, call);
            continue;
        }
        let found = Checker { draft, node: &draft.nodes[position], faults: Vec::new() }.check();
        let node = &mut draft.nodes[position];
        node.outputs = found.outputs;
        node.inputs.iter_mut().zip(found.wanted).for_each(|(input, kind)| input.kind = kind);
        draft.faults.0.extend(found.faults);
    }
}

/// The ports of a call: what the outputs inside it are given.
fn given_by(draft: &Draft<'_>, call: Position) -> Vec<OutputPort> {
    let Some(frame) = draft.inside(&draft.nodes[call]) else { return Vec::new() };
    let mut ports = Vec::new();
    for result in draft.results(call).iter().map(|&result| &draft.nodes[result]) {
        for input in &result.inputs {
            let name = frame.port_of_result(result.name, &input.port);
            ports.push(OutputPort::new(name, input.kind.clone(), ""));
        }
    }
    ports
}

struct Found {
    outputs: Vec<OutputPort>,
    /// What each input asks for, of the kinds its port takes.
    wanted: Vec<Kind>,
    faults: Vec<Fault>,
}

struct Checker<'c, 'a> {
    draft: &'c Draft<'a>,
    node: &'c DraftNode<'a>,
    faults: Vec<Fault>,
}

impl<'c> Checker<'c, '_> {
    fn check(mut self) -> Found {
        let node = self.node;
        let mut kinds = BTreeMap::new();
        let mut wanted = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            let have = self.kind_of(&input.shape);
            // An output inside a call hands on what it is given.
            wanted.push(if node.role == Role::Result { have.clone() } else { self.fit(input, &have) });
            kinds.insert(input.port.clone(), have);
        }
        self.settings();
        let outputs = match node.block {
            Some(block) => block.outputs_at(&Placed { config: &node.settings, inputs: &kinds }),
            None => Vec::new(),
        };
        self.fallback(&outputs);
        Found { outputs, wanted, faults: self.faults }
    }

    /// The kind of a value; faults in its selectors are noted and read as anything.
    fn kind_of(&mut self, shape: &'c Shape) -> Kind {
        match shape {
            Shape::Literal(value) => literal_kind(value),
            Shape::Select(reference) => self.selected(reference),
            Shape::Object(fields) => {
                for (_, shape) in fields {
                    self.kind_of(shape);
                }
                Kind::Object
            }
            Shape::List(items) => {
                let kinds = items.iter().map(|shape| self.kind_of(shape)).collect::<Vec<_>>();
                let same = kinds.iter().all(|kind| *kind == kinds[0]);
                Kind::list(if same { kinds.into_iter().next().unwrap_or(Kind::Any) } else { Kind::Any })
            }
        }
    }

    fn selected(&mut self, reference: &Reference) -> Kind {
        let source = self.node.node_of(&reference.target).map(|position| &self.draft.nodes[position]);
        let Some(source) = source.filter(|source| self.has_known_ports(source)) else { return Kind::Any };
        let port = match &reference.target {
            Target::All(_) => return Kind::Object,
            Target::Port(_, port) => source.outputs.iter().find(|output| output.name == port.as_str()),
            Target::Loop(port) => source.outputs.iter().find(|output| output.name == *port),
            Target::Input(_) => source.outputs.first(),
            Target::Broken => return Kind::Any,
        };
        if let Some(port) = port {
            return port.kind.clone();
        }
        self.unknown_port(reference, source);
        Kind::Any
    }

    fn has_known_ports(&self, node: &DraftNode<'_>) -> bool {
        match node.role {
            Role::Exit { call } => self.draft.inside(&self.draft.nodes[call]).is_some(),
            _ => node.block.is_some(),
        }
    }

    fn unknown_port(&mut self, reference: &Reference, source: &DraftNode<'_>) {
        let Target::Port(_, port) = &reference.target else { return };
        let block = source.block.map_or(sub_workflow::NAME, |block| block.name);
        let message = format!("`{}` ({block}) has no output port {port:?}", source.name);
        let mut fault = self.node.fault(codes::UNKNOWN_PORT, &reference.pointer, message);
        fault.hint = did_you_mean(port, source.outputs.iter().map(|output| output.name.as_ref()))
            .or_else(|| Some(format!("{block} gives nothing to other nodes")));
        self.faults.push(fault);
    }

    /// Checks one input; returns the kind it asks for.
    fn fit(&mut self, input: &DraftInput, have: &Kind) -> Kind {
        let fixed = self.node.block.and_then(|block| block.input(&input.port));
        let argument = self.draft.argument(self.node, &input.port);
        let kinds = match (fixed, argument) {
            (Some(port), _) => port.kinds.as_slice(),
            (None, Some(_)) => std::slice::from_ref(&input.kind),
            (None, None) => return input.kind.clone(),
        };
        if *have == Kind::Any && kinds.len() > 1 {
            return Kind::Any;
        }
        if let Shape::Literal(value) = &input.shape {
            if let Some(kind) = kinds.iter().find(|kind| literal_fits(value, kind)) {
                self.limits(input, argument, value);
                return kind.clone();
            }
        } else if let Some(kind) = kinds.iter().find(|wanted| have.fits(wanted)) {
            return kind.clone();
        }
        let fault = self.misfit((input, kinds), have);
        self.faults.push(fault);
        kinds[0].clone()
    }

    /// A value that is written out for an input of a called workflow, against the limits of that input.
    fn limits(&mut self, input: &DraftInput, argument: Option<&DraftNode<'_>>, value: &Value) {
        let Some(argument) = argument.filter(|argument| argument.is("parameter_input")) else { return };
        let settings = Value::Object(argument.settings.clone());
        let Ok(config) = serde_json::from_value(settings) else { return };
        if let Err(wrong) = parameter::accept(value.clone(), &config) {
            let pointer = format!("/inputs/{}{}", pointer_token(&input.port), wrong.below);
            let mut fault = self.node.fault(codes::INVALID_INPUT, &pointer, wrong.message);
            fault.hint = wrong.hint;
            self.faults.push(fault);
        }
    }

    fn misfit(&self, (input, wanted): (&DraftInput, &[Kind]), have: &Kind) -> Fault {
        let kinds = wanted.iter().map(Kind::to_string).collect::<Vec<_>>().join(" or ");
        let source = match &input.shape {
            Shape::Select(reference) => {
                self.node.node_of(&reference.target).map(|node| &self.draft.nodes[node])
            }
            _ => None,
        };
        let given = match (&input.shape, source) {
            (_, Some(source)) => format!("`{}` gives {have}", source.name),
            (Shape::Literal(_), None) => format!("this is {have}, written out"),
            _ => format!("this is {have}"),
        };
        let pointer = match &input.shape {
            Shape::Select(reference) => reference.pointer.clone(),
            _ => format!("/inputs/{}", pointer_token(&input.port)),
        };
        let message = format!("`{}` takes {kinds}, and {given}", input.port);
        let mut fault = self.node.fault(codes::KIND_MISMATCH, &pointer, message);
        fault.hint = Some(self.way_out(wanted, have, source));
        fault
    }

    fn way_out(&self, wanted: &[Kind], have: &Kind, source: Option<&DraftNode<'_>>) -> String {
        let name = self.node.name;
        let accepts = |have: &Kind| wanted.iter().any(|wanted| have.fits(wanted));
        if have.element().is_some_and(accepts) {
            return format!("put a for_each before `{name}` to run it once per item");
        }
        let wants_list_of_it = wanted.iter().filter_map(Kind::element).any(|element| have.fits(element));
        if wants_list_of_it && source.is_some_and(|source| source.scope != ScopeIndex::ROOT) {
            return format!("put a collect before `{name}` to make a list of the loop's items");
        }
        if wants_list_of_it && *have == Kind::Detections {
            return "detections are no list: a filter keeps some of them, and a crop gives a list of pictures, one for each"
                .to_owned();
        }
        if wants_list_of_it {
            return "put it in brackets to make a list of one, [\"$…\"], or wire a list".to_owned();
        }
        if let Some(source) = source {
            let fitting = source.outputs.iter().filter(|output| accepts(&output.kind));
            let names =
                fitting.map(|output| format!("$nodes.{}.{}", source.name, output.name)).collect::<Vec<_>>();
            if !names.is_empty() {
                return format!("did you mean {}?", names.join(" or "));
            }
        }
        format!("wire a {} to it", wanted[0])
    }

    /// Selectors inside the configuration, against the types of the block's schema.
    fn settings(&mut self) {
        let mut references = Vec::new();
        self.node.config.visit(&mut |reference| references.push(reference));
        for reference in references {
            let have = self.selected(reference);
            let Some(block) = self.node.block else { continue };
            let below = reference.pointer.strip_prefix("/config").unwrap_or_default();
            let Some(types) = types_at(&block.config, below) else { continue };
            if types.is_empty() || types.iter().any(|wanted| stands_for(&have, wanted)) {
                continue;
            }
            let message = format!("this setting takes {}, and is given {have}", types.join(" or "));
            let fault = self.node.fault(codes::KIND_MISMATCH, &reference.pointer, message);
            self.faults.push(fault.hint("wire a value of that kind, or write it out"));
        }
    }

    /// The ports of `on_error: {"default": …}`.
    fn fallback(&mut self, outputs: &[OutputPort]) {
        let Some(OnError::Default(values)) = self.node.policy.as_ref().map(|policy| &policy.on_error) else {
            return;
        };
        if self.node.block.is_none() {
            return;
        }
        for (name, value) in values {
            let pointer = format!("/on_error/default/{}", pointer_token(name));
            match outputs.iter().find(|output| output.name == name.as_str()) {
                Some(output) if value.is_null() || literal_fits(value, &output.kind) => {}
                Some(output) => {
                    let message =
                        format!("`{name}` gives {}, and this is {}", output.kind, literal_kind(value));
                    self.faults.push(self.node.fault(codes::KIND_MISMATCH, &pointer, message));
                }
                None => {
                    let message = format!("there is no output port {name:?}");
                    let mut fault = self.node.fault(codes::UNKNOWN_PORT, &pointer, message);
                    fault.hint = did_you_mean(name, outputs.iter().map(|output| output.name.as_ref()));
                    self.faults.push(fault);
                }
            }
        }
    }
}

/// The kind of a value that is written out.
pub(crate) fn literal_kind(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Any,
        Value::Bool(_) => Kind::Boolean,
        Value::Number(number) if number.is_f64() => Kind::Float,
        Value::Number(_) => Kind::Integer,
        Value::String(_) => Kind::String,
        Value::Array(items) => {
            let first = items.first().map_or(Kind::Any, literal_kind);
            let same = items.iter().all(|item| literal_kind(item) == first);
            Kind::list(if same { first } else { Kind::Any })
        }
        Value::Object(_) => Kind::Object,
    }
}

/// Whether a value that is written out may stand for a kind, as far as its JSON type goes.
pub(crate) fn literal_fits(value: &Value, wanted: &Kind) -> bool {
    match wanted {
        Kind::Any => true,
        Kind::String | Kind::Timestamp => value.is_string(),
        Kind::Integer => value.is_i64() || value.is_u64(),
        Kind::Float => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Classification | Kind::Segments => value.is_array() || value.is_object(),
        Kind::Embedding => value.as_array().is_some_and(|numbers| numbers.iter().all(Value::is_number)),
        Kind::List(inner) => {
            value.as_array().is_some_and(|items| items.iter().all(|item| literal_fits(item, inner)))
        }
        Kind::Image | Kind::Detections | Kind::Mask | Kind::Object | Kind::Document | Kind::Page => {
            value.is_object()
        }
    }
}

/// The JSON types a schema takes at a pointer; none when the schema says nothing about the place.
fn types_at<'s>(schema: &'s Value, pointer: &str) -> Option<Vec<&'s str>> {
    let mut schema = schema;
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let property = schema.get("properties").and_then(|properties| properties.get(&name));
        schema = property.or_else(|| schema.get("items"))?;
    }
    match schema.get("type")? {
        Value::String(one) => Some(vec![one]),
        Value::Array(many) => Some(many.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

/// Whether a value of this kind may have this JSON type.
fn stands_for(kind: &Kind, json_type: &str) -> bool {
    match kind {
        Kind::Any => true,
        Kind::String | Kind::Timestamp => json_type == "string",
        Kind::Integer => matches!(json_type, "integer" | "number"),
        Kind::Float => json_type == "number",
        Kind::Boolean => json_type == "boolean",
        Kind::List(_) | Kind::Embedding => json_type == "array",
        Kind::Classification | Kind::Segments => matches!(json_type, "array" | "object"),
        Kind::Image | Kind::Detections | Kind::Mask | Kind::Object | Kind::Document | Kind::Page => {
            json_type == "object"
        }
    }
}
