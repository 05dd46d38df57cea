//! `/collections`: vectors to search among, for `similarity_search` and for whoever asks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_contracts::UnixMillis;
use millrace_store::CollectionRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body;
use crate::collections::{exists, new_collection};
use crate::openapi::described::CollectionRequest;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;

/// Bytes of a body that describes a collection.
const MAX_BODY_BYTES: u64 = 16 * 1024;

/// A collection of vectors.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Collection {
    name: String,
    /// How many numbers each vector has.
    dimension: u32,
    /// `cosine` or `dot`.
    metric: String,
    /// Whether an index finds the nearest; otherwise a search looks at every point, and there may be fewer of them.
    indexed: bool,
    /// Points in it.
    points: u64,
    #[schema(value_type = i64)]
    created_at: UnixMillis,
    /// When a point was last added or removed.
    #[schema(value_type = i64)]
    updated_at: UnixMillis,
}

/// The collections there are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Collections {
    collections: Vec<Collection>,
}

impl From<CollectionRecord> for Collection {
    fn from(record: CollectionRecord) -> Self {
        Self {
            name: record.name,
            dimension: record.dimension,
            metric: record.metric.to_string(),
            indexed: record.indexed,
            points: record.points,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// List the collections, by name
#[utoipa::path(
    get, path = "/api/v1/collections", operation_id = "list_collections", tag = "collections",
    responses((status = 200, description = "The collections.", body = Collections)),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Collections>, Problem> {
    params.only(&[])?;
    let all = app.store.collections().list(app.collections.max_collections).await?;
    Ok(Json(Collections { collections: all.into_iter().map(Collection::from).collect() }))
}

/// Make a collection, unless it is there
#[utoipa::path(
    post, path = "/api/v1/collections", operation_id = "create_collection", tag = "collections",
    request_body = CollectionRequest,
    responses(
        (status = 201, description = "Made.", body = Collection, headers(("Location" = String))),
        (status = 200, description = "It is there, as it is wanted.", body = Collection, headers(("Location" = String))),
    ),
)]
pub(crate) async fn create(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let new = new_collection(body::object(&app, request, MAX_BODY_BYTES).await?.value)?;
    let most = app.collections.max_collections;
    let (record, made) = app.store.collections().create(&new, most).await.map_err(exists)?;
    let status = if made { StatusCode::CREATED } else { StatusCode::OK };
    let location = HeaderValue::try_from(format!("/api/v1/collections/{}", new.name));
    let location = [(header::LOCATION, location.map_err(Problem::internal)?)];
    Ok((status, location, Json(Collection::from(record))).into_response())
}

/// Show a collection
#[utoipa::path(
    get, path = "/api/v1/collections/{name}", operation_id = "get_collection", tag = "collections",
    params(("name" = String, Path)),
    responses((status = 200, description = "The collection.", body = Collection)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Collection>, Problem> {
    params.only(&[])?;
    Ok(Json(app.store.collections().get(&name).await?.into()))
}

/// Delete a collection with its points
#[utoipa::path(
    delete, path = "/api/v1/collections/{name}", operation_id = "delete_collection", tag = "collections",
    params(("name" = String, Path)),
    responses((status = 204, description = "Deleted.")),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    app.store.collections().delete(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
