//! Selectors: every string that begins with `$`, anywhere inside `inputs` and `config`, taken apart and resolved to a
//! node. Which port it means is checked later, when kinds are known.

use std::cell::Cell;

use millrace_blocks::ports::is_selector;
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Faults, Kind};
use serde_json::{Map, Value};

use crate::codes;
use crate::draft::{Draft, DraftNode, Frame, FrameIndex, Position, Reference, Role, Shape, Target};
use crate::passes::parse::is_name;
use crate::suggest::did_you_mean;

/// Takes every node's inputs and config apart; `draft.nodes[_].settings` gets its defaults here.
pub(crate) fn run(draft: &mut Draft<'_>) {
    let mut nodes = std::mem::take(&mut draft.nodes);
    let known = Known { frames: &draft.frames, nodes: listed(&nodes), hints_left: Cell::new(MAX_HINTS) };
    for node in &mut nodes {
        if matches!(node.role, Role::Exit { .. }) {
            continue;
        }
        let mut reader = Reader { known: &known, node, faults: Faults::default() };
        let inputs = reader.inputs();
        let config = reader.config();
        let faults = reader.faults;
        node.inputs.iter_mut().zip(inputs).for_each(|(input, shape)| input.shape = shape);
        if let Some((settings, config)) = config {
            (node.settings, node.config) = (settings, config);
        }
        draft.faults.0.extend(faults.0);
    }
    draft.nodes = nodes;
    infer_lists(draft);
    settle_single_loop(draft);
}

/// What selectors are resolved against.
struct Known<'k, 'a> {
    frames: &'k [Frame<'a>],
    /// By position.
    nodes: Vec<Listed<'a>>,
    hints_left: Cell<usize>,
}

/// A node, as far as selectors ask.
struct Listed<'a> {
    name: &'a str,
    frame: FrameIndex,
    /// Whether it is an input (a node of an unknown block may be one).
    is_input: bool,
    role: Role,
}

/// Comparing a wrong id with a thousand others takes a while: a definition with many wrong ones gets so many hints.
const MAX_HINTS: usize = 200;

fn listed<'a>(nodes: &[DraftNode<'a>]) -> Vec<Listed<'a>> {
    let list = |node: &DraftNode<'a>| Listed {
        name: node.name,
        frame: node.frame,
        is_input: node.block.is_none() && node.role == Role::Plain || node.is_input(),
        role: node.role,
    };
    nodes.iter().map(list).collect()
}

impl Known<'_, '_> {
    /// A hint for an id that no node of the frame has, or no input node.
    fn hint(&self, frame: FrameIndex, id: &str, inputs_only: bool) -> Option<String> {
        let left = self.hints_left.get().checked_sub(1)?;
        self.hints_left.set(left);
        let wanted = |node: &&Listed<'_>| {
            let is_exit = matches!(node.role, Role::Exit { .. });
            node.frame == frame && !is_exit && (node.is_input || !inputs_only)
        };
        did_you_mean(id, self.nodes.iter().filter(wanted).map(|node| node.name))
    }

    /// The frame inside the call at `position`, if it is one whose workflow is known.
    fn inside(&self, position: Position) -> Option<&Frame<'_>> {
        match self.nodes[position].role {
            Role::Call { inside, .. } => inside.map(|frame| &self.frames[frame]),
            _ => None,
        }
    }

    /// Where the node's ports are: those of a call are at its exit.
    fn ports_of(&self, position: Position) -> Position {
        match self.nodes[position].role {
            Role::Call { exit, .. } => exit,
            _ => position,
        }
    }
}

struct Reader<'r, 'k, 'a> {
    known: &'r Known<'k, 'a>,
    node: &'r DraftNode<'a>,
    faults: Faults,
}

