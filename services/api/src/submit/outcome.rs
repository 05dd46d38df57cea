//! What a submission is answered: 202 with where to go on, or, when it waits, 200 with the run as it ended.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_contracts::{ExecutionId, ExecutionStatus, WorkflowId};
use serde::Serialize;
use utoipa::ToSchema;

use super::accept::Receipt;
use super::wait::until_ended;
use crate::live::Subscription;
use crate::middleware::Admission;
use crate::problem::Problem;
use crate::state::App;
use crate::view::{self, Execution, Links};

/// How an answer was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Held so long for the run's end; none for an answer at once.
    pub(crate) wait: Option<(Duration, Subscription)>,
    /// The request's place, given up while it waits.
    pub(crate) admission: Admission,
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
}

/// How far the accepted run is, once the answer is due.
pub(crate) async fn outcome(app: &App, receipt: &Receipt, asked: Asked) -> Result<Outcome, Problem> {
    let Some((wait, topic)) = asked.wait else {
        return Ok(Outcome::Accepted(accepted(receipt, ExecutionStatus::Pending)));
    };
    asked.admission.release();
    let status = until_ended(app, topic, wait).await;
    if !status.is_terminal() {
        return Ok(Outcome::Accepted(accepted(receipt, status)));
    }
    Ok(Outcome::Ended(Box::new(view::execution(app, view::find(app, receipt.id).await?).await?)))
}

/// The answer to an accepted submission.
pub(crate) fn respond(receipt: &Receipt, outcome: &Outcome) -> Result<Response, Problem> {
    match outcome {
        Outcome::Accepted(run) => respond_with(receipt, StatusCode::ACCEPTED, run),
        Outcome::Ended(run) => respond_with(receipt, StatusCode::OK, run),
    }
}

/// The same with another body.
pub(crate) fn respond_with(
    receipt: &Receipt,
    status: StatusCode,
    body: &impl Serialize,
) -> Result<Response, Problem> {
    let mut response = (status, Json(body)).into_response();
    let location = HeaderValue::try_from(format!("/api/v1/executions/{}", receipt.id));
    response.headers_mut().insert(header::LOCATION, location.map_err(Problem::internal)?);
    if receipt.replayed {
        response
            .headers_mut()
            .insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    }
    Ok(response)
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
