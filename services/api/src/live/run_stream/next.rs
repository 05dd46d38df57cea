//! The stream's loop: what to do in which phase.

use std::time::Duration;

use bytes::Bytes;
use millrace_contracts::event::LogPosition;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::{Phase, RunStream};
use crate::live::frame::{self, Frame, PING};
use crate::live::history::{PAGE, RunLog, Stand};
use crate::live::subscription::Signal;
use crate::problem::{Code, Problem};

/// Pause before the log is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Every so many pings the log is looked at, whatever the topic says: a wake-up is a hint, polling is the guarantee.
const PINGS_PER_CHECK: u32 = 4;

impl<L: RunLog> RunStream<L> {
    /// The next chunk; none after the last one.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(chunk) = self.outbox.pop_front() {
                return Some(chunk);
            }
            match self.phase {
                // In a place of its own: reading takes much room and little time, and a stream is nearly always idle.
                Phase::CatchUp => Box::pin(self.catch_up()).await,
                Phase::Live => self.listen(None).await,
                Phase::Retry(at) => self.listen(Some(at)).await,
                Phase::Ended => return None,
            }
        }
    }

    /// Reads one page of the log.
    async fn catch_up(&mut self) {
        if (self.unproven || self.unsure) && !self.prove().await {
            return;
        }
        let Ok(page) = self.log.page(self.run, self.at, self.known).await else {
            self.retry();
            return;
        };
        for frame in &page {
            let Some(position) = frame.position else { continue };
            if position.epoch != self.at.epoch || position.seq != self.at.seq + 1 {
                return self.start_over().await;
            }
            self.send_next(frame, position);
            if self.phase == Phase::Ended {
                return;
            }
        }
        if page.len() >= PAGE {
            return;
        }
        if self.at.seq < self.known {
            return self.start_over().await;
        }
        if self.ended.is_some() {
            return self.end();
        }
        self.settle();
    }

    /// Asks how far the run has come, and whether that is as far as the client says; false when something else has to be done first.
    async fn prove(&mut self) -> bool {
        let stand = match self.log.standing(self.run).await {
            Ok(stand) => stand,
            Err(problem) => return self.go_without(&problem),
        };
        let reaches = |stand: &Stand| stand.at.epoch == self.at.epoch && stand.at.seq >= self.at.seq;
        match stand {
            Some(stand) if reaches(&stand) => {
                (self.unproven, self.unsure) = (false, false);
                self.known = self.known.max(stand.at.seq);
                self.note_end(stand.status);
                true
            }
            // What this stream was told itself is not doubted because the record has not come so far.
            Some(stand) if !stand.is_sure && !self.unproven => {
                self.unsure = false;
                true
            }
            Some(stand) if !stand.is_sure => self.retry(),
            _ => {
                // It never was there, or is in a log that was lost.
                (self.unproven, self.unsure) = (false, false);
                self.at = LogPosition { epoch: 0, seq: 0 };
                self.start_over().await;
                false
            }
        }
    }

    /// Has the log tried again in a while.
    fn retry(&mut self) -> bool {
        self.phase = Phase::Retry(Instant::now() + RETRY_AFTER);
        false
    }

    /// Events are missing for good, or the log was lost and rebuilt: the client is told the state anew.
    async fn start_over(&mut self) {
        match self.log.snapshot(self.run, self.at).await {
            Ok(Some(snapshot)) => self.tell_state(&snapshot),
            Ok(None) => self.say_gone(),
            Err(problem) => drop(self.go_without(&problem)),
        }
    }

    /// The state cannot be had: for now, or never again.
    fn go_without(&mut self, problem: &Problem) -> bool {
        if problem.code() == Code::Gone {
            self.say_gone();
            return false;
        }
        self.retry()
    }

    /// The log is to be asked how far it has come, and read: what was not heard of may be the last there is.
    pub(super) fn look(&mut self) {
        self.unsure = true;
        self.phase = Phase::CatchUp;
    }

    /// Waits for something to happen.
    async fn listen(&mut self, retry: Option<Instant>) {
        let shutdown = self.settings.shutdown.clone();
        if self.topic.receiver().is_empty() {
            self.lag.caught_up();
        }
        let wake = retry.map_or(self.next_ping, |retry| retry.min(self.next_ping));
        let signal = tokio::select! {
            biased;
            () = shutdown.cancelled() => return self.say_reconnect(),
            signal = self.topic.receiver().recv(), if retry.is_none() => signal,
            () = tokio::time::sleep_until(wake) => return self.on_time(retry).await,
        };
        match signal {
            Ok(Signal::Frame(frame)) => self.on_frame(&frame),
            Ok(Signal::Resync) => self.look(),
            Err(RecvError::Lagged(missed)) if self.lag.is_too_slow(missed) => self.say_lagged(missed),
            Err(RecvError::Lagged(_)) => self.phase = Phase::CatchUp,
            Err(RecvError::Closed) => self.say_reconnect(),
        }
    }

    pub(super) fn on_frame(&mut self, frame: &Frame) {
        let Some(position) = frame.position else {
            if self.filter.passes(frame.kind) {
                self.outbox.push_back(frame.text());
            }
            return;
        };
        if position <= self.at {
            return;
        }
        if position.epoch == self.at.epoch && position.seq == self.at.seq + 1 {
            return self.send_next(frame, position);
        }
        // A gap, or a new epoch: the log says what lies between.
        if position.epoch == self.at.epoch {
            self.known = self.known.max(position.seq);
        }
        self.phase = Phase::CatchUp;
    }

    async fn on_time(&mut self, retry: Option<Instant>) {
        let now = Instant::now();
        if now >= self.next_ping {
            // In a place of its own, like reading: a stream waits nearly always.
            if !Box::pin(self.settings.visitor.may_stay()).await {
                return self.say_unauthorized();
            }
            self.next_ping = now + self.settings.ping;
            self.outbox.push_back(Bytes::from_static(PING.as_bytes()));
            self.pings += 1;
            if self.pings.is_multiple_of(PINGS_PER_CHECK) {
                self.look();
            }
        }
        if retry.is_some_and(|retry| now >= retry) {
            self.phase = Phase::CatchUp;
        }
    }

    pub(super) fn say_lagged(&mut self, missed: u64) {
        metrics::counter!("millrace_streams_lagged_total").increment(1);
        let last_event_id = self.at.to_string();
        let data = json!({
            "reason": "this connection was read too slowly",
            "missed": missed,
            "last_event_id": last_event_id,
            "hint": format!("connect again with `Last-Event-ID: {last_event_id}`; nothing is lost"),
        });
        self.part("lagged", &data.to_string());
    }

    fn say_gone(&mut self) {
        self.part("gone", &json!({"reason": "the execution was deleted"}).to_string());
    }

    fn say_unauthorized(&mut self) {
        let last_event_id = self.at.to_string();
        let data = json!({
            "reason": frame::UNAUTHORIZED,
            "last_event_id": last_event_id,
            "hint": format!("connect again with a good api key and `Last-Event-ID: {last_event_id}`; nothing is lost"),
        });
        self.part("unauthorized", &data.to_string());
    }

    fn say_reconnect(&mut self) {
        let last_event_id = self.at.to_string();
        let data = json!({
            "reason": "the server is shutting down",
            "last_event_id": last_event_id,
            "hint": format!("connect again with `Last-Event-ID: {last_event_id}`; nothing is lost"),
        });
        self.part("reconnect", &data.to_string());
    }
}
