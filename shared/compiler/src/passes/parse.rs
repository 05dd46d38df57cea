//! Parse: the definition's and its nodes' own fields, ids, and the bounds of the whole.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Kind, NodeId};
use serde_json::{Map, Value};

use crate::codes;
use crate::draft::{Draft, DraftInput, DraftNode, Frame, FrameIndex, Role, Shape};
use crate::limits::{MAX_INPUTS, MAX_NODES, MAX_WORKFLOWS};
use crate::plan::ScopeIndex;
use crate::suggest::did_you_mean;

/// What may stand in a workflow.
pub const WORKFLOW_FIELDS: [&str; 8] =
    ["name", "inputs_example", "nodes", "timeout_ms", "max_concurrency", "weight", "workflows", "ui"];

/// What may stand in a node.
pub const NODE_FIELDS: [&str; 10] =
    ["id", "type", "inputs", "config", "retry", "timeout_ms", "on_error", "pool", "priority", "cache"];

impl<'a> Draft<'a> {
    /// Reads a workflow as far as it can be read: the definition, or one at `pointer` in it that nothing calls and that sees
    /// these libraries. `taken` nodes of the definition were read before.
    pub(crate) fn of(
        definition: &'a Value,
        pointer: Arc<str>,
        libraries: Vec<(&'a Map<String, Value>, Arc<str>)>,
        taken: usize,
    ) -> Self {
        let mut draft = Self { taken, ..Self::default() };
        draft.frames.push(Frame {
            pointer,
            by_id: HashMap::new(),
            call: None,
            results: Vec::new(),
            libraries,
            chain: Vec::new(),
        });
        workflow(&mut draft, definition, 0);
        draft
    }
}

/// Reads one workflow, whose nodes go behind those that are there.
pub(crate) fn workflow<'a>(draft: &mut Draft<'a>, definition: &'a Value, frame: FrameIndex) {
    let base = draft.frames[frame].pointer.clone();
    let Some(fields) = definition.as_object() else {
        let fault = Fault::new(codes::INVALID_TYPE, base.as_ref(), "a workflow is a JSON object");
        draft.faults.push(fault.hint("send {\"name\": …, \"nodes\": […]}"));
        return;
    };
    unknown_fields(draft, fields, &base);
    let name = read_name(draft, fields, &base);
    if frame == 0 {
        draft.name = name;
    }
    for field in ["ui", "inputs_example"] {
        if fields.get(field).is_some_and(|value| !value.is_object()) {
            draft.faults.push(wrong_type(&format!("{base}/{field}"), field, "an object"));
        }
    }
    check_positions(draft, fields, &base);
    read_library(draft, fields, frame);
    read_nodes(draft, fields, frame);
}

/// Where an editor puts the nodes. Nothing here reads it, but every editor does, and should find what it can draw.
fn check_positions(draft: &mut Draft<'_>, fields: &Map<String, Value>, base: &str) {
    let Some(positions) = fields.get("ui").and_then(|ui| ui.get("positions")) else { return };
    let pointer = format!("{base}/ui/positions");
    let Some(positions) = positions.as_object() else {
        draft.faults.push(wrong_type(&pointer, "`positions`", "an object: node → [x, y]"));
        return;
    };
    let is_place = |place: &Value| {
        place.as_array().is_some_and(|place| place.len() == 2 && place.iter().all(Value::is_number))
    };
    for (node, _) in positions.iter().filter(|(_, place)| !is_place(place)) {
        let pointer = format!("{pointer}/{}", pointer_token(node));
        draft.faults.push(wrong_type(&pointer, "a position", "two numbers, [x, y]"));
    }
}

fn unknown_fields(draft: &mut Draft<'_>, fields: &Map<String, Value>, base: &str) {
    for field in fields.keys().filter(|field| !WORKFLOW_FIELDS.contains(&field.as_str())) {
        let message = format!("a workflow has no field {field:?}");
        let mut fault = Fault::new(codes::UNKNOWN_FIELD, format!("{base}/{}", pointer_token(field)), message);
        fault.hint = did_you_mean(field, WORKFLOW_FIELDS);
        draft.faults.push(fault);
    }
}

