//! Every address, in one flat table, and the layers around them. A handler's annotation holds its method and path, so that the
//! document knows every route there is.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum::{Extension, Router};
use millrace_telemetry::Health;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::middleware::{admit, deadline, guard, observe, on_panic};
use crate::openapi::{self, Document};
use crate::routes::{
    batch, blobs, blocks, cancel, console, docs, events, executions, fallback, firehose, inference, jobs,
    models, nodes, openapi as described, queues, rerun, run, schedules, stats, upload, validate, versions,
    workers, workflows,
};
use crate::state::App;

/// The whole service.
pub(crate) fn router(app: Arc<App>, health: Health) -> Router {
    let (api, description) = api().split_for_parts();
    let document = Document::of(&openapi::complete(description));
    let api = api
        // For people and not for programs, and so not in the document.
        .route("/docs", get(docs::enter))
        .route("/docs/", get(docs::page))
        .route("/docs/{file}", get(docs::file))
        .fallback(console::show)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .layer(Extension(document))
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

/// The addresses of the api, each with its description.
fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(definitions())
        .merge(runs())
        .merge(bytes_and_jobs())
        .merge(the_rest())
}

fn definitions() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(blocks::list))
        .routes(routes!(blocks::show))
        .routes(routes!(workflows::list, workflows::create))
        .routes(routes!(validate::validate))
        .routes(routes!(workflows::show, workflows::replace, workflows::delete))
        .routes(routes!(versions::list))
        .routes(routes!(versions::show))
        .routes(routes!(schedules::list, schedules::create))
        .routes(routes!(schedules::show, schedules::replace, schedules::delete))
        .routes(routes!(schedules::trigger))
}

fn runs() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(run::saved))
        .routes(routes!(batch::run))
        .routes(routes!(executions::list, run::inline))
        .routes(routes!(executions::show))
        .routes(routes!(nodes::list))
        .routes(routes!(nodes::show))
        .routes(routes!(events::follow))
        .routes(routes!(cancel::cancel))
        .routes(routes!(rerun::rerun))
        .routes(routes!(firehose::follow))
}

fn bytes_and_jobs() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(upload::upload))
        .routes(routes!(blobs::show))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show))
        .routes(routes!(inference::run))
}

fn the_rest() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(workers::list))
        .routes(routes!(workers::drain))
        .routes(routes!(queues::list))
        .routes(routes!(stats::show))
        .routes(routes!(models::list))
        .routes(routes!(described::show))
}
