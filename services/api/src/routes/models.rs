//! `/models`: the registry, where each model is warm, and the wish that it be.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_contracts::job::ModelRef;
use millrace_contracts::model::{ModelWish, Origin, RegisteredModel, is_address, is_weights};
use millrace_contracts::{Fault, ModelId, Pool, WorkerId};
use millrace_store::{ModelRecord, StoreError};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

use crate::body;
use crate::cursor::NameCursor;
use crate::fields::cut;
use crate::models::{self, Failures, Fleet, Known, Listed, Wanted, page};
use crate::openapi::described;
use crate::params::Params;
use crate::patience::patiently;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::submit;

/// The pool that is meant when none is named: where model blocks go.
const USUAL_POOL: &str = "fast";
/// Models of one page: who asks for no limit gets all that most have.
const MOST_LISTED: u32 = 200;
/// Between looks at where a model is warm.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A page of the models that are registered, or that workers name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Models {
    #[schema(value_type = Vec<described::Model>)]
    models: Vec<Value>,
    /// What to send as `cursor` for the page after.
    next_cursor: Option<String>,
}

/// Where a model is warm.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preloaded {
    #[schema(value_type = String)]
    model_id: ModelId,
    /// The pool whose workers were asked.
    #[schema(value_type = String)]
    pool: Pool,
    /// Those of them that have it loaded.
    #[schema(value_type = Vec<String>)]
    workers: Vec<WorkerId>,
}

/// List the models that are registered or that workers name, in alphabetical order
#[utoipa::path(
    get, path = "/api/v1/models", operation_id = "list_models", tag = "models",
    params(
        ("name" = Option<String>, Query, description = "Those whose name contains this, in whatever case."),
        ("cursor" = Option<String>, Query),
        ("limit" = Option<u32>, Query, description = "200 when absent.", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "A page.", body = Models)),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Models>, Problem> {
    let params = params.only(&["name", "cursor", "limit"])?;
    let after = params.text("cursor").map(NameCursor::decode).transpose()?.map(|cursor| cursor.0.into());
    let limit = params.limit(MOST_LISTED, MOST_LISTED)?;
    let Listed { models, last } =
        models::list(&app, &Wanted { name: params.text("name"), after, limit }).await?;
    Ok(Json(Models { models, next_cursor: last.map(|id| NameCursor(id.to_string()).encode()) }))
}

/// Register a model, or replace what is registered under its name
///
/// From then on every run that begins has the new one. A run that is under way uses one copy of a model throughout: where it meets
/// the new one, it fails and is to be run again. Workers ask anew for what is at the addresses, also of a model that is registered as
/// it was before; what is still the same there (`sha256`, `ETag`, `Last-Modified`) does not come again.
#[utoipa::path(
    post, path = "/api/v1/models", operation_id = "register_model", tag = "models",
    request_body = described::ModelRequest,
    responses(
        (status = 201, description = "Registered.", body = described::Model, headers(("Location" = String))),
        (status = 200, description = "Replaced.", body = described::Model, headers(("Location" = String))),
    ),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn create(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let held = body::object(&app, request, body::max_json(&app)).await?;
    let model = models::read(held.value)?;
    let size_bytes = check_blobs(&app, &model).await?;
    let mut fleet = fleet_with(&app, &model.id).await?;
    let before = find(&app, &model.id).await?;
    if before.is_none() && fleet.has_in_repository(&model.id) {
        let detail = format!("workers have a model {} in their repository; choose another name", model.id);
        return Err(Problem::new(Code::ModelInRepository, detail));
    }
    let record = models::note(&app, &ModelRecord { size_bytes, ..models::record_of(&model) }).await?;
    // Workers have not heard of it yet.
    fleet.forget_copies(&model.id);
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let known = Known { record: Some(&record), ..Known::default() };
    let mut response = (status, Json(page(&model.id, known, &fleet))).into_response();
    let location = format!("/api/v1/models/{}", model.id.as_str().replace('/', "%2F"));
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::try_from(location).map_err(Problem::internal)?);
    Ok(response)
}

