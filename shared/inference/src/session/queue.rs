//! What waits for a model's sessions, in buckets by shape: only rows of one shape can share a run, and a request of
//! another shape must not close a batch that could still grow. Whichever session is free gathers next, from the bucket
//! whose first request has waited longest.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::limit::{BatchLimit, cells};
use super::{Closed, Request};
use crate::Tensor;

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Rung for every request, and at the end.
    bell: Condvar,
}

#[derive(Debug)]
struct State {
    /// Never holds an empty bucket. Bounded by the places of the handle: each request has one.
    buckets: Vec<Bucket>,
    limit: BatchLimit,
    closed: bool,
    /// Sessions that still serve; the queue closes with the last.
    serving: usize,
}

#[derive(Debug)]
struct Bucket {
    requests: VecDeque<Request>,
}

/// Requests that are being gathered.
struct Gathering {
    requests: Vec<Request>,
    rows: usize,
    cells: u64,
    most_rows: usize,
}

impl Queue {
    pub(super) fn new(limit: BatchLimit, sessions: usize) -> Self {
        let state = State { buckets: Vec::new(), limit, closed: false, serving: sessions };
        Self { state: Mutex::new(state), bell: Condvar::new() }
    }

    /// Puts a request into its bucket; false when the queue is closed.
    pub(super) fn push(&self, request: Request) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        match state.buckets.iter_mut().find(|bucket| bucket.holds(&request)) {
            Some(bucket) => bucket.requests.push_back(request),
            None => state.buckets.push(Bucket { requests: VecDeque::from([request]) }),
        }
        drop(state);
        self.bell.notify_one();
        true
    }

    /// Takes no more requests; what waits is still run.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_all();
    }

    /// A session gave up. With the last one nothing will ever run: what waits is dropped, which tells its callers.
    pub(super) fn give_up(&self) {
        let mut state = self.lock();
        state.serving = state.serving.saturating_sub(1);
        if state.serving > 0 {
            return;
        }
        state.closed = true;
        let dropped = std::mem::take(&mut state.buckets);
        drop(state);
        drop(dropped);
        self.bell.notify_all();
    }

    /// Rows that the next batch may have.
    pub(super) fn rows(&self) -> usize {
        self.lock().limit.rows()
    }

    /// Learns from a run.
    pub(super) fn learn(&self, rows: usize, took: Duration) {
        self.lock().limit.learn(rows, took);
    }

    /// Waits for a request, then takes what fits beside it; none when the queue is closed and empty. `fixed_rows` are
    /// those that the graph insists on.
    pub(super) fn gather(&self, fixed_rows: Option<usize>) -> Option<Batch> {
        let mut state = self.lock();
        loop {
            if let Some(first) = state.take_oldest() {
                return Some(self.grow(state, first, fixed_rows));
            }
            if state.closed {
                return None;
            }
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn grow(&self, mut state: MutexGuard<'_, State>, first: Request, fixed_rows: Option<usize>) -> Batch {
        if first.alone {
            return Batch { requests: vec![first], closed: Closed::Alone };
        }
        let until = first.since + state.limit.max_delay;
        let most_rows = fixed_rows.unwrap_or(state.limit.rows());
        let mut gathering =
            Gathering { rows: first.rows(), cells: cells(&first), requests: vec![first], most_rows };
        loop {
            if let Some(closed) = gathering.fill(&mut state) {
                return Batch { requests: gathering.requests, closed };
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closed {
                let others = !state.buckets.is_empty();
                let delayed = !state.limit.max_delay.is_zero() && left.is_zero();
                let closed = match (others, delayed) {
                    (true, _) => Closed::Shape,
                    (false, true) => Closed::Delay,
                    (false, false) => Closed::Drained,
                };
                return Batch { requests: gathering.requests, closed };
            }
            state = self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave the buckets half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The request that has waited longest, abandoned ones dropped.
    fn take_oldest(&mut self) -> Option<Request> {
        for bucket in &mut self.buckets {
            while bucket.requests.front().is_some_and(Request::is_abandoned) {
                bucket.requests.pop_front();
            }
        }
        self.buckets.retain(|bucket| !bucket.requests.is_empty());
        let since = |bucket: &&mut Bucket| bucket.requests.front().map(|request| request.since);
        let oldest = self.buckets.iter_mut().min_by_key(since)?;
        let first = oldest.requests.pop_front();
        self.buckets.retain(|bucket| !bucket.requests.is_empty());
        first
    }
}

impl Gathering {
    /// Takes from the bucket of its shape what fits; the reason when nothing more ever will.
    fn fill(&mut self, state: &mut State) -> Option<Closed> {
        let mut closed = None;
        let State { buckets, limit, .. } = state;
        if let Some(bucket) = buckets.iter_mut().find(|bucket| bucket.holds(&self.requests[0])) {
            while let Some(next) = bucket.requests.front() {
                if next.is_abandoned() {
                    bucket.requests.pop_front();
                } else if self.rows + next.rows() > self.most_rows {
                    closed = Some(Closed::Full);
                    break;
                } else if limit.is_too_much(self.cells + cells(next)) {
                    closed = Some(Closed::Cells);
                    break;
                } else if let Some(next) = bucket.requests.pop_front() {
                    self.rows += next.rows();
                    self.cells += cells(&next);
                    self.requests.push(next);
                }
            }
        }
        buckets.retain(|bucket| !bucket.requests.is_empty());
        closed.or_else(|| (self.rows >= self.most_rows).then_some(Closed::Full))
    }
}

impl Bucket {
    /// Whether the rows of `request` can stand in one tensor with its own.
    fn holds(&self, request: &Request) -> bool {
        self.requests.front().is_some_and(|own| own.joins(request))
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shapes: Vec<_> = self.inputs.iter().map(Tensor::shape).collect();
        f.debug_struct("Request").field("inputs", &shapes).finish_non_exhaustive()
    }
}
