//! `GET /blobs/{id}/thumbnail?w=256`: a small picture of a picture. The api touches no pixels: a worker makes it, as a run of a
//! `resize` at low priority, and the result is a blob like any other, found by its origin from then on.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use millrace_contracts::job::Priority;
use millrace_contracts::values::ImageValue;
use millrace_contracts::{BlobId, ExecutionStatus};
use millrace_store::OWN_LABEL;
use serde_json::{Map, json};

use super::blobs;
use crate::openapi::described::Binary;
use crate::params::{Params, wrong};
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::submit::{self, Ask, Outcome, Ready, RunOptions, Target};
use crate::view::Execution;

/// The widths there are: any number would be as many blobs.
const WIDTHS: [u32; 5] = [64, 128, 256, 512, 1024];
/// The width where none is asked for.
const WIDTH: u32 = 256;
/// How long a request waits for its thumbnail.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fetch a small picture of a picture
///
/// A worker makes it at the first request. A picture that is smaller comes as it is.
#[utoipa::path(
    get, path = "/api/v1/blobs/{id}/thumbnail", operation_id = "get_thumbnail", tag = "blobs",
    params(("id" = BlobId, Path), ("w" = Option<u32>, Query, description = "The width, pixels: 64, 128, 256, 512 or 1024.", example = 256)),
    responses(
        (status = 200, description = "The picture.", body = Binary, content_type = "application/octet-stream"),
        (status = 206, description = "The range.", body = Binary, content_type = "application/octet-stream"),
        (status = 304, description = "The client has it."),
    ),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let id = blobs::named(&id)?;
    let params = params.only(&["w"])?;
    let what = "64, 128, 256, 512 or 1024";
    let width = params.parsed("w", what)?.unwrap_or(WIDTH);
    if !WIDTHS.contains(&width) {
        return Err(wrong("w", &width.to_string(), what));
    }
    if app.blobs.head(id).await?.is_none() {
        return Err(Problem::not_found("blob", id));
    }
    let ask = Ask::of_our_own(&request, PATIENCE)?;
    // Boxed: a submission as a whole is a large future.
    let key = (id, width);
    if let Some(known) = app.thumbnails.get(&key).await
        && app.blobs.head(known).await?.is_none()
    {
        app.thumbnails.invalidate(&key).await;
    }
    let making = Box::pin(make(&app, ask, id, width));
    let made = Box::pin(app.thumbnails.try_get_with(key, making)).await;
    let thumbnail = made.map_err(|problem| Problem::clone(&problem))?;
    blobs::answer(&app, thumbnail, request.headers()).await
}

/// Has the thumbnail made; those who ask for the same wait for the same.
async fn make(app: &App, ask: Ask, id: BlobId, width: u32) -> Result<BlobId, Problem> {
    let definition = json!({"name": "thumbnail", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "small", "type": "resize", "inputs": {"image": "$inputs.photo"},
         "config": {"width": width, "height": width, "mode": "fit", "interpolation": "area", "reduced_decode": true}},
        {"id": "result", "type": "json_output", "inputs": {"image": "$nodes.small.image"}},
    ]});
    let target = Target::inline(app, &definition).await?;
    let options = RunOptions {
        priority: Priority::Low,
        labels: Map::from_iter([(OWN_LABEL.0.to_owned(), json!(OWN_LABEL.1))]),
        timeout_ms: Some(PATIENCE.as_millis() as u64),
        ..RunOptions::default()
    };
    ask.admit(app, &target, &options).await?;
    let input = Map::from_iter([("photo".to_owned(), json!(format!("blob:{id}")))]);
    let input =
        submit::resolve(app, &target.compiled, input, "").await.map_err(|problem| of_blob(id, problem))?;
    let small_enough = input
        .get("photo")
        .and_then(ImageValue::from_value)
        .is_some_and(|image| image.width.max(image.height) <= width);
    if small_enough {
        return Ok(id);
    }
    match ask.accept(app, Ready { target, input, options, rerun_of: None }).await?.1 {
        Outcome::Ended(run) if run.status() == ExecutionStatus::Completed => blob_of(&run),
        Outcome::Ended(run) => {
            let detail =
                format!("a thumbnail could not be made of this blob; execution {} says why", run.id());
            Err(Problem::new(Code::InvalidInput, detail))
        }
        // The second cannot be: the definition above gives no answer of its own.
        Outcome::Accepted(_) | Outcome::Answered(..) => {
            Err(Problem::new(Code::Overloaded, "the thumbnail is still being made; ask again in a moment"))
        }
    }
}

/// The problem of a blob that is no picture. Whoever asked has sent no input that it could point into.
fn of_blob(id: BlobId, problem: Problem) -> Problem {
    match problem.errors() {
        [fault, ..] => {
            let detail = format!("there is no thumbnail of blob {id}: {}", fault.message);
            Problem::new(Code::InvalidInput, detail)
        }
        [] => problem,
    }
}

fn blob_of(run: &Execution) -> Result<BlobId, Problem> {
    let image = run.output("result").and_then(|result| result.get("image")).and_then(ImageValue::from_value);
    image.map(|image| image.blob).ok_or_else(|| Problem::new(Code::Internal, "a resize gave no picture"))
}
