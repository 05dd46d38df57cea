//! `POST /workflows/validate`: whether a definition compiles, without saving it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use millrace_contracts::{Fault, Kind, NodeId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::definition::Definition;
use crate::problem::Problem;
use crate::state::App;
use crate::{body, library, plans};

/// A definition that compiles.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Validation {
    /// Always true: a definition that does not compile is a problem.
    valid: bool,
    plan: PlanSize,
    inputs: Vec<InputView>,
    /// What compiles and is surely not meant, such as an input that nothing reads. Nothing is refused for it.
    warnings: Vec<Fault>,
}

/// How much a definition compiles to.
#[derive(Debug, Serialize, ToSchema)]
struct PlanSize {
    nodes: usize,
    edges: usize,
    /// Loops.
    scopes: usize,
}

/// What a run has to be given.
#[derive(Debug, Serialize, ToSchema)]
struct InputView {
    name: NodeId,
    block: String,
    #[schema(value_type = String, example = "list<image>")]
    kind: Kind,
    required: bool,
}

/// Check a definition without saving it
#[utoipa::path(
    post, path = "/api/v1/workflows/validate", operation_id = "validate_workflow", tag = "workflows",
    request_body = Definition,
    responses((status = 200, description = "It compiles.", body = Validation)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn validate(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Validation>, Problem> {
    let definition = body::json(&app, request, app.settings.max_definition.bytes()).await?;
    let compiled = library::compile(&app, &definition.value, None)
        .await?
        .map_err(|faults| plans::invalid(faults, ""))?;
    let inputs = compiled.inputs.iter().map(|input| InputView {
        name: input.name.clone(),
        block: input.block.to_string(),
        kind: input.kind.clone(),
        required: input.required,
    });
    Ok(Json(Validation {
        valid: true,
        plan: PlanSize {
            nodes: compiled.plan.nodes.len(),
            edges: compiled.plan.edges,
            scopes: compiled.plan.scopes.len(),
        },
        inputs: inputs.collect(),
        warnings: millrace_compiler::warnings(&compiled.plan, &definition.value),
    }))
}
