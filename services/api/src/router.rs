//! Every address, in one flat table, and the layers around them. A handler's annotation holds its method and path, so that the
//! document knows every route there is.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum::{Extension, Router};
use millrace_telemetry::Health;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Rules;
use crate::middleware::{admit, audit, authenticate, deadline, observe, on_panic, readable};
use crate::openapi::{self, Document};
use crate::routes::{
    audit as changes, batch, blobs, blocks, cancel, collections, console, dead_letters, delete, docs, events,
    executions, fallback, firehose, inference, jobs, keys, models, nodes, openapi as described, points,
    queues, rerun, run, schedules, session, stats, thumbnail, upload, validate, versions, workers, workflows,
};
use crate::state::App;

/// The whole service.
pub(crate) fn router(app: Arc<App>, health: Health) -> Router {
    let (api, description) = api().split_for_parts();
    let description = openapi::complete(description);
    let document = Document::of(&description);
    let rules = Arc::new(Rules::of(description));
    let cors = cors(&app.auth.allowed_origins);
    let api = api
        // For people and not for programs, and so not in the document.
        .route("/docs", get(docs::enter))
        .route("/docs/", get(docs::page))
        .route("/docs/{file}", get(docs::file))
        .fallback(console::show)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .layer(Extension(document))
        .layer(DefaultBodyLimit::max(app.settings.max_body.as_usize()))
        .layer(from_fn(readable))
        .layer(from_fn_with_state(app.clone(), deadline))
        .layer(from_fn_with_state(app.clone(), audit))
        .layer(from_fn_with_state(app.clone(), admit))
        .layer(from_fn_with_state(app.clone(), authenticate))
        .layer(Extension(rules))
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(from_fn(observe))
        .layer(cors)
        .with_state(app);
    // Outside the layers: an overloaded server is alive and must be able to say so.
    health.router().merge(api)
}

/// Pages of other sites may call where the settings name them. Without cookies: such a page sends a key.
fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return CorsLayer::new();
    }
    let own = |name: &'static str| HeaderName::from_static(name);
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            own("idempotency-key"),
            own("last-event-id"),
            own("traceparent"),
        ])
        .expose_headers([
            header::CONTENT_RANGE,
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            own("idempotency-replayed"),
            own("x-request-id"),
        ])
}

/// The addresses of the api, each with its description.
fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(definitions())
        .merge(runs())
        .merge(bytes_and_jobs())
        .merge(vectors())
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
        .routes(routes!(executions::show, delete::delete))
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
        .routes(routes!(thumbnail::show))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show))
        .routes(routes!(inference::run))
}

fn vectors() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(collections::list, collections::create))
        .routes(routes!(collections::show, collections::delete))
        .routes(routes!(points::put))
        .routes(routes!(points::show, points::delete))
        .routes(routes!(points::search))
}

fn the_rest() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(workers::list))
        .routes(routes!(workers::drain))
        .routes(routes!(queues::list))
        .routes(routes!(stats::show))
        .routes(routes!(models::list, models::create))
        .routes(routes!(models::show, models::delete))
        .routes(routes!(models::preload))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::redo))
        .routes(routes!(changes::list))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(session::show, session::log_in, session::log_out))
        .routes(routes!(session::token))
        .routes(routes!(described::show))
}
