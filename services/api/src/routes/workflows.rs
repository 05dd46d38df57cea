//! `/workflows[/{id}]`: saved definitions. A save is a new version; If-Match keeps two editors from undoing each other.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_contracts::{Fault, WorkflowId};
use millrace_store::{Definition, NewWorkflow, WorkflowRecord};
use serde_json::{Value, json};

use crate::cursor::Cursor;
use crate::etag;
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::{body, library, plans};

/// Saves a new workflow.
pub(crate) async fn create(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let new = read(&app, request, None).await?;
    let record = app.store.workflows().create(WorkflowId::generate(), &new).await?;
    let location = format!("/api/v1/workflows/{}", record.id);
    let mut response = (StatusCode::CREATED, answer(&record)?).into_response();
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::try_from(location).map_err(Problem::internal)?);
    Ok(response)
}

/// A page of workflows, newest first.
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, Problem> {
    let params = params.only(&["cursor", "limit"])?;
    let limit = params.limit(50, 200)?;
    let before = params.text("cursor").map(Cursor::decode).transpose()?.map(|cursor| WorkflowId(cursor.0));
    let page = app.store.workflows().list(before, limit).await?;
    let last = page.last().filter(|_| page.len() == limit as usize);
    let next = last.map(|last| Cursor(last.id.0).encode());
    let rows: Vec<_> = page
        .iter()
        .map(|row| {
            json!({
                "id": row.id, "name": row.name, "version": row.version,
                "created_at": row.created_at, "updated_at": row.updated_at,
            })
        })
        .collect();
    Ok(Json(json!({"workflows": rows, "next_cursor": next})))
}

/// The newest version.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let record = app.store.workflows().get(parse_id(&id)?).await?;
    if etag::none_match(&headers, &etag::of_version(record.version)) {
        return Ok(
            (StatusCode::NOT_MODIFIED, [(header::ETAG, etag::of_version(record.version))]).into_response()
        );
    }
    answer(&record)
}

/// Saves a new version.
pub(crate) async fn replace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (id, expected) = (parse_id(&id)?, etag::if_match(request.headers())?);
    let new = read(&app, request, Some(id)).await?;
    let record = app.store.workflows().put(id, expected, &new).await?;
    answer(&record)
}

/// Deletes it; its runs stay.
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    app.store.workflows().delete(parse_id(&id)?, etag::if_match(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The id that a path names; what is not an id names nothing.
pub(crate) fn parse_id(text: &str) -> Result<WorkflowId, Problem> {
    text.parse().map_err(|_| Problem::not_found("workflow", text))
}

/// A workflow at one of its versions.
pub(crate) fn answer(record: &WorkflowRecord) -> Result<Response, Problem> {
    let body = json!({
        "id": record.id,
        "name": record.name,
        "version": record.version,
        "latest_version": record.latest_version,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "definition": record.definition,
        "links": {
            "self": format!("/api/v1/workflows/{}", record.id),
            "run": format!("/api/v1/workflows/{}/run", record.id),
            "versions": format!("/api/v1/workflows/{}/versions", record.id),
        },
    });
    Ok(([(header::ETAG, etag::of_version(record.version))], Json(body)).into_response())
}

/// The definition in the body: compiled, complete, its blocks' and sub-workflows' versions pinned.
async fn read(app: &App, request: Request, own: Option<WorkflowId>) -> Result<NewWorkflow, Problem> {
    let definition = body::json(app, request, app.settings.max_definition.bytes()).await?;
    let compiled =
        library::compile(app, &definition.value, own).await?.map_err(|faults| plans::invalid(faults, ""))?;
    compiled.store(&app.blobs).await?;
    let name = compiled.definition.get("name").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    if !(1..=200).contains(&name.chars().count()) {
        let fault =
            Fault::new("INVALID_NAME", "/name", "a saved workflow needs a name of 1 to 200 characters");
        return Err(Problem::fault(Code::InvalidWorkflow, fault.hint("write \"name\": \"what it is for\"")));
    }
    Ok(NewWorkflow { name, definition: Definition { id: compiled.id, json: compiled.definition.clone() } })
}