impl Reader<'_, '_, '_> {
    fn inputs(&mut self) -> Vec<Shape> {
        let node = self.node;
        let read = |input: &crate::draft::DraftInput| {
            let Shape::Literal(value) = &input.shape else { return input.shape.clone() };
            self.shape(value, &mut format!("/inputs/{}", pointer_token(&input.port)))
        };
        node.inputs.iter().map(read).collect()
    }

    fn config(&mut self) -> Option<(Map<String, Value>, Shape)> {
        let block = self.node.block?;
        let mut settings = match self.node.source.get("config") {
            Some(Value::Object(config)) => config.clone(),
            _ => Map::new(),
        };
        block.settle_numbers(&mut settings);
        // Expressions are no place for selectors, and may well begin with a dollar by mistake: theirs to report.
        let is_expression = |field: &str| block.expressions.iter().any(|own| own.field == field);
        let before = self.faults.0.len();
        let mut fields = Vec::with_capacity(settings.len());
        for (field, value) in &settings {
            let shape = if is_expression(field) {
                Shape::Literal(value.clone())
            } else {
                self.shape(value, &mut format!("/config/{}", pointer_token(field)))
            };
            fields.push((field.clone(), shape));
        }
        if self.node.is_input() && self.faults.0.len() == before {
            self.refuse_selectors(&fields);
        }
        for (field, shape) in &fields {
            if let Some(value) = settings.get_mut(field) {
                *value = as_text(shape, value);
            }
        }
        block.fill_defaults(&mut settings);
        let given = fields.len();
        let defaults = settings.iter().skip(given);
        fields.extend(defaults.map(|(field, value)| (field.clone(), Shape::Literal(value.clone()))));
        Some((settings, Shape::Object(fields)))
    }

    /// An input node has to be known before there is a run to select from.
    fn refuse_selectors(&mut self, fields: &[(String, Shape)]) {
        for (_, shape) in fields {
            let mut found = Vec::new();
            shape.visit(&mut |reference| found.push(reference.pointer.clone()));
            for pointer in found {
                let fault = self.node.fault(
                    codes::SELECTOR_NOT_ALLOWED,
                    &pointer,
                    "an input node cannot read from others",
                );
                self.faults.push(fault.hint("write the value out; $$ writes a literal dollar"));
            }
        }
    }

    /// JSON depth is bounded before, so this recursion is too.
    fn shape(&mut self, value: &Value, pointer: &mut String) -> Shape {
        let length = pointer.len();
        let shape = match value {
            Value::String(text) if is_selector(text) => self.select(text, pointer),
            Value::String(text) if text.starts_with("$$") => Shape::Literal(Value::from(&text[1..])),
            Value::Object(fields) => {
                let each = |(name, value): (&String, &Value)| {
                    pointer.truncate(length);
                    pointer.push('/');
                    pointer.push_str(&pointer_token(name));
                    (name.clone(), self.shape(value, pointer))
                };
                merge_object(fields.iter().map(each).collect())
            }
            Value::Array(items) => {
                let each = |(position, value): (usize, &Value)| {
                    pointer.truncate(length);
                    pointer.push('/');
                    pointer.push_str(&position.to_string());
                    self.shape(value, pointer)
                };
                merge_list(items.iter().enumerate().map(each).collect())
            }
            other => Shape::Literal(other.clone()),
        };
        pointer.truncate(length);
        shape
    }

    fn select(&mut self, text: &str, pointer: &str) -> Shape {
        let target = self.target(text, pointer).unwrap_or_else(|fault| {
            self.faults.push(*fault);
            Target::Broken
        });
        Shape::Select(Reference { target, pointer: pointer.to_owned() })
    }

    fn target(&self, text: &str, pointer: &str) -> Result<Target, Box<Fault>> {
        let body = &text[1..];
        match body {
            "item" => return Ok(Target::Loop("item")),
            "index" => return Ok(Target::Loop("index")),
            _ => {}
        }
        let parts = body.split('.').collect::<Vec<_>>();
        match parts.as_slice() {
            ["inputs", name] if is_name(name) => self.input(name, pointer).map(Target::Input),
            ["nodes" | "steps", id, "*"] if is_name(id) => {
                self.find(id, pointer).map(|node| Target::All(self.known.ports_of(node)))
            }
            ["nodes" | "steps", id, port] if is_name(id) && is_name(port) => {
                let node = self.find(id, pointer)?;
                Ok(Target::Port(self.known.ports_of(node), (*port).to_owned()))
            }
            ["nodes" | "steps", id, result, port]
                if is_name(id) && is_name(result) && is_name(port) && self.is_call(id) =>
            {
                let call = self.find(id, pointer)?;
                let port = match self.known.inside(call) {
                    Some(frame)
                        if frame.results.iter().any(|result_| self.known.nodes[*result_].name == *result) =>
                    {
                        frame.port_of_result(result, port)
                    }
                    _ => format!("{result}.{port}"),
                };
                Ok(Target::Port(self.known.ports_of(call), port))
            }
            _ => Err(Box::new(self.malformed(text, &parts, pointer))),
        }
    }

    fn malformed(&self, text: &str, parts: &[&str], pointer: &str) -> Fault {
        let shown = text.chars().take(80).collect::<String>();
        let hint = match parts {
            ["item" | "index", ..] => {
                "$item and $index have nothing below them: read fields in an expression (filter, map, condition)".to_owned()
            }
            ["nodes" | "steps", id] => format!("name a port: $nodes.{id}.PORT, or $nodes.{id}.* for all of them"),
            ["nodes" | "steps", id, port, ..] if is_name(id) && is_name(port) => {
                format!("a selector ends at the port: $nodes.{id}.{port}; read fields of it in an expression")
            }
            ["inputs", name, ..] if is_name(name) => format!("write $inputs.{name}, with nothing behind the name"),
            _ => "write $inputs.NAME, $nodes.ID.PORT, $nodes.ID.*, $item or $index; $$ writes a literal dollar"
                .to_owned(),
        };
        self.node.fault(codes::INVALID_SELECTOR, pointer, format!("{shown:?} is not a selector")).hint(hint)
    }

    /// The node of this id in the node's own workflow.
    fn named(&self, id: &str) -> Option<Position> {
        self.known.frames[self.node.frame].by_id.get(id).copied()
    }

    fn is_call(&self, id: &str) -> bool {
        self.named(id).is_some_and(|node| matches!(self.known.nodes[node].role, Role::Call { .. }))
    }

    fn find(&self, id: &str, pointer: &str) -> Result<Position, Box<Fault>> {
        self.named(id).ok_or_else(|| {
            let mut fault = self.node.fault(codes::UNKNOWN_NODE, pointer, format!("there is no node {id:?}"));
            fault.hint = self.known.hint(self.node.frame, id, false);
            Box::new(fault)
        })
    }

    fn input(&self, name: &str, pointer: &str) -> Result<Position, Box<Fault>> {
        let Some(position) = self.named(name) else {
            let message = format!("there is no input node {name:?}");
            let mut fault = self.node.fault(codes::UNKNOWN_NODE, pointer, message);
            fault.hint = self.known.hint(self.node.frame, name, true);
            return Err(Box::new(fault));
        };
        if self.known.nodes[position].is_input {
            return Ok(position);
        }
        let fault = self.node.fault(codes::NOT_AN_INPUT, pointer, format!("{name:?} is not an input node"));
        Err(Box::new(fault.hint(format!("write $nodes.{name}.PORT: $inputs. names input nodes only"))))
    }
}

