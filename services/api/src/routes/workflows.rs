//! `/workflows[/{id}]`: saved definitions. A save is a new version; If-Match keeps two editors from undoing each other.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_contracts::{Fault, UnixMillis, WorkflowId};
use millrace_store::{Definition, NewWorkflow, WorkflowRecord};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::cursor::Cursor;
use crate::etag;
use crate::openapi::definition;
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::{body, library, plans};

/// A workflow at one of its versions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Workflow<'a> {
    id: WorkflowId,
    name: &'a str,
    version: u32,
    latest_version: u32,
    created_at: UnixMillis,
    updated_at: UnixMillis,
    #[schema(value_type = definition::Definition)]
    definition: &'a Value,
    links: WorkflowLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct WorkflowLinks {
    #[serde(rename = "self")]
    own: String,
    run: String,
    versions: String,
}

/// A workflow in a list.
#[derive(Debug, Serialize, ToSchema)]
struct WorkflowRow {
    id: WorkflowId,
    name: String,
    version: u32,
    created_at: UnixMillis,
    updated_at: UnixMillis,
}

/// A page of workflows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkflowPage {
    workflows: Vec<WorkflowRow>,
    /// What to send as `cursor` for the page after.
    next_cursor: Option<String>,
}

/// Save a workflow
#[utoipa::path(
    post, path = "/api/v1/workflows", operation_id = "create_workflow", tag = "workflows",
    request_body = definition::Definition,
    responses((status = 201, description = "Saved as version 1.", body = Workflow<'_>, headers(("ETag" = String), ("Location" = String)))),
)]
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

/// List workflows, newest first
#[utoipa::path(
    get, path = "/api/v1/workflows", operation_id = "list_workflows", tag = "workflows",
    params(
        ("name" = Option<String>, Query, description = "Those whose name contains this, in whatever case."),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "A page.", body = WorkflowPage)),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<WorkflowPage>, Problem> {
    let params = params.only(&["name", "cursor", "limit"])?;
    let limit = params.limit(50, 200)?;
    let before = params.text("cursor").map(Cursor::decode).transpose()?.map(|cursor| WorkflowId(cursor.0));
    let page = app.store.workflows().list(params.text("name"), before, limit).await?;
    let last = page.last().filter(|_| page.len() == limit as usize);
    let next = last.map(|last| Cursor(last.id.0).encode());
    let rows = page.into_iter().map(|row| WorkflowRow {
        id: row.id,
        name: row.name,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    });
    Ok(Json(WorkflowPage { workflows: rows.collect(), next_cursor: next }))
}

/// Show a workflow at its newest version
#[utoipa::path(
    get, path = "/api/v1/workflows/{id}", operation_id = "get_workflow", tag = "workflows",
    params(("id" = WorkflowId, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "The workflow.", body = Workflow<'_>, headers(("ETag" = String))), (status = 304, description = "The client has it.")),
)]
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

/// Save a new version of a workflow
#[utoipa::path(
    put, path = "/api/v1/workflows/{id}", operation_id = "replace_workflow", tag = "workflows",
    params(("id" = WorkflowId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the version that is replaced.")),
    request_body = definition::Definition,
    responses((status = 200, description = "Saved.", body = Workflow<'_>, headers(("ETag" = String)))),
)]
pub(crate) async fn replace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (id, expected) = (parse_id(&id)?, etag::if_match(request.headers())?);
    let new = read(&app, request, Some(id)).await?;
    let record = app.store.workflows().put(id, expected, &new).await?;
    app.known.changed(&app, id).await;
    answer(&record)
}

/// Delete a workflow; its runs stay
#[utoipa::path(
    delete, path = "/api/v1/workflows/{id}", operation_id = "delete_workflow", tag = "workflows",
    params(("id" = WorkflowId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted.")),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let id = parse_id(&id)?;
    app.store.workflows().delete(id, etag::if_match(&headers)?).await?;
    app.known.changed(&app, id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The id that a path names; what is not an id names nothing.
pub(crate) fn parse_id(text: &str) -> Result<WorkflowId, Problem> {
    text.parse().map_err(|_| Problem::not_found("workflow", text))
}

/// The answer that shows `record`.
pub(crate) fn answer(record: &WorkflowRecord) -> Result<Response, Problem> {
    let own = format!("/api/v1/workflows/{}", record.id);
    let body = Workflow {
        id: record.id,
        name: &record.name,
        version: record.version,
        latest_version: record.latest_version,
        created_at: record.created_at,
        updated_at: record.updated_at,
        definition: &record.definition,
        links: WorkflowLinks { run: format!("{own}/run"), versions: format!("{own}/versions"), own },
    };
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
