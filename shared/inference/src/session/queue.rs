//! What waits for a model's sessions. Flows take turns, so that a lone request waits for the run under way and not for all
//! that came before it. Whichever session is free gathers next: first the request whose turn it is, then, flows in turn, what
//! has its shape, for only rows of one shape can share a run; what has another shape does not close a batch. Lone requests run
//! with each other, not with those of flows that have more in hand.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use millrace_tasks::{Cores, Courtesy};
use millrace_turns::Turns;

use super::batch::Batch;
use super::limit::{BatchLimit, GraphRows, cells};
use super::{Closed, How, Request, SessionSettings};
use crate::{InferenceError, Tensor};

/// A core may become free without a ring here; meanwhile it is looked for so often.
const LOOK_FOR_CORE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Queue {
    courtesy: Courtesy,
    /// Cores that a run takes.
    cores: usize,
    state: Mutex<State>,
    /// Rung for every request, and at the end.
    bell: Condvar,
}

#[derive(Debug)]
struct State {
    /// Bounded by the places of the handle: each request has one.
    waiting: Turns<Request>,
    limit: BatchLimit,
    closed: bool,
    /// Why it was closed, where the device is beyond use: for all sessions of the model, which share it.
    lost: Option<InferenceError>,
    /// Sessions that still serve; the queue closes with the last.
    serving: usize,
}

/// Requests that are being gathered.
struct Gathering {
    requests: Vec<Request>,
    rows: usize,
    cells: u64,
    most_rows: usize,
}

impl Queue {
    pub(super) fn new(settings: &SessionSettings, courtesy: Courtesy) -> Self {
        let (limit, serving) = (BatchLimit::of(settings), settings.sessions.max(1));
        let state = State { waiting: Turns::default(), limit, closed: false, lost: None, serving };
        let cores = settings.intra_op_threads.max(1);
        Self { courtesy, cores, state: Mutex::new(state), bell: Condvar::new() }
    }

    /// Puts a request behind those of its flow; gives it back when the queue is closed.
    pub(super) fn push(&self, request: Request) -> Result<(), Request> {
        let mut state = self.lock();
        if state.closed {
            return Err(request);
        }
        state.waiting.push(request.turn.clone(), request);
        drop(state);
        // All: one that gathers rows of another shape cannot take it, and would keep it from one that is free.
        self.bell.notify_all();
        Ok(())
    }

    /// Takes no more requests; what waits is still run.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_all();
    }

    /// The device is beyond use: nothing will ever run, as whoever waits is told, and whoever comes.
    pub(super) fn lose(&self, why: &InferenceError) {
        let mut state = self.lock();
        state.closed = true;
        state.lost.get_or_insert_with(|| why.clone());
        let mut waiting = std::mem::take(&mut state.waiting);
        drop(state);
        while let Some(request) = waiting.take() {
            request.answer(Err(why.clone()));
        }
        self.bell.notify_all();
    }

    /// Why nothing runs any more, if the device is beyond use.
    pub(super) fn lost(&self) -> Option<InferenceError> {
        self.lock().lost.clone()
    }

    /// A session gave up: what was for it alone is dropped, which tells its callers. With the last one nothing will ever run, and
    /// so is what waits.
    pub(super) fn give_up(&self, session: usize) {
        let mut state = self.lock();
        state.serving = state.serving.saturating_sub(1);
        if state.serving > 0 {
            return state.waiting.retain(|request| request.session() != Some(session));
        }
        state.closed = true;
        let dropped = std::mem::take(&mut state.waiting);
        drop(state);
        drop(dropped);
        self.bell.notify_all();
    }

    /// Rows that the next batch may have.
    pub(super) fn rows(&self) -> usize {
        self.lock().limit.rows()
    }

    /// Learns from a run of so many cells and rows.
    pub(super) fn learn(&self, size: (u64, usize), took: Duration) {
        self.lock().limit.learn(size, took);
    }

    /// Learns that a run of so many rows found no memory.
    pub(super) fn shrink(&self, rows: usize) {
        self.lock().limit.shrink(rows);
    }

    /// Waits for a request that `session` may run, then takes what fits beside it; none when the queue is closed and empty.
    pub(super) fn gather(&self, session: usize, graph: GraphRows) -> Option<Batch> {
        let mut state = self.lock();
        loop {
            if let Some((first, cores)) = state.take(session, &self.courtesy, self.cores) {
                let (requests, closed) = self.grow(state, first, graph);
                return Some(Batch { requests, closed, cores });
            }
            state = if !state.waiting.is_empty() {
                self.bell.wait_timeout(state, LOOK_FOR_CORE).unwrap_or_else(PoisonError::into_inner).0
            } else if state.closed {
                return None;
            } else {
                self.bell.wait(state).unwrap_or_else(PoisonError::into_inner)
            };
        }
    }

    fn grow(
        &self,
        mut state: MutexGuard<'_, State>,
        first: Request,
        graph: GraphRows,
    ) -> (Vec<Request>, Closed) {
        if first.how != How::Batched {
            return (vec![first], Closed::Alone);
        }
        let until = first.since.checked_add(state.limit.max_delay).unwrap_or(first.since);
        let most_rows = state.limit.rows_of(graph);
        let mut gathering =
            Gathering { rows: first.rows(), cells: cells(&first), requests: vec![first], most_rows };
        loop {
            if let Some(closed) = gathering.fill(&mut state) {
                return (gathering.requests, closed);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closed {
                let others = !state.waiting.is_empty();
                let delayed = !state.limit.max_delay.is_zero() && left.is_zero();
                let closed = match (others, delayed) {
                    (true, _) if gathering.requests[0].lone => Closed::Lone,
                    (true, _) => Closed::Shape,
                    (false, true) => Closed::Delay,
                    (false, false) => Closed::Drained,
                };
                return (gathering.requests, closed);
            }
            state = self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave what waits half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The request whose turn it is among those that `session` may run, abandoned ones dropped, and the cores that it runs on. While
    /// there is none for those who have more in hand, lone ones go first.
    fn take(
        &mut self,
        session: usize,
        courtesy: &Courtesy,
        cores: usize,
    ) -> Option<(Request, Option<Cores>)> {
        self.waiting.retain(|request| !request.is_abandoned());
        let next = self.waiting.next(|request| request.may_run_in(session))?;
        let Request { lone, turn, .. } = next.piece();
        if *lone {
            return Some((next.take(), None));
        }
        if let Some(cores) = courtesy.cores_now(turn.flow(), cores) {
            return Some((next.take(), Some(cores)));
        }
        self.waiting
            .next(|request| request.lone && request.may_run_in(session))
            .map(|lone| (lone.take(), None))
    }
}

impl Gathering {
    /// Takes, flows in turn, what fits beside the first; the reason when nothing more ever will.
    fn fill(&mut self, state: &mut State) -> Option<Closed> {
        let State { waiting, limit, .. } = state;
        waiting.retain(|request| !request.is_abandoned());
        while self.rows < self.most_rows {
            let next = waiting.next(|request| request.joins(&self.requests[0]))?;
            if self.rows + next.piece().rows() > self.most_rows {
                break;
            }
            if limit.is_too_much(self.cells + cells(next.piece())) {
                return Some(Closed::Cells);
            }
            let next = next.take();
            self.rows += next.rows();
            self.cells += cells(&next);
            self.requests.push(next);
        }
        Some(Closed::Full)
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shapes: Vec<_> = self.inputs.iter().map(Tensor::shape).collect();
        f.debug_struct("Request").field("inputs", &shapes).finish_non_exhaustive()
    }
}