fn read_name(draft: &mut Draft<'_>, fields: &Map<String, Value>, base: &str) -> String {
    let pointer = format!("{base}/name");
    match fields.get("name") {
        Some(Value::String(name)) if (1..=200).contains(&name.trim().chars().count()) => {
            return name.clone();
        }
        Some(Value::String(_)) => {
            draft.faults.push(Fault::new(codes::INVALID_NAME, pointer, "a name has 1 to 200 characters"));
        }
        Some(_) => draft.faults.push(wrong_type(&pointer, "name", "a text")),
        None => {}
    }
    "untitled".to_owned()
}

/// The workflows that calls may name.
fn read_library<'a>(draft: &mut Draft<'a>, fields: &'a Map<String, Value>, frame: FrameIndex) {
    let Some(library) = fields.get("workflows") else { return };
    let pointer: Arc<str> = format!("{}/workflows", draft.frames[frame].pointer).into();
    let Some(library) = library.as_object() else {
        draft.faults.push(wrong_type(&pointer, "workflows", "an object: name → definition"));
        return;
    };
    if library.len() > MAX_WORKFLOWS {
        let message = format!("{} workflows, and a definition may embed {MAX_WORKFLOWS}", library.len());
        let fault = Fault::new(codes::TOO_MANY_WORKFLOWS, pointer.as_ref(), message);
        draft.faults.push(fault.hint("save them, and call them by their ids"));
        return;
    }
    draft.frames[frame].libraries.push((library, pointer));
}

fn read_nodes<'a>(draft: &mut Draft<'a>, fields: &'a Map<String, Value>, frame: FrameIndex) {
    let pointer = format!("{}/nodes", draft.frames[frame].pointer);
    let nodes = match fields.get("nodes") {
        Some(Value::Array(nodes)) => nodes,
        Some(_) => return draft.faults.push(wrong_type(&pointer, "nodes", "a list of nodes")),
        None => {
            let fault = Fault::new(codes::MISSING_FIELD, pointer, "a workflow needs `nodes`");
            return draft.faults.push(fault.hint("add \"nodes\": [{\"id\": …, \"type\": …}, …]"));
        }
    };
    if nodes.is_empty() {
        let fault = Fault::new(codes::EMPTY_WORKFLOW, pointer, "the workflow has no nodes");
        return draft.faults.push(fault.hint("add at least one node, such as an image_input"));
    }
    let all = draft.taken + nodes.len();
    if all > MAX_NODES {
        let message = match draft.taken {
            0 => format!("{all} nodes, and a workflow may have {MAX_NODES}"),
            _ => format!("with what it embeds, the workflow has more than {MAX_NODES} nodes"),
        };
        let fault = Fault::new(codes::TOO_MANY_NODES, pointer, message);
        return draft.faults.push(fault.hint("split it into several workflows, or use a for_each"));
    }
    for (place, node) in nodes.iter().enumerate() {
        let pointer = format!("{pointer}/{place}");
        match node.as_object() {
            Some(source) => read_node(draft, (frame, pointer), source),
            None => {
                draft.faults.push(wrong_type(&pointer, "a node", "an object with `id` and `type`"));
                // A place holder keeps positions equal to the document's.
                let node = blank(draft, (frame, pointer), "", &NOTHING);
                draft.nodes.push(DraftNode { absent: true, ..node });
            }
        }
    }
}

fn read_node<'a>(
    draft: &mut Draft<'a>,
    (frame, pointer): (FrameIndex, String),
    source: &'a Map<String, Value>,
) {
    let id = source.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut node = blank(draft, (frame, pointer), id, source);
    check_id(draft, &node, id);
    for field in source.keys().filter(|field| !NODE_FIELDS.contains(&field.as_str())) {
        let message = format!("a node has no field {field:?}");
        let mut fault = node.fault(codes::UNKNOWN_FIELD, &format!("/{}", pointer_token(field)), message);
        fault.hint = did_you_mean(field, NODE_FIELDS);
        draft.faults.push(fault);
    }
    node.inputs = read_inputs(draft, &node, source);
    if source.get("config").is_some_and(|config| !config.is_object()) {
        draft.faults.push(node.fault(codes::INVALID_TYPE, "/config", "`config` must be an object"));
    }
    draft.nodes.push(node);
}

