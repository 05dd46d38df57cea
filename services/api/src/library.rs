//! Definitions made complete: the saved workflows that one calls are looked up, in one query, and embedded with their versions.
//! What cannot be embedded is a fault among the compiler's, in the same answer.

use std::sync::Arc;

use indexmap::IndexMap;
use millrace_compiler::codes;
use millrace_compiler::library::{SavedCall, embed, saved_calls};
use millrace_compiler::limits::{MAX_DEFINITION_BYTES, MAX_WORKFLOWS};
use millrace_contracts::{Fault, Faults, WorkflowId};
use millrace_store::Lookup;
use serde_json::Value;

use crate::plans::Compiled;
use crate::problem::Problem;
use crate::state::App;

/// Completes and compiles a definition; `own` is the workflow it is to be saved as. The inner error is the caller's.
pub(crate) async fn compile(
    app: &App,
    definition: &Value,
    own: Option<WorkflowId>,
) -> Result<Result<Arc<Compiled>, Faults>, Problem> {
    let missing = saved_calls(definition).into_iter().filter(|call| !call.embedded).collect::<Vec<_>>();
    if missing.is_empty() && own.is_none() {
        return Ok(app.plans.compile(definition).await);
    }
    let mut complete = definition.clone();
    let mut faults = fetch(app, &mut complete, &missing).await?;
    faults.extend(own.into_iter().flat_map(|own| calls_of_itself(&complete, own)));
    let compiled = app.plans.compile(&complete).await;
    if faults.is_empty() {
        return Ok(compiled);
    }
    // What is known here of a workflow that is not there says more than that it is not there.
    let node_of = |pointer: &str| pointer.rsplit_once("/config/").map(|(node, _)| node.to_owned());
    let told = faults.iter().filter_map(|fault| node_of(&fault.pointer)).collect::<Vec<_>>();
    let others = compiled.err().unwrap_or_default().0;
    name_by_call(&mut faults, &others);
    let others = others.into_iter().filter(|fault| {
        fault.code != codes::UNKNOWN_WORKFLOW
            || node_of(&fault.pointer).is_none_or(|node| !told.contains(&node))
    });
    faults.extend(others);
    Ok(Err(Faults(faults)))
}

/// Inside an embedded workflow a node has another id in the run, behind that of a call that leads there: the compiler knows it,
/// where something calls that workflow at all.
fn name_by_call(faults: &mut [Fault], compiled: &[Fault]) {
    let node_of = |fault: &Fault| fault.pointer.rsplit_once("/config/").map(|(node, _)| node.to_owned());
    for fault in faults.iter_mut().filter(|fault| fault.pointer.starts_with("/workflows/")) {
        let same = |other: &&Fault| other.code == codes::UNKNOWN_WORKFLOW && node_of(other) == node_of(fault);
        if let Some(told) = compiled.iter().find(same) {
            fault.node.clone_from(&told.node);
        }
    }
}

/// Embeds what is there; a fault for each call of what is not.
async fn fetch(app: &App, definition: &mut Value, calls: &[SavedCall]) -> Result<Vec<Fault>, Problem> {
    let mut asked: IndexMap<(WorkflowId, Option<u32>), Vec<&SavedCall>> = IndexMap::new();
    for call in calls {
        asked.entry((call.workflow, call.version)).or_default().push(call);
    }
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    if asked.len() > MAX_WORKFLOWS {
        let message = format!("{} saved workflows are called, and {MAX_WORKFLOWS} may be", asked.len());
        return Ok(vec![Fault::new(codes::TOO_MANY_WORKFLOWS, "/nodes", message)]);
    }
    let keys = asked.keys().copied().collect::<Vec<_>>();
    let found = app.store.workflows().lookup(&keys, MAX_DEFINITION_BYTES as u64).await?;
    let mut faults = Vec::new();
    for (calls, found) in asked.values().zip(found) {
        for call in calls {
            match &found {
                Lookup::Found(version, saved) => embed(definition, call, *version, saved),
                other => faults.push(fault(call, other)),
            }
        }
    }
    Ok(faults)
}

fn fault(call: &SavedCall, found: &Lookup) -> Fault {
    let id = call.workflow;
    let version = call.version.unwrap_or_default();
    let (code, field, message, hint) = match found {
        Lookup::Deleted => (
            "WORKFLOW_DELETED",
            "workflow",
            format!("the workflow {id} was deleted"),
            "call another one, or embed its definition under `workflows`",
        ),
        Lookup::UnknownVersion => (
            codes::UNKNOWN_WORKFLOW,
            "version",
            format!("the workflow {id} has no version {version}"),
            "leave `version` out to take the newest",
        ),
        Lookup::TooLarge => (
            codes::DEFINITION_TOO_LARGE,
            "workflow",
            format!("with the workflow {id}, the definition has more than {MAX_DEFINITION_BYTES} bytes"),
            "call fewer workflows, or smaller ones",
        ),
        Lookup::Found(..) | Lookup::Unknown => (
            codes::UNKNOWN_WORKFLOW,
            "workflow",
            format!("there is no saved workflow {id}"),
            "GET /api/v1/workflows lists those there are",
        ),
    };
    Fault::new(code, format!("{}/config/{field}", call.pointer), message).on(&call.node).hint(hint)
}

/// A workflow that calls an earlier version of itself would not do what it says.
fn calls_of_itself(definition: &Value, own: WorkflowId) -> Vec<Fault> {
    let calls = saved_calls(definition).into_iter().filter(|call| call.workflow == own);
    calls
        .map(|call| {
            let pointer = format!("{}/config/workflow", call.pointer);
            Fault::new(codes::WORKFLOW_RECURSION, pointer, "a workflow cannot call itself")
                .on(&call.node)
                .hint("repeat work with a for_each, or copy the part that is meant")
        })
        .collect()
}
