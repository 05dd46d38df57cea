//! `/collections/{name}/points`, and the search among them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use millrace_store::{CollectionLimits, Match, Point};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::SemaphorePermit;
use utoipa::ToSchema;

use crate::body;
use crate::collections::{nearest, points, problem};
use crate::openapi::described::{PointsRequest, SearchRequest};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;

/// What became of points that were sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointsTaken {
    /// New ones.
    added: u64,
    /// Those whose ids were there.
    replaced: u64,
}

/// A point of a collection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointView {
    id: String,
    /// Of length one where the collection's metric is the cosine.
    vector: Vec<f32>,
    payload: Map<String, Value>,
}

/// What is near.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Matches {
    matches: Vec<PointMatch>,
}

/// A point that is near.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointMatch {
    id: String,
    /// By the collection's metric; larger is nearer.
    score: f64,
    #[schema(value_type = Map<String, Value>)]
    payload: Value,
}

/// Add points to a collection, or replace those of the same ids
///
/// All or none. Sending them again changes nothing; of several with one id the last counts.
#[utoipa::path(
    put, path = "/api/v1/collections/{name}/points", operation_id = "put_points", tag = "collections",
    params(("name" = String, Path)),
    request_body = PointsRequest,
    responses((status = 200, description = "They are there, and found from now on.", body = PointsTaken)),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<PointsTaken>, Problem> {
    let held = body::object(&app, request, body::max_json(&app)).await?;
    let points = points(held.value, &app.collections)?;
    let limits =
        CollectionLimits { points: app.collections.max_points, scanned: app.collections.max_scanned };
    let _turn = turn(&app).await;
    let put = app.store.collections().put_points(&name, &points, &limits).await;
    let put = put.map_err(|error| problem(error, |position| format!("/points/{position}/vector")))?;
    Ok(Json(PointsTaken { added: put.added, replaced: put.replaced }))
}

/// Show a point of a collection
#[utoipa::path(
    get, path = "/api/v1/collections/{name}/points/{id}", operation_id = "get_point", tag = "collections",
    params(("name" = String, Path), ("id" = String, Path, description = "A slash in it is written %2F.")),
    responses((status = 200, description = "The point.", body = PointView)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
    params: Params,
) -> Result<Json<PointView>, Problem> {
    params.only(&[])?;
    let Point { id, vector, payload } = app.store.collections().get_point(&name, &id).await?;
    Ok(Json(PointView { id, vector, payload }))
}

/// Remove a point from a collection
#[utoipa::path(
    delete, path = "/api/v1/collections/{name}/points/{id}", operation_id = "delete_point", tag = "collections",
    params(("name" = String, Path), ("id" = String, Path, description = "A slash in it is written %2F.")),
    responses((status = 204, description = "Removed.")),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let _turn = turn(&app).await;
    app.store.collections().delete_point(&name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The permit to write, once it is this request's turn.
async fn turn(app: &App) -> SemaphorePermit<'_> {
    app.point_writers.acquire().await.expect("nobody closes the semaphore of writers")
}

/// Find what is near to a vector
#[utoipa::path(
    post, path = "/api/v1/collections/{name}/search", operation_id = "search_collection", tag = "collections",
    params(("name" = String, Path)),
    request_body = SearchRequest,
    responses((status = 200, description = "The nearest first.", body = Matches)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Matches>, Problem> {
    let held = body::object(&app, request, body::max_json(&app)).await?;
    let wanted = nearest(held.value)?;
    let found = app.store.collections().search(&name, &wanted).await;
    let found = found.map_err(|error| problem(error, |_| "/vector".to_owned()))?;
    let view = |Match { id, score, payload }: Match| PointMatch { id, score, payload };
    Ok(Json(Matches { matches: found.into_iter().map(view).collect() }))
}
