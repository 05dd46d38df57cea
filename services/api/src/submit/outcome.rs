//! What a submission is answered: 202 with where to go on, or, when it waits, 200 with the run as it ended. A workflow whose
//! `api_response` completed answers for itself.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_compiler::logic::api_response;
use millrace_contracts::values::ValueRef;
use millrace_contracts::{ExecutionId, ExecutionStatus, NodeId, WorkflowId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::accept::Receipt;
use super::wait::until_ended;
use crate::live::Subscription;
use crate::middleware::{Admission, OwnAnswer};
use crate::problem::Problem;
use crate::state::App;
use crate::view::{self, Execution, Links, Pictures};

/// How an answer was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Held so long for the run's end; none for an answer at once.
    pub(crate) wait: Option<(Duration, Subscription)>,
    /// The request's place, given up while it waits.
    pub(crate) admission: Admission,
    /// The nodes that may answer for the run.
    pub(crate) responses: Vec<NodeId>,
    /// How pictures stand in the answer.
    pub(crate) pictures: Pictures,
}

impl Asked {
    /// For an answer that does not wait.
    pub(crate) fn at_once(admission: Admission) -> Self {
        Self { wait: None, admission, responses: Vec::new(), pictures: Pictures::Links }
    }
}

/// A run that was accepted, and goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunAccepted {
    execution_id: ExecutionId,
    status: ExecutionStatus,
    /// None for a run of an unsaved definition.
    workflow_id: Option<WorkflowId>,
    /// The workflow's version that is run.
    version: Option<u32>,
    /// W3C trace id.
    trace_id: String,
    links: Links,
}

/// How far a run was when its submission was answered.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It goes on.
    Accepted(RunAccepted),
    /// It has ended while the submission waited.
    Ended(Box<Execution>),
    /// It has ended, and said itself what is to be answered.
    Answered(StatusCode, Value),
}

/// How far the accepted run is, once the answer is due.
pub(crate) async fn outcome(app: &App, receipt: &Receipt, asked: Asked) -> Outcome {
    let Some((wait, topic)) = asked.wait else {
        return Outcome::Accepted(accepted(receipt, ExecutionStatus::Pending));
    };
    asked.admission.release();
    let status = until_ended(app, topic, wait).await;
    if !status.is_terminal() {
        return Outcome::Accepted(accepted(receipt, status));
    }
    let found = match view::find(app, receipt.id).await {
        Ok(found) => found,
        // It was accepted, whatever keeps it from being shown: who is told of a failure would send it again.
        Err(problem) => {
            tracing::debug!(execution.id = %receipt.id, problem = ?problem.code(), "a run that has ended cannot be shown yet");
            return Outcome::Accepted(accepted(receipt, status));
        }
    };
    let run = view::execution(app, found, asked.pictures).await;
    let answer = asked.responses.iter().find_map(|node| answer_of(run.output(node.as_str())?));
    answer.unwrap_or_else(|| Outcome::Ended(Box::new(run)))
}

/// The answer to an accepted submission.
pub(crate) fn respond(receipt: &Receipt, outcome: &Outcome) -> Result<Response, Problem> {
    match outcome {
        Outcome::Accepted(run) => respond_with(receipt, StatusCode::ACCEPTED, run),
        Outcome::Ended(run) => respond_with(receipt, StatusCode::OK, run),
        Outcome::Answered(status, body) => answered(receipt, *status, body),
    }
}

/// The same with another body.
pub(crate) fn respond_with(
    receipt: &Receipt,
    status: StatusCode,
    body: &impl Serialize,
) -> Result<Response, Problem> {
    // These have no body (RFC 9110, 15.3.5, 15.3.6 and 15.4.5).
    let bare =
        matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED);
    let mut response = if bare { status.into_response() } else { (status, Json(body)).into_response() };
    let location = HeaderValue::try_from(format!("/api/v1/executions/{}", receipt.id));
    response.headers_mut().insert(header::LOCATION, location.map_err(Problem::internal)?);
    mark_replayed(&mut response, receipt);
    Ok(response)
}

/// Says that an earlier request with the same key made the run, if it did.
pub(crate) fn mark_replayed(response: &mut Response, receipt: &Receipt) {
    if receipt.replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
}

/// The answer of the workflow itself.
fn answered(receipt: &Receipt, status: StatusCode, body: &Value) -> Result<Response, Problem> {
    let mut response = respond_with(receipt, status, body)?;
    response.extensions_mut().insert(OwnAnswer);
    Ok(response)
}

/// The answer that an `api_response` gave; none where it could not be read whole.
fn answer_of(output: &Value) -> Option<Outcome> {
    if !ValueRef::all_in(output).is_empty() {
        return None;
    }
    let status = StatusCode::from_u16(api_response::status(output.get("status")).ok()?).ok()?;
    Some(Outcome::Answered(status, output.get("body").cloned().unwrap_or_default()))
}

fn accepted(receipt: &Receipt, status: ExecutionStatus) -> RunAccepted {
    RunAccepted {
        execution_id: receipt.id,
        status,
        workflow_id: receipt.workflow_id,
        version: receipt.version,
        trace_id: receipt.trace_id.clone(),
        links: view::links(receipt.id),
    }
}