/// Show a model
#[utoipa::path(
    get, path = "/api/v1/models/{id}", operation_id = "get_model", tag = "models",
    params(("id" = String, Path, description = "Its name; a slash in it is written %2F.")),
    responses((status = 200, description = "The model.", body = described::Model)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<Value>, Problem> {
    params.only(&[])?;
    let id = ModelId::from(id);
    let workers = patiently(app.bus.workers()).await?;
    let mut fleet = Fleet::of(&workers);
    look_further(&app, &mut fleet, &id).await?;
    let record = known(&app, &id, &fleet).await?;
    let asked = fleet.has_in_repository(&id).then(|| id.clone());
    let described = patiently(app.bus.descriptions(asked.as_slice())).await?;
    let copies = patiently(app.bus.copies(fleet.warm_copy(&id).as_slice())).await?;
    let copy = copies.values().next();
    let known = Known { record: record.as_ref(), description: described.get(&id), copy };
    let mut page = page(&id, known, &fleet);
    if let Some(failed) = Failures::of(&workers, &id).latest() {
        page["last_error"] = serde_json::to_value(failed).map_err(Problem::internal)?;
    }
    Ok(Json(page))
}

/// Take a registered model out
///
/// What is in a worker's repository stays: it is the operator's. What workers downloaded because a workflow names its address is not
/// registered: they remove it by themselves when they need the room.
#[utoipa::path(
    delete, path = "/api/v1/models/{id}", operation_id = "delete_model", tag = "models",
    params(("id" = String, Path, description = "Its name; a slash in it is written %2F.")),
    responses((status = 204, description = "Deleted.")),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = ModelId::from(id);
    if find(&app, &id).await?.is_none() {
        if is_address(id.as_str()) {
            return Err(unregistered_address(&id));
        }
        if fleet_with(&app, &id).await?.has_in_repository(&id) {
            let detail = format!(
                "model {id} is in a worker's repository, and not registered; remove its folder there"
            );
            return Err(Problem::new(Code::ModelInRepository, detail));
        }
    }
    models::take_out(&app, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask the workers of a pool to load a model
#[utoipa::path(
    post, path = "/api/v1/models/{id}/preload", operation_id = "preload_model", tag = "models",
    params(
        ("id" = String, Path, description = "Its name; a slash in it is written %2F."),
        ("pool" = Option<String>, Query, description = "Whose workers are asked; `fast` when absent."),
        ("wait" = Option<String>, Query, description = "Holds the answer until one of them has it, or says why it cannot, such as `30s`."),
    ),
    responses(
        (status = 200, description = "It is warm.", body = Preloaded),
        (status = 202, description = "Asked; it is warm nowhere yet.", body = Preloaded),
    ),
)]
pub(crate) async fn preload(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
) -> Result<(StatusCode, Json<Preloaded>), Problem> {
    let params = params.only(&["pool", "wait"])?;
    let pool = Pool::from(params.text("pool").unwrap_or(USUAL_POOL));
    let wait = params.text("wait").map(|text| submit::parse_wait(text, app.settings.max_wait)).transpose()?;
    let deadline = Instant::now() + wait.unwrap_or_default();
    let id = ModelId::from(id);
    let workers = patiently(app.bus.workers()).await?;
    let mut there = Fleet::of(&workers);
    look_further(&app, &mut there, &id).await?;
    let record = known(&app, &id, &there).await?;
    check_pool(&there, &pool)?;
    let said = Failures::of(&workers, &id);
    let source = record.map_or_else(|| models::unregistered(&id).to_owned(), |record| record.source);
    let model = ModelRef { id: id.clone(), source, digest: None };
    patiently(app.bus.wish(&ModelWish::Load { model, pool: pool.clone() })).await?;
    loop {
        let fleet = patiently(app.bus.workers()).await?;
        let workers: Vec<WorkerId> = Fleet::of(&fleet).warm_in(&id, &pool).into_iter().cloned().collect();
        if workers.is_empty()
            && let Some(failed) = Failures::of(&fleet, &id).news(&said, &pool)
        {
            return Err(failed.problem());
        }
        if !workers.is_empty() || Instant::now() >= deadline || app.shutdown.is_cancelled() {
            let status = if workers.is_empty() { StatusCode::ACCEPTED } else { StatusCode::OK };
            return Ok((status, Json(Preloaded { model_id: id, pool, workers })));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// What who wants to be rid of a downloaded model is told.
fn unregistered_address(id: &ModelId) -> Problem {
    let detail = format!(
        "no model is registered as {:?}: who names an address needs none to be, so there is nothing to delete; workers remove what \
         they downloaded by themselves, the least recently used first, once it is more than their models.downloads_quota",
        cut(id.as_str())
    );
    Problem::new(Code::NotFound, detail)
}

/// Refuses a pool that nobody serves: nobody would hear the wish.
fn check_pool(fleet: &Fleet, pool: &Pool) -> Result<(), Problem> {
    let served = fleet.pools();
    if served.contains(pool.as_str()) {
        return Ok(());
    }
    let message = format!("no worker serves pool {:?}", cut(pool.as_str()));
    let hint = if served.is_empty() {
        "there are no workers at the moment; start one".to_owned()
    } else {
        format!("the pools that are served are {}", served.into_iter().collect::<Vec<_>>().join(", "))
    };
    Err(Problem::fault(Code::InvalidRequest, Fault::new("INVALID_VALUE", "/pool", message).hint(hint)))
}

async fn fleet(app: &App) -> Result<Fleet, Problem> {
    Ok(Fleet::of(&patiently(app.bus.workers()).await?))
}

/// What the workers say, also of `id` where it is one of too many to be named by them.
async fn fleet_with(app: &App, id: &ModelId) -> Result<Fleet, Problem> {
    let mut fleet = fleet(app).await?;
    look_further(app, &mut fleet, id).await?;
    Ok(fleet)
}

/// Asks for `id` among the models that are too many for workers to name.
async fn look_further(app: &App, fleet: &mut Fleet, id: &ModelId) -> Result<(), Problem> {
    if !fleet.has_in_repository(id) && patiently(app.bus.has_model_name(fleet.further(), id)).await? {
        fleet.note_in_repository(id);
    }
    Ok(())
}

async fn find(app: &App, id: &ModelId) -> Result<Option<ModelRecord>, Problem> {
    match app.store.models().get(id).await {
        Ok(record) => Ok(Some(record)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The model, registered or named by a worker.
async fn known(app: &App, id: &ModelId, fleet: &Fleet) -> Result<Option<ModelRecord>, Problem> {
    let record = find(app, id).await?;
    if record.is_none() && !fleet.knows(id) {
        return Err(Problem::not_found("model", id));
    }
    Ok(record)
}

/// Refuses files in the blob store that are not there: the first job would find out otherwise. Answers the size of the ONNX file and
/// of its weights, if all of them are blobs.
async fn check_blobs(app: &App, model: &RegisteredModel) -> Result<Option<u64>, Problem> {
    let files = model.files.iter().map(|(name, origin)| (format!("/files/{name}"), origin, is_weights(name)));
    let mut size = Some(0);
    for (pointer, origin, counts) in files.chain([("/checkpoint".to_owned(), &model.checkpoint, true)]) {
        let bytes = match origin {
            Origin::Url(_) => None,
            Origin::Blob(id) => Some(app.blobs.touch(*id).await?.ok_or_else(|| {
                let fault = Fault::new("BLOB_NOT_FOUND", pointer, format!("there is no blob {id}"));
                let fault = fault.hint("POST /api/v1/blobs stores one");
                Problem::fault(Code::InvalidRequest, fault)
            })?),
        };
        if counts {
            size = size.zip(bytes).map(|(size, bytes)| size + bytes);
        }
    }
    Ok(size)
}
