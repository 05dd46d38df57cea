//! `POST /workflows/{id}/run-batch`: many runs of one workflow in one call; all are accepted, or the answer says why not.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use millrace_contracts::{BlobId, ExecutionId, Fault, Faults, WorkflowId};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::workflows::parse_id;
use crate::body;
use crate::context::RequestContext;
use crate::openapi::described::BatchRequest;
use crate::openapi::runs::VersionQuery;
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::submit::{self, Digest, Keyed, Receipt, RunOptions, Submission, Target, Visit};

/// Runs of one batch whose inputs are resolved at once.
const RESOLVED_AT_ONCE: usize = 16;

/// A batch that was accepted.
#[derive(Debug, Serialize, ToSchema)]
struct BatchAccepted {
    batch_id: Uuid,
    /// In the order of the inputs.
    execution_ids: Vec<ExecutionId>,
    links: BatchLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct BatchLinks {
    /// The list of its runs.
    executions: String,
}

/// Run a saved workflow once per input, at its newest version or at the one that is named
///
/// All runs are accepted, or the answer says why not.
#[utoipa::path(
    post, path = "/api/v1/workflows/{id}/run-batch", operation_id = "run_workflow_batch", tag = "executions",
    params(("id" = WorkflowId, Path), VersionQuery, ("Idempotency-Key" = Option<String>, Header, description = "The same key answers with the same run, for 24 hours.")),
    request_body = BatchRequest,
    responses((status = 202, description = "Accepted.", body = BatchAccepted, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where an earlier request with the same key made it.")))),
)]
pub(crate) async fn run(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    mut params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let version = params.take_version()?;
    params.only(&[])?;
    let context = RequestContext::find(&request)?;
    let workflow = parse_id(&id)?;
    let key = submit::idempotency_key(&request, "batch")?;
    let held = body::object(&app, request, body::max_json(&app)).await?;
    let (inputs, options) = read(held.value, app.settings.max_batch_runs)?;
    let keyed = key.map(|key| Keyed { key, digest: digest((workflow, version), &inputs, &options) });
    if let Some(keyed) = &keyed
        && let Some(receipts) = submit::batch_again(&app, keyed, inputs.len(), context.trace()).await?
    {
        return Ok(answer(&receipts));
    }
    let target = Target::version(&app, workflow, version).await?;
    let visit = Visit { target: &target, options: &options, count: inputs.len() };
    app.door.admit(&app, visit).await?;
    let inputs = resolve_all(&app, &target, inputs).await?;
    let batch_id = Uuid::now_v7();
    let submissions = inputs.into_iter().map(|input| Submission {
        id: ExecutionId::generate(),
        target: target.clone(),
        input,
        options: options.clone(),
        trace: context.trace().child(),
        batch_id: Some(batch_id),
        schedule_id: None,
        rerun_of: None,
    });
    let receipts = submit::accept_batch(&app, submissions.collect(), keyed.as_ref()).await?;
    // Until here what was sent is in memory, in one form or another.
    drop(held.memory);
    Ok(answer(&receipts))
}

fn answer(receipts: &[Receipt]) -> Response {
    let first = receipts.first().expect("a batch has a run at least");
    let batch_id = first.batch_id.unwrap_or_default();
    let execution_ids = receipts.iter().map(|receipt| receipt.id).collect();
    let links = BatchLinks { executions: format!("/api/v1/executions?batch_id={batch_id}") };
    let body = BatchAccepted { batch_id, execution_ids, links };
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    submit::mark_replayed(&mut response, first);
    response
}

/// The digest of what is asked for.
fn digest(
    (workflow, version): (WorkflowId, Option<u32>),
    inputs: &[Map<String, Value>],
    options: &RunOptions,
) -> BlobId {
    let digest = Digest::default().value("workflow", &json!(workflow)).version(version).options(options);
    inputs.iter().fold(digest, |digest, input| digest.fields("input", input)).finish()
}

fn read(
    mut fields: Map<String, Value>,
    most: usize,
) -> Result<(Vec<Map<String, Value>>, RunOptions), Problem> {
    let mut faults = Faults::default();
    let mut inputs = Vec::new();
    match fields.shift_remove("inputs") {
        Some(Value::Array(items)) if (1..=most).contains(&items.len()) => {
            for (index, item) in items.into_iter().enumerate() {
                match item {
                    Value::Object(input) => inputs.push(input),
                    other => {
                        let message = format!(
                            "each input is an object of values by name, not {}",
                            body::type_name(&other)
                        );
                        faults.push(Fault::new("INVALID_TYPE", format!("/inputs/{index}"), message));
                    }
                }
            }
        }
        Some(Value::Array(items)) => {
            let message = format!("a batch has 1 to {most} inputs, and this one has {}", items.len());
            faults.push(Fault::new("INVALID_VALUE", "/inputs", message));
        }
        Some(other) => {
            let message = format!("`inputs` is a list of inputs, not {}", body::type_name(&other));
            faults.push(Fault::new("INVALID_TYPE", "/inputs", message));
        }
        None => faults.push(Fault::new("MISSING_FIELD", "/inputs", "there is no `inputs`")),
    }
    let options = RunOptions::take(&mut fields, &mut faults);
    submit::unknown_fields(&fields, &["inputs"], &mut faults);
    faults.or((inputs, options)).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))
}

async fn resolve_all(
    app: &App,
    target: &Target,
    inputs: Vec<Map<String, Value>>,
) -> Result<Vec<Map<String, Value>>, Problem> {
    let resolved = stream::iter(inputs.into_iter().enumerate())
        .map(|(index, input)| async move {
            submit::resolve(app, &target.compiled, input, &format!("/inputs/{index}")).await
        })
        .buffered(RESOLVED_AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let (mut ready, mut faults) = (Vec::with_capacity(resolved.len()), Faults::default());
    for result in resolved {
        match result {
            Ok(input) => ready.push(input),
            Err(problem) if problem.code() == Code::InvalidInput => {
                faults.0.extend_from_slice(problem.errors())
            }
            Err(problem) => return Err(problem),
        }
    }
    faults.or(ready).map_err(|faults| Problem::faults(Code::InvalidInput, faults))
}
