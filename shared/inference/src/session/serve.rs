//! The loop of a session's thread: wait, gather what is there, run.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::batch::Batch;
use super::open::OpenSession;
use super::{Closed, Request, SessionSettings};

/// What waits for a session; shared by the sessions of one model. Whoever holds the lock is free, and gathers.
pub(super) struct Intake {
    requests: Receiver<Request>,
    /// The request that closed the last batch because it did not fit in.
    held: Option<Request>,
    settings: SessionSettings,
}

/// Runs batches until the queue is closed and empty.
pub(super) fn serve(session: &mut OpenSession, intake: &Mutex<Intake>) {
    loop {
        // The lock is given back before the run, so that another session can gather the next batch.
        let batch = intake.lock().unwrap_or_else(PoisonError::into_inner).gather(session.fixed_rows());
        match batch {
            Some(batch) => batch.run(session),
            None => return,
        }
    }
}

impl Intake {
    pub(super) fn new(requests: Receiver<Request>, settings: SessionSettings) -> Self {
        Self { requests, held: None, settings }
    }

    /// Waits for a request, then takes what else is there; none when the queue is closed and empty.
    fn gather(&mut self, fixed_rows: Option<usize>) -> Option<Batch> {
        let first = loop {
            let request = match self.held.take() {
                Some(held) => held,
                None => self.requests.recv().ok()?,
            };
            if !request.is_abandoned() {
                break request;
            }
        };
        let most = fixed_rows.unwrap_or(self.settings.max_batch.max(1));
        let until = Instant::now() + self.settings.max_delay;
        let mut rows = first.rows();
        let mut requests = vec![first];
        let closed = loop {
            if requests[0].alone {
                break Closed::Alone;
            }
            if rows >= most {
                break Closed::Full;
            }
            match self.next(until) {
                None => break Closed::Drained,
                Some(request) if request.is_abandoned() => {}
                Some(request) if request.alone || !request.joins(&requests[0]) => {
                    self.held = Some(request);
                    break Closed::Shape;
                }
                Some(request) if rows + request.rows() > most => {
                    self.held = Some(request);
                    break Closed::Full;
                }
                Some(request) => {
                    rows += request.rows();
                    requests.push(request);
                }
            }
        };
        Some(Batch { requests, closed })
    }

    /// The next request that is there now, or comes before `until`.
    fn next(&self, until: Instant) -> Option<Request> {
        match self.requests.try_recv() {
            Ok(request) => return Some(request),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        self.requests.recv_timeout(left).ok()
    }
}
