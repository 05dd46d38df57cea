//! Connections: so many at once, HTTP/1.1 or HTTP/2 as the client speaks, and none for those who only hold them. A connection
//! that has not sent the head of a request in time is closed, and so is a kept one that sends no further.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use millrace_config::Api;
use millrace_tasks::CancellationToken;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::linger::{self, Lent};

/// After a fault of the listener that is not a connection's, such as no file descriptor left.
const PAUSE: Duration = Duration::from_millis(100);
/// Headers of one request.
const MAX_HEADERS: usize = 100;
/// Requests at once over one HTTP/2 connection.
const MAX_H2_STREAMS: u32 = 250;

/// Takes connections until `stop`, then lets those that are open finish what is in hand.
pub(super) async fn take(
    listener: TcpListener,
    service: Router,
    settings: &Api,
    stop: CancellationToken,
) -> Result<(), std::io::Error> {
    let places = Arc::new(Semaphore::new(settings.max_connections));
    // The tasks of connections end with this one, which is supervised.
    let open = TaskTracker::new();
    let builder = builder(settings.header_timeout);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.expect("nobody closes the places");
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((connection, peer)) => {
                let one = Connection {
                    peer,
                    builder: builder.clone(),
                    service: service.clone(),
                    place,
                    stop: stop.clone(),
                };
                open.spawn(one.serve(connection, settings.header_timeout));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
    Ok(())
}

fn builder(header_timeout: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(header_timeout).max_headers(MAX_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_H2_STREAMS)
        .keep_alive_interval(header_timeout)
        .keep_alive_timeout(header_timeout);
    builder
}

struct Connection {
    peer: SocketAddr,
    builder: Builder<TokioExecutor>,
    service: Router,
    place: OwnedSemaphorePermit,
    stop: CancellationToken,
}

impl Connection {
    async fn serve(self, connection: TcpStream, header_timeout: Duration) {
        send_at_once(&connection);
        let stop = self.stop.clone();
        let (lent, mut back) = linger::lend(connection);
        let place = self.converse(lent, header_timeout).await;
        if let (Some(_), Ok(connection)) = (&place, back.try_recv()) {
            tokio::select! {
                () = linger::read_on(connection) => {}
                () = stop.cancelled() => {}
            }
        }
        drop(place);
    }

    /// Answers what is asked until the connection ends; its place, where it ended with an answer.
    async fn converse(self, connection: Lent, header_timeout: Duration) -> Option<OwnedSemaphorePermit> {
        let spoken = Arc::new(AtomicBool::new(false));
        let (service, speaks) = (self.service, spoken.clone());
        let service = service.map_request(move |mut request: Request<Incoming>| {
            speaks.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(self.peer));
            request
        });
        let serving =
            self.builder.serve_connection(TokioIo::new(connection), TowerToHyperService::new(service));
        let mut serving = std::pin::pin!(serving);
        // Which protocol it is shows in the first bytes, and hyper waits for those without end.
        let mut greeting = std::pin::pin!(tokio::time::sleep(header_timeout));
        let (mut greeted, mut stopping) = (false, false);
        loop {
            tokio::select! {
                ended = serving.as_mut() => return ended.is_ok().then_some(self.place),
                () = self.stop.cancelled(), if !stopping => {
                    stopping = true;
                    serving.as_mut().graceful_shutdown();
                }
                () = greeting.as_mut(), if !greeted => {
                    greeted = true;
                    if !spoken.load(Ordering::Relaxed) {
                        return None;
                    }
                }
            }
        }
    }
}

/// An event stream is many small writes. Held back until the one before is acknowledged (Nagle), each could wait out the
/// client's delayed acknowledgement, tens of milliseconds.
fn send_at_once(connection: &TcpStream) {
    if let Err(error) = connection.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
}
