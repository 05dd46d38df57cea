//! `POST /executions/{id}/cancel`: asks for a run's end. Asking twice is asking once.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_contracts::{ExecutionId, ExecutionStatus, Fault, Faults};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::body;
use crate::fields;
use crate::openapi::described::CancelRequest;
use crate::patience::patiently;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::view::{self, Links};

/// Bytes of the body, which holds a reason at most.
const MAX_BODY_BYTES: u64 = 16 * 1024;
/// Characters of a reason.
const MAX_REASON: usize = 1_000;

/// A run whose end was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct CancelAccepted {
    execution_id: ExecutionId,
    /// Where it stood when the wish was taken.
    status: ExecutionStatus,
    links: Links,
}

/// End a run early
///
/// Asking twice is asking once. The body may be left out.
#[utoipa::path(
    post, path = "/api/v1/executions/{id}/cancel", operation_id = "cancel_execution", tag = "executions",
    params(("id" = ExecutionId, Path)),
    request_body = Option<CancelRequest>,
    responses((status = 202, description = "Asked for.", body = CancelAccepted)),
)]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id = view::parse_id(&id)?;
    let reason = reason(&app, request).await?;
    let status = view::find(&app, id).await?.status();
    if status.is_terminal() && status != ExecutionStatus::Cancelled {
        let detail = format!("execution {id} has already ended: {status}");
        return Err(Problem::new(Code::ExecutionEnded, detail));
    }
    if status != ExecutionStatus::Cancelled {
        patiently(app.bus.cancel(id, &reason)).await?;
    }
    let answer = CancelAccepted { execution_id: id, status, links: view::links(id) };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// The reason in the body, which may be left out.
async fn reason(app: &App, request: Request) -> Result<String, Problem> {
    let asked = || "cancelled by request".to_owned();
    let Some(mut fields) = body::object_if_any(app, request, MAX_BODY_BYTES).await? else {
        return Ok(asked());
    };
    let mut faults = Faults::default();
    let reason = match fields.shift_remove("reason") {
        None | Some(Value::Null) => asked(),
        Some(Value::String(text)) if text.chars().count() <= MAX_REASON => text,
        Some(_) => {
            let message = format!("`reason` is a text of at most {MAX_REASON} characters");
            faults.push(Fault::new("INVALID_VALUE", "/reason", message));
            String::new()
        }
    };
    fields::refuse_rest(&fields, "", &["reason"], &mut faults);
    faults.or(reason).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))
}
