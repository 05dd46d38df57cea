//! The role's life: start its tasks, serve, stop taking requests, finish those in hand, end.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::ListenerExt;
use millrace_store::{GroupCommit, GroupCommitSettings};
use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::deps::Deps;
use crate::error::ApiError;
use crate::health::with_checks;
use crate::live::subscribe_now;
use crate::router::router;
use crate::state::App;

const SERVER: TaskKind = TaskKind::new("api server", OnError::Stop, OnCancel::Wait);
const LIVE: TaskKind = TaskKind::new("api live feed", OnError::Stop, OnCancel::Abort);
const COMMITS: TaskKind = TaskKind::new("api group commit", OnError::Stop, OnCancel::Wait);

/// Serves the api on `listener` until `shutdown`, then finishes what is in hand within the grace period of the settings.
///
/// # Errors
/// A listener that others than this machine can reach, while there are no api keys; a task that failed; a grace period that
/// was not enough.
pub async fn run(deps: Deps, listener: TcpListener, shutdown: CancellationToken) -> Result<(), ApiError> {
    let address = listener.local_addr().map_err(ApiError::Listener)?;
    require_loopback(address)?;
    // The server ends first and the committer after it: a request in hand must still find it.
    let (serving, committing) = (Supervisor::new(), Supervisor::new());
    let settings = GroupCommitSettings {
        max_waiting: deps.settings.accept_queue,
        max_batch: deps.settings.accept_batch,
    };
    let (commits, committer) = GroupCommit::new(deps.store.clone(), settings);
    let (grace, health) = (deps.settings.grace, deps.health.clone());
    let app = Arc::new(App::new(deps, commits, serving.token()));

    let stop = committing.token();
    committing.spawn(COMMITS, async move {
        committer.run(stop.cancelled()).await;
        Ok::<(), ApiError>(())
    });
    // Before the first request: a stream that is opened must miss nothing.
    let feed = subscribe_now(&app.bus).await;
    serving.spawn(LIVE, app.hub.clone().feed(app.bus.clone(), feed));
    let service = router(app.clone(), with_checks(health, &app));
    let stop = serving.token();
    serving.spawn(SERVER, async move {
        axum::serve(listener.tap_io(send_at_once), service)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    });
    tracing::info!(http.listen = %address, "the api serves");

    let served = serving.run(shutdown, grace).await;
    let committed = committing.drain(grace).await;
    tracing::info!("the api has ended");
    Ok(served.and(committed)?)
}

/// An event stream is many small writes. Held back until the one before is acknowledged (Nagle), each could wait out the
/// client's delayed acknowledgement, tens of milliseconds.
fn send_at_once(connection: &mut TcpStream) {
    if let Err(error) = connection.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
}

/// Without keys everybody who reaches the api may use it.
fn require_loopback(address: SocketAddr) -> Result<(), ApiError> {
    if address.ip().is_loopback() { Ok(()) } else { Err(ApiError::NotLoopback(address)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_served_without_keys() {
        for address in ["127.0.0.1:80", "127.1.2.3:80", "[::1]:80"] {
            assert!(require_loopback(address.parse().unwrap()).is_ok(), "{address}");
        }
        for address in ["0.0.0.0:80", "[::]:80", "192.168.0.1:80", "[::ffff:10.0.0.1]:80"] {
            let refusal = require_loopback(address.parse().unwrap()).unwrap_err().to_string();
            assert!(refusal.contains("api.listen"), "{refusal}");
        }
    }
}