/// An object whose parts are all literals is a literal.
fn merge_object(fields: Vec<(String, Shape)>) -> Shape {
    if fields.iter().any(|(_, shape)| !matches!(shape, Shape::Literal(_))) {
        return Shape::Object(fields);
    }
    let literal = |(name, shape)| match shape {
        Shape::Literal(value) => (name, value),
        _ => (name, Value::Null),
    };
    Shape::Literal(Value::Object(fields.into_iter().map(literal).collect()))
}

/// A list whose parts are all literals is a literal.
fn merge_list(items: Vec<Shape>) -> Shape {
    if items.iter().any(|shape| !matches!(shape, Shape::Literal(_))) {
        return Shape::List(items);
    }
    let literal = |shape| match shape {
        Shape::Literal(value) => value,
        _ => Value::Null,
    };
    Shape::Literal(Value::Array(items.into_iter().map(literal).collect()))
}

/// The value with dollars unescaped and selectors as their text.
fn as_text(shape: &Shape, original: &Value) -> Value {
    match (shape, original) {
        (Shape::Literal(value), _) => value.clone(),
        (Shape::Object(fields), Value::Object(values)) => {
            let each = |(name, shape): &(String, Shape)| (name.clone(), as_text(shape, &values[name]));
            Value::Object(fields.iter().map(each).collect())
        }
        (Shape::List(items), Value::Array(values)) => {
            Value::Array(items.iter().zip(values).map(|(shape, value)| as_text(shape, value)).collect())
        }
        _ => original.clone(),
    }
}

/// An `image_input` that does not say whether it is a list is one when the workflow uses it as one.
fn infer_lists(draft: &mut Draft<'_>) {
    // What is inside a call stands behind it, and says first what the call's inputs are.
    for position in (0..draft.nodes.len()).rev() {
        let lists = lists_wanted(draft, &draft.nodes[position]);
        lists.into_iter().for_each(|input| make_list(&mut draft.nodes[input]));
    }
}

/// The input nodes that a node reads as lists.
fn lists_wanted(draft: &Draft<'_>, node: &DraftNode<'_>) -> Vec<Position> {
    let mut lists = Vec::new();
    for input in &node.inputs {
        let Shape::Select(Reference { target: Target::Input(position), .. }) = &input.shape else { continue };
        let port = node.block.and_then(|block| block.input(&input.port));
        let by_block = port.is_some_and(|port| port.kinds.iter().any(|kind| matches!(kind, Kind::List(_))));
        let by_call = draft.argument(node, &input.port).is_some_and(|argument| {
            argument.is("image_input") && argument.settings.get("list") == Some(&Value::Bool(true))
        });
        if by_block || by_call {
            lists.push(*position);
        }
    }
    for reference in node.references() {
        if let Target::Port(position, port) = &reference.target
            && port == "images"
        {
            lists.push(*position);
        }
    }
    lists
}

fn make_list(node: &mut DraftNode<'_>) {
    if !node.is("image_input") || node.settings.get("list").is_some_and(|list| !list.is_null()) {
        return;
    }
    node.settings.insert("list".to_owned(), true.into());
    if let Shape::Object(fields) = &mut node.config {
        fields.retain(|(field, _)| field != "list");
        fields.push(("list".to_owned(), Shape::Literal(true.into())));
    }
}

/// With one loop in a workflow, `$item` in it can only mean that one, and is an edge from it.
fn settle_single_loop(draft: &mut Draft<'_>) {
    let mut loops = vec![Loops::None; draft.frames.len()];
    for node in draft.nodes.iter().filter(|node| node.is("for_each")) {
        loops[node.frame] = match loops[node.frame] {
            Loops::None => Loops::One(node.position),
            _ => Loops::Many,
        };
    }
    for node in &mut draft.nodes {
        let Loops::One(only) = loops[node.frame] else { continue };
        let uses_item = node.references().iter().any(|reference| matches!(reference.target, Target::Loop(_)));
        if uses_item {
            node.item_of = Some(only);
        }
    }
}

/// How many loops a workflow has.
#[derive(Debug, Clone, Copy)]
enum Loops {
    None,
    One(Position),
    Many,
}
