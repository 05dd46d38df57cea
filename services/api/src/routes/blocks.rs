//! `GET /blocks[/{type}]`: the catalogue, made from the blocks' own descriptions.

use axum::Json;
use axum::extract::Path;
use millrace_blocks::catalogue;
use serde_json::{Value, json};

use crate::params::Params;
use crate::problem::Problem;

/// Every block.
pub(crate) async fn list(params: Params) -> Result<Json<Value>, Problem> {
    params.only(&[])?;
    Ok(Json(json!({"blocks": catalogue()})))
}

/// One block: the newest version, or the one named as in `crop@1`.
pub(crate) async fn show(Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let block = catalogue().resolve(&name).ok_or_else(|| Problem::not_found("block", &name))?;
    Ok(Json(json!(block)))
}
