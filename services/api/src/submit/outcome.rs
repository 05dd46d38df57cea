//! What a submission is answered: 202 with where to go on, or, when it waits, 200 with the run as it ended.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_contracts::ExecutionStatus;
use serde_json::{Value, json};

use super::accept::Receipt;
use super::wait::until_ended;
use crate::live::Subscription;
use crate::middleware::Admission;
use crate::problem::Problem;
use crate::state::App;
use crate::view;

/// How an answer was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Held so long for the run's end; none for an answer at once.
    pub(crate) wait: Option<(Duration, Subscription)>,
    /// The request's place, given up while it waits.
    pub(crate) admission: Admission,
}

/// The answer to an accepted submission.
pub(crate) async fn respond(app: &App, receipt: Receipt, asked: Asked) -> Result<Response, Problem> {
    let mut response = match asked.wait {
        None => (StatusCode::ACCEPTED, Json(body(&receipt, ExecutionStatus::Pending))).into_response(),
        Some((wait, topic)) => {
            asked.admission.release();
            let status = until_ended(app, topic, wait).await;
            if status.is_terminal() {
                let page = view::execution(app, view::find(app, receipt.id).await?).await?;
                (StatusCode::OK, Json(page)).into_response()
            } else {
                (StatusCode::ACCEPTED, Json(body(&receipt, status))).into_response()
            }
        }
    };
    let location = HeaderValue::try_from(format!("/api/v1/executions/{}", receipt.id));
    response.headers_mut().insert(header::LOCATION, location.map_err(Problem::internal)?);
    if receipt.replayed {
        response
            .headers_mut()
            .insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn body(receipt: &Receipt, status: ExecutionStatus) -> Value {
    json!({
        "execution_id": receipt.id,
        "status": status,
        "workflow_id": receipt.workflow_id,
        "version": receipt.version,
        "trace_id": receipt.trace_id,
        "links": view::links(receipt.id),
    })
}
