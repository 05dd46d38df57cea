//! The role's life: start its tasks, serve, stop taking requests, finish those in hand, end.

mod connections;
mod linger;
mod listen;

use std::sync::Arc;

use millrace_store::{GroupCommit, GroupCommitSettings};
use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::listen::listen;
use crate::audit::Ledger;
use crate::deps::Deps;
use crate::error::ApiError;
use crate::gauges;
use crate::health::with_checks;
use crate::live::subscribe_now;
use crate::models;
use crate::router::router;
use crate::state::App;

const SERVER: TaskKind = TaskKind::new("api server", OnError::Stop, OnCancel::Wait);
const LIVE: TaskKind = TaskKind::new("api live feed", OnError::Stop, OnCancel::Abort);
const MODELS: TaskKind = TaskKind::new("api model registry", OnError::Log, OnCancel::Abort);
const QUEUES: TaskKind = TaskKind::new("api queue gauge", OnError::Log, OnCancel::Abort);
const STREAMS: TaskKind = TaskKind::new("api stream gauge", OnError::Log, OnCancel::Abort);
const LEDGER: TaskKind = TaskKind::new("api audit", OnError::Stop, OnCancel::Wait);
const GIVEN_UP: TaskKind = TaskKind::new("api given-up uploads", OnError::Stop, OnCancel::Wait);
const COMMITS: TaskKind = TaskKind::new("api group commit", OnError::Stop, OnCancel::Wait);

/// Serves the api on `listener` until `shutdown`, then finishes what is in hand within the grace period of the settings.
///
/// # Errors
/// A listener that others than this machine can reach, while there are no api keys, or while that cannot be known; a task
/// that failed; a grace period that was not enough.
pub async fn run(mut deps: Deps, listener: TcpListener, shutdown: CancellationToken) -> Result<(), ApiError> {
    let address = listener.local_addr().map_err(ApiError::Listener)?;
    let exposed = !address.ip().is_loopback();
    // Without keys everybody who reaches the api may use it.
    if exposed && !deps.store.api_keys().any().await? {
        return Err(ApiError::NotLoopback(address));
    }
    deps.store = deps.store.with_idempotency_window(deps.settings.idempotency_window);
    // The server ends first, and the committer and the ledger after it: a request in hand must still find them.
    let (serving, committing) = (Supervisor::new(), Supervisor::new());
    let settings = GroupCommitSettings {
        max_waiting: deps.settings.accept_queue,
        max_batch: deps.settings.accept_batch,
    };
    let (commits, committer) = GroupCommit::new(deps.store.clone(), settings);
    let (ledger, keeper) = Ledger::new(deps.settings.audit_queue);
    let (grace, health) = (deps.settings.grace, deps.health.clone());
    let app = Arc::new(App::new(deps, (commits, ledger), exposed, serving.token()));

    let stop = committing.token();
    committing.spawn(COMMITS, async move {
        committer.run(stop.cancelled()).await;
        Ok::<(), ApiError>(())
    });
    let (bus, stop) = (app.bus.clone(), committing.token());
    committing.spawn(LEDGER, async move {
        keeper.run(bus, stop).await;
        Ok::<(), ApiError>(())
    });
    let (blobs, stop) = (app.blobs.clone(), committing.token());
    committing.spawn(GIVEN_UP, async move {
        blobs.end_given_up(stop.cancelled()).await;
        Ok::<(), ApiError>(())
    });
    // Before the first request: a stream that is opened must miss nothing.
    let feed = subscribe_now(&app.bus).await;
    serving.spawn(LIVE, app.hub.clone().feed(app.bus.clone(), feed));
    serving.spawn(MODELS, models::keep_whole(app.clone()));
    serving.spawn(QUEUES, gauges::queues::run(app.bus.clone()));
    serving.spawn(STREAMS, gauges::streams::run(app.clone()));
    let service = router(app.clone(), with_checks(health, &app));
    let stop = serving.token();
    serving.spawn(SERVER, async move { connections::take(listener, service, &app.settings, stop).await });
    tracing::info!(http.listen = %address, "the api serves");

    let served = serving.run(shutdown, grace).await;
    let committed = committing.drain(grace).await;
    tracing::info!("the api has ended");
    Ok(served.and(committed)?)
}
