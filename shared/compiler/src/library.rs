//! The workflows that a definition calls and does not embed: which there are, and how they get in. What is saved or run is
//! complete in itself, so that a run needs nothing but its definition, and a later version changes nothing for it.

use millrace_blocks::catalogue;
use millrace_blocks::logic::sub_workflow::{Config, NAME};
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{NodeId, WorkflowId};
use serde_json::{Map, Value, json};

/// A call of a saved workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedCall {
    /// The node that calls, by its id in its own workflow.
    pub node: NodeId,
    /// JSON pointer to the node.
    pub pointer: String,
    /// What it calls.
    pub workflow: WorkflowId,
    /// At which version; the newest when none.
    pub version: Option<u32>,
    /// Whether the definition embeds it.
    pub embedded: bool,
}

/// Every call of a saved workflow, in the definition and in what it embeds.
#[must_use]
pub fn saved_calls(definition: &Value) -> Vec<SavedCall> {
    let mut found = Vec::new();
    walk(definition, "", &mut Vec::new(), &mut found);
    found
}

/// JSON that was parsed is not deep, so this recursion is bounded.
fn walk<'d>(
    workflow: &'d Value,
    pointer: &str,
    libraries: &mut Vec<&'d Map<String, Value>>,
    found: &mut Vec<SavedCall>,
) {
    let library = workflow.get("workflows").and_then(Value::as_object);
    libraries.extend(library);
    let nodes = workflow.get("nodes").and_then(Value::as_array);
    for (place, node) in nodes.into_iter().flatten().enumerate() {
        let Some(config) = config_of(node) else { continue };
        let Ok(workflow) = config.workflow.parse() else { continue };
        let key = config.key();
        found.push(SavedCall {
            node: node.get("id").and_then(Value::as_str).unwrap_or_default().into(),
            pointer: format!("{pointer}/nodes/{place}"),
            workflow,
            version: config.version,
            embedded: libraries.iter().any(|library| library.contains_key(&key)),
        });
    }
    for (name, inner) in library.into_iter().flatten() {
        walk(inner, &format!("{pointer}/workflows/{}", pointer_token(name)), libraries, found);
    }
    libraries.truncate(libraries.len() - usize::from(library.is_some()));
}

/// The configuration of a `sub_workflow`.
fn config_of(node: &Value) -> Option<Config> {
    let block = catalogue().resolve(node.get("type")?.as_str()?)?;
    if block.name != NAME {
        return None;
    }
    Config::of(block, node.get("config")?.as_object()?)
}

/// Puts a saved workflow into the definition, and pins its version where `call` stands. What it embeds itself under ids and
/// versions moves along, so that each is there once.
pub fn embed(definition: &mut Value, call: &SavedCall, version: u32, saved: &Value) {
    if let Some(config) = definition.pointer_mut(&format!("{}/config", call.pointer)) {
        config["version"] = json!(version);
    }
    let Some(fields) = definition.as_object_mut() else { return };
    let Some(library) = fields.entry("workflows").or_insert_with(|| json!({})).as_object_mut() else {
        // Reported when it is compiled.
        return;
    };
    let key = format!("{}@{version}", call.workflow);
    if library.contains_key(&key) {
        return;
    }
    let mut saved = saved.clone();
    if let Some(fields) = saved.as_object_mut() {
        for field in ["ui", "inputs_example"] {
            fields.shift_remove(field);
        }
        hoist(fields, library);
    }
    library.insert(key, saved);
}

fn hoist(from: &mut Map<String, Value>, library: &mut Map<String, Value>) {
    let Some(own) = from.get_mut("workflows").and_then(Value::as_object_mut) else { return };
    let (saved, named): (Map<_, _>, Map<_, _>) = std::mem::take(own)
        .into_iter()
        .partition(|(name, _)| name.split_once('@').is_some_and(|(id, _)| id.parse::<WorkflowId>().is_ok()));
    for (name, workflow) in saved {
        library.entry(name).or_insert(workflow);
    }
    if named.is_empty() {
        from.shift_remove("workflows");
    } else {
        *own = named;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0192f0c1-2345-7abc-8def-0123456789ab";
    const B: &str = "0192f0c1-2345-7abc-8def-0123456789ac";

    fn calling(workflow: &str) -> Value {
        json!({"nodes": [{"id": "c", "type": "sub_workflow", "config": {"workflow": workflow}}]})
    }

    #[test]
    fn calls_are_found_at_every_level_and_embedded_ones_told_apart() {
        let mut definition = calling(A);
        definition["workflows"] = json!({"own": calling(B), format!("{B}@2"): {"nodes": []}});
        let calls = saved_calls(&definition);
        let seen = calls.iter().map(|call| (call.pointer.as_str(), call.embedded)).collect::<Vec<_>>();
        assert_eq!(seen, [("/nodes/0", false), ("/workflows/own/nodes/0", false)]);
        for version in [json!(2), json!(2.0)] {
            definition["workflows"]["own"]["nodes"][0]["config"]["version"] = version;
            let call = &saved_calls(&definition)[1];
            assert_eq!((call.version, call.embedded), (Some(2), true));
        }
    }

    #[test]
    fn what_is_put_in_is_pinned_and_there_once() {
        let mut definition = calling(A);
        let mut saved = calling(B);
        saved["nodes"][0]["config"]["version"] = json!(1);
        saved["ui"] = json!({});
        saved["workflows"] = json!({format!("{B}@1"): {"nodes": []}, "own": {"nodes": []}});
        let call = saved_calls(&definition)[0].clone();
        embed(&mut definition, &call, 7, &saved);
        assert_eq!(definition["nodes"][0]["config"], json!({"workflow": A, "version": 7}));
        let names = definition["workflows"].as_object().unwrap().keys().collect::<Vec<_>>();
        assert_eq!(names, [&format!("{B}@1"), &format!("{A}@7")]);
        let inside = &definition["workflows"][format!("{A}@7")];
        assert_eq!(inside["workflows"], json!({"own": {"nodes": []}}));
        assert_eq!(inside.get("ui"), None);
        assert!(saved_calls(&definition).iter().all(|call| call.embedded));
    }
}
