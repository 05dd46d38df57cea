//! Every address, in one flat table, and the layers around them.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use millrace_telemetry::Health;
use tower_http::catch_panic::CatchPanicLayer;

use crate::middleware::{admit, deadline, guard, observe, on_panic};
use crate::routes::{
    batch, blobs, blocks, cancel, console, events, executions, fallback, firehose, inference, jobs, models,
    nodes, queues, rerun, run, schedules, stats, upload, validate, versions, workers, workflows,
};
use crate::state::App;

/// The whole service.
pub(crate) fn router(app: Arc<App>, health: Health) -> Router {
    let api = Router::new()
        .route("/api/v1/blocks", get(blocks::list))
        .route("/api/v1/blocks/{type}", get(blocks::show))
        .route("/api/v1/workflows", get(workflows::list).post(workflows::create))
        .route("/api/v1/workflows/validate", post(validate::validate))
        .route(
            "/api/v1/workflows/{id}",
            get(workflows::show).put(workflows::replace).delete(workflows::delete),
        )
        .route("/api/v1/workflows/{id}/versions", get(versions::list))
        .route("/api/v1/workflows/{id}/versions/{version}", get(versions::show))
        .route("/api/v1/workflows/{id}/run", post(run::saved))
        .route("/api/v1/workflows/{id}/run-batch", post(batch::run))
        .route("/api/v1/workflows/{id}/schedules", get(schedules::list).post(schedules::create))
        .route(
            "/api/v1/schedules/{id}",
            get(schedules::show).put(schedules::replace).delete(schedules::delete),
        )
        .route("/api/v1/schedules/{id}/trigger", post(schedules::trigger))
        .route("/api/v1/executions", get(executions::list).post(run::inline))
        .route("/api/v1/executions/{id}", get(executions::show))
        .route("/api/v1/executions/{id}/nodes", get(nodes::list))
        .route("/api/v1/executions/{id}/nodes/{node}", get(nodes::show))
        .route("/api/v1/executions/{id}/events", get(events::follow))
        .route("/api/v1/executions/{id}/cancel", post(cancel::cancel))
        .route("/api/v1/executions/{id}/rerun", post(rerun::rerun))
        .route("/api/v1/events", get(firehose::follow))
        .route("/api/v1/blobs", post(upload::upload))
        .route("/api/v1/blobs/{id}", get(blobs::show))
        .route("/api/v1/workers", get(workers::list))
        .route("/api/v1/workers/{id}/drain", post(workers::drain))
        .route("/api/v1/queues", get(queues::list))
        .route("/api/v1/stats", get(stats::show))
        .route("/api/v1/models", get(models::list))
        .route("/api/v1/inference/jobs", get(jobs::list))
        .route("/api/v1/inference/jobs/{id}", get(jobs::show))
        .route("/api/v1/inference/{task}", post(inference::run))
        .fallback(console::show)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .layer(DefaultBodyLimit::max(app.settings.max_body.as_usize()))
        .layer(from_fn_with_state(app.clone(), deadline))
        .layer(from_fn_with_state(app.clone(), admit))
        .layer(from_fn(guard))
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(from_fn(observe))
        .with_state(app);
    // Outside the layers: an overloaded server is alive and must be able to say so.
    health.router().merge(api)
}
