//! `GET /blocks[/{type}]`: the catalogue, made from the blocks' own descriptions.

use axum::Json;
use axum::extract::Path;
use millrace_blocks::{Block, Catalogue, catalogue};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::described;
use crate::params::Params;
use crate::problem::Problem;

/// The catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Blocks {
    #[schema(value_type = Vec<described::Block>)]
    blocks: &'static Catalogue,
}

/// List every block
#[utoipa::path(
    get, path = "/api/v1/blocks", operation_id = "list_blocks", tag = "blocks",
    responses((status = 200, description = "The catalogue.", body = Blocks)),
)]
pub(crate) async fn list(params: Params) -> Result<Json<Blocks>, Problem> {
    params.only(&[])?;
    Ok(Json(Blocks { blocks: catalogue() }))
}

/// Show a block: the newest version, or the one named as in `crop@1`
#[utoipa::path(
    get, path = "/api/v1/blocks/{type}", operation_id = "get_block", tag = "blocks",
    params(("type" = String, Path, example = "crop@1")),
    responses((status = 200, description = "The block.", body = described::Block)),
)]
pub(crate) async fn show(Path(name): Path<String>) -> Result<Json<&'static Block>, Problem> {
    let block = catalogue().resolve(&name).ok_or_else(|| Problem::not_found("block", &name))?;
    Ok(Json(block))
}
