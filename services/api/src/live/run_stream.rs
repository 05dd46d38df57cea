//! One client's stream of one run: the state or a replay first, then what happens, each durable event exactly once and in
//! order. Only the client's own task runs this; nobody waits for it.

mod next;
mod settle;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use millrace_contracts::event::LogPosition;
use millrace_contracts::run::Snapshot;
use millrace_contracts::{ExecutionId, ExecutionStatus};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::filter::TypeFilter;
use super::frame::{self, Frame};
use super::history::{RunLog, Stand};
use super::lag::Lag;
use super::start::Start;
use super::subscription::Subscription;
use crate::auth::Visitor;
use crate::problem::Problem;

/// How a stream is run.
#[derive(Debug)]
pub(crate) struct StreamSettings {
    /// Who opened it; asked again with every ping.
    pub(crate) visitor: Visitor,
    /// Pause between pings on an idle stream.
    pub(crate) ping: Duration,
    /// Events that may wait for a slow client.
    pub(crate) buffer: usize,
    /// Told when the role is to end.
    pub(crate) shutdown: CancellationToken,
}

/// One client's stream of one run.
#[derive(Debug)]
pub(crate) struct RunStream<L> {
    run: ExecutionId,
    log: L,
    topic: Subscription,
    filter: TypeFilter,
    settings: StreamSettings,
    outbox: VecDeque<Bytes>,
    phase: Phase,
    /// The last durable event that the client has, or that its snapshot contains.
    at: LogPosition,
    /// A `seq` that is known to have been reached.
    known: u64,
    /// `at` is what the client says, and further than anybody could be found to say: the log has to be asked.
    unproven: bool,
    /// Events may have been missed, and none that comes later need tell of it: the log has to be asked how far it has come.
    unsure: bool,
    /// The run's final status, once the stream has been told of it.
    ended: Option<ExecutionStatus>,
    lag: Lag,
    pings: u32,
    next_ping: Instant,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The log is to be read from `at` on.
    CatchUp,
    /// The log could not be read; again then.
    Retry(Instant),
    /// What happens is passed on.
    Live,
    /// The last event was sent.
    Ended,
}

impl<L: RunLog> RunStream<L> {
    /// Opens a stream at `start`; none when there is no such run. `topic` must have been subscribed to before.
    pub(crate) async fn open(
        log: L,
        topic: Subscription,
        start: Start,
        filter: TypeFilter,
        (settings, permit): (StreamSettings, OwnedSemaphorePermit),
    ) -> Result<Option<Self>, Problem> {
        let run = topic.run();
        let mut stream = Self {
            run,
            log,
            topic,
            filter,
            outbox: VecDeque::from([Bytes::from_static(frame::RETRY.as_bytes())]),
            phase: Phase::CatchUp,
            at: LogPosition { epoch: 0, seq: 0 },
            known: 0,
            unproven: false,
            unsure: false,
            ended: None,
            lag: Lag::new(settings.buffer),
            pings: 0,
            next_ping: Instant::now() + settings.ping,
            settings,
            _permit: permit,
        };
        if !stream.go_on(start).await? {
            let Some(snapshot) = stream.log.snapshot(run, stream.at).await? else { return Ok(None) };
            stream.tell_state(&snapshot);
        }
        Ok(Some(stream))
    }

    /// Takes up the log where the client wants it; false when it is to be told the state first.
    async fn go_on(&mut self, start: Start) -> Result<bool, Problem> {
        if start == Start::Snapshot {
            return Ok(false);
        }
        let Some(Stand { status, at: stands_at, is_sure }) = self.log.standing(self.run).await? else {
            return Ok(false);
        };
        self.at = match start {
            Start::Replay(seq) if seq <= stands_at.seq => LogPosition { seq, ..stands_at },
            Start::After(seen) if seen.epoch == stands_at.epoch && seen.seq <= stands_at.seq => seen,
            // The record follows the log, and the client may have been told of what is not recorded yet. It is not sent back.
            Start::After(seen) if seen.epoch == stands_at.epoch && !is_sure => {
                self.unproven = true;
                seen
            }
            _ => return Ok(false),
        };
        self.known = stands_at.seq;
        self.note_end(status);
        Ok(true)
    }

    /// The stream as a response body's chunks.
    pub(crate) fn into_chunks(self) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send {
        futures::stream::unfold(self, |mut stream| async move {
            stream.lag.taken(Instant::now());
            let chunk = stream.next().await?;
            stream.lag.given(Instant::now());
            Some((Ok(chunk), stream))
        })
    }

    /// Sends the state; what it contains is not sent again.
    fn tell_state(&mut self, snapshot: &Snapshot) {
        let data = serde_json::to_string(snapshot).expect("a snapshot is plain data");
        self.at = LogPosition { epoch: snapshot.epoch, seq: snapshot.seq };
        self.known = self.at.seq;
        self.outbox.push_back(frame::notice(Some(self.at), "snapshot", &data));
        self.note_end(snapshot.status);
        if self.ended.is_some() {
            self.end();
        } else {
            self.settle();
        }
    }

    fn note_end(&mut self, status: ExecutionStatus) {
        self.ended = status.is_terminal().then_some(status);
    }

    /// Sends an event of the log that comes next, and the end after the last one.
    fn send_next(&mut self, frame: &Frame, position: LogPosition) {
        self.at = position;
        self.known = self.known.max(position.seq);
        if self.filter.passes(frame.kind) || frame.kind.ends_run() {
            self.outbox.push_back(frame.text());
        }
        if frame.kind.ends_run() {
            self.end();
        }
    }

    fn end(&mut self) {
        let data = json!({"execution_id": self.run, "epoch": self.at.epoch, "seq": self.at.seq});
        self.part("end", &data.to_string());
    }

    /// Sends a last event.
    fn part(&mut self, event: &str, data: &str) {
        self.outbox.push_back(frame::notice(None, event, data));
        self.phase = Phase::Ended;
    }
}

#[cfg(test)]
mod tests;
