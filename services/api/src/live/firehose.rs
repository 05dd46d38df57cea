//! A dashboard's stream of everything that happens. It is live only: there is no log over all runs to resume from.

use std::convert::Infallible;

use bytes::Bytes;
use futures::Stream;
use millrace_contracts::{ExecutionId, WorkflowId};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::filter::TypeFilter;
use super::frame::{self, Frame};
use super::run_stream::StreamSettings;
use super::subscription::Signal;

/// Which events a dashboard wants.
#[derive(Debug, Clone, Default)]
pub(crate) struct FirehoseFilter {
    /// Of these types.
    pub(crate) types: TypeFilter,
    /// Of runs of this workflow.
    pub(crate) workflow: Option<WorkflowId>,
    /// Of this run.
    pub(crate) run: Option<ExecutionId>,
}

impl FirehoseFilter {
    fn passes(&self, frame: &Frame) -> bool {
        self.types.passes(frame.kind)
            && (self.workflow.is_none() || frame.workflow == self.workflow)
            && (self.run.is_none() || frame.run == self.run)
    }
}

/// One dashboard's stream.
#[derive(Debug)]
pub(crate) struct FirehoseStream {
    /// Everything there is.
    pub(crate) receiver: Receiver<Signal>,
    /// What of it is wanted.
    pub(crate) filter: FirehoseFilter,
    /// Pings and the end.
    pub(crate) settings: StreamSettings,
    /// The place among the open streams.
    pub(crate) _permit: OwnedSemaphorePermit,
}

struct Open {
    stream: FirehoseStream,
    next_ping: tokio::time::Instant,
    begun: bool,
    ended: bool,
}

impl FirehoseStream {
    /// The stream as a response body's chunks.
    pub(crate) fn into_chunks(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        let next_ping = tokio::time::Instant::now() + self.settings.ping;
        let open = Open { stream: self, next_ping, begun: false, ended: false };
        futures::stream::unfold(open, |mut open| async move {
            let chunk = open.next().await?;
            Some((Ok(chunk), open))
        })
    }
}

impl Open {
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        if !self.begun {
            self.begun = true;
            return Some(Bytes::from_static(frame::RETRY.as_bytes()));
        }
        let shutdown = self.stream.settings.shutdown.clone();
        loop {
            let signal = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Some(self.part("reconnect", "the server is shutting down", 0)),
                signal = self.stream.receiver.recv() => signal,
                () = tokio::time::sleep_until(self.next_ping) => {
                    self.next_ping = tokio::time::Instant::now() + self.stream.settings.ping;
                    // In a place of its own: a stream waits nearly always.
                    if !Box::pin(self.stream.settings.visitor.may_stay()).await {
                        return Some(self.part("unauthorized", frame::UNAUTHORIZED, 0));
                    }
                    return Some(Bytes::from_static(frame::PING.as_bytes()));
                }
            };
            match signal {
                Ok(Signal::Frame(frame)) if self.stream.filter.passes(&frame) => {
                    return Some(frame.unnumbered());
                }
                Ok(Signal::Frame(_)) => {}
                Ok(Signal::Resync) => {
                    let data = json!({"reason": "the connection to the bus was lost for a moment; events may be missing"});
                    return Some(frame::notice(None, "resync", &data.to_string()));
                }
                Err(RecvError::Lagged(missed)) => {
                    metrics::counter!("millrace_streams_lagged_total").increment(1);
                    return Some(self.part("lagged", "this connection was read too slowly", missed));
                }
                Err(RecvError::Closed) => {
                    return Some(self.part("reconnect", "the server is shutting down", 0));
                }
            }
        }
    }

    fn part(&mut self, event: &str, reason: &str, missed: u64) -> Bytes {
        self.ended = true;
        let hint = "connect again; this stream is live only, a run's own stream can be resumed";
        let data = json!({"reason": reason, "missed": missed, "hint": hint});
        frame::notice(None, event, &data.to_string())
    }
}
