//! `POST /workflows/validate`: whether a definition compiles, without saving it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::state::App;
use crate::{body, library, plans};

/// Compiles a definition.
pub(crate) async fn validate(State(app): State<Arc<App>>, request: Request) -> Result<Json<Value>, Problem> {
    let definition = body::json(&app, request, app.settings.max_definition.bytes()).await?;
    let compiled = library::compile(&app, &definition.value, None)
        .await?
        .map_err(|faults| plans::invalid(faults, ""))?;
    let inputs: Vec<_> = compiled
        .inputs
        .iter()
        .map(|input| {
            json!({"name": input.name, "block": input.block, "kind": input.kind, "required": input.required})
        })
        .collect();
    Ok(Json(json!({
        "valid": true,
        "plan": {
            "nodes": compiled.plan.nodes.len(),
            "edges": compiled.plan.edges,
            "scopes": compiled.plan.scopes.len(),
        },
        "inputs": inputs,
    })))
}