/// The source of nodes that stand nowhere.
pub(crate) static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

/// The next node, with nothing known of it but where it stands.
pub(crate) fn blank<'a>(
    draft: &Draft<'a>,
    (frame, pointer): (FrameIndex, String),
    name: &'a str,
    source: &'a Map<String, Value>,
) -> DraftNode<'a> {
    let gate = draft.frames[frame].call;
    let id = match gate {
        Some(call) => NodeId::from(format!("{}/{name}", draft.nodes[call].id)),
        None => NodeId::from(name),
    };
    DraftNode {
        position: draft.nodes.len(),
        id,
        name,
        pointer: pointer.into(),
        frame,
        gate,
        role: Role::Plain,
        absent: false,
        source,
        block: None,
        policy: None,
        settings: Map::new(),
        config: Shape::Literal(Value::Object(Map::new())),
        inputs: Vec::new(),
        scope: ScopeIndex::ROOT,
        inner: None,
        outputs: Vec::new(),
        logic: None,
        item_of: None,
    }
}

/// Inputs as they stand; their selectors are taken apart later.
fn read_inputs(draft: &mut Draft<'_>, node: &DraftNode<'_>, source: &Map<String, Value>) -> Vec<DraftInput> {
    let inputs = match source.get("inputs") {
        None => return Vec::new(),
        Some(Value::Object(inputs)) => inputs,
        Some(_) => {
            let fault =
                node.fault(codes::INVALID_TYPE, "/inputs", "`inputs` must be an object: port → value");
            draft.faults.push(fault);
            return Vec::new();
        }
    };
    if inputs.len() > MAX_INPUTS {
        let message = format!("{} inputs, and a node may have {MAX_INPUTS}", inputs.len());
        draft.faults.push(node.fault(codes::INVALID_CONFIG, "/inputs", message));
        return Vec::new();
    }
    for port in inputs.keys().filter(|port| !is_name(port)) {
        let fault = node.fault(codes::INVALID_NAME, &format!("/inputs/{}", pointer_token(port)), NAME_RULE);
        draft.faults.push(fault);
    }
    let input = |(port, value): (&String, &Value)| DraftInput {
        port: port.clone(),
        shape: Shape::Literal(value.clone()),
        kind: Kind::Any,
        required: true,
        one_of: false,
    };
    inputs.iter().filter(|(port, _)| is_name(port)).map(input).collect()
}

const NAME_RULE: &str =
    "a name begins with a letter or _, goes on with letters, digits, _ and -, and has 64 characters at most";

/// Whether `text` is `[A-Za-z_][A-Za-z0-9_-]{0,63}`: what ids and port names are made of.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first
        && text.len() <= 64
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn check_id<'a>(draft: &mut Draft<'a>, node: &DraftNode<'a>, id: &'a str) {
    match node.source.get("id") {
        None => draft.faults.push(node.fault(codes::MISSING_FIELD, "/id", "a node needs an `id`")),
        Some(Value::String(_)) if is_name(id) => {
            let earlier = draft.frames[node.frame].by_id.get(id).copied();
            let Some(first) = earlier else {
                draft.frames[node.frame].by_id.insert(id, node.position);
                return;
            };
            let place = draft.nodes[first].pointer.rsplit('/').next().unwrap_or_default();
            let message = format!("node {place} is called {id:?} too");
            let hint = "give each node an id of its own";
            draft.faults.push(node.fault(codes::DUPLICATE_ID, "/id", message).hint(hint));
        }
        Some(Value::String(_)) => draft.faults.push(node.fault(codes::INVALID_NAME, "/id", NAME_RULE)),
        Some(_) => draft.faults.push(node.fault(codes::INVALID_TYPE, "/id", "`id` must be a text")),
    }
}

fn wrong_type(pointer: &str, what: &str, wanted: &str) -> Fault {
    Fault::new(codes::INVALID_TYPE, pointer, format!("{what} must be {wanted}"))
}
