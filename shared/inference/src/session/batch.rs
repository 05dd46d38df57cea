//! Putting requests of one shape together, and their results apart again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use millrace_tasks::Cores;

use super::feed::Feed;
use super::limit::cells;
use super::open::OpenSession;
use super::running::Slot;
use super::serve::{Served, Trust};
use super::{BatchReport, Closed, How, Inferred, Request, Rows};
use crate::{InferenceError, Tensor};

/// Requests that run together.
pub(super) struct Batch {
    pub(super) requests: Vec<Request>,
    pub(super) closed: Closed,
    /// Given back when it has run.
    pub(super) cores: Option<Cores>,
}

impl Request {
    pub(super) fn rows(&self) -> usize {
        self.inputs.first().map_or(0, Tensor::rows)
    }

    /// Whether its rows are to run with `other`'s: they can stand in one tensor, and both are lone or neither is.
    pub(super) fn joins(&self, other: &Self) -> bool {
        let (own, others) = (&self.inputs, &other.inputs);
        let alike = |one: &Tensor, two: &Tensor| {
            one.row_shape() == two.row_shape() && one.element_type() == two.element_type()
        };
        let both_may = self.how == How::Batched && other.how == How::Batched && self.lone == other.lone;
        both_may && own.len() == others.len() && own.iter().zip(others).all(|(one, two)| alike(one, two))
    }

    /// The only session that may run it; none when any may.
    pub(super) fn session(&self) -> Option<usize> {
        if let How::Warming(session) = self.how { Some(session.into()) } else { None }
    }

    pub(super) fn may_run_in(&self, session: usize) -> bool {
        self.session().is_none_or(|own| own == session)
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    /// What it asked for, when it is not run after all.
    pub(super) fn into_rows(self) -> Rows {
        Rows { inputs: self.inputs, turn: self.turn, lone: self.lone }
    }

    pub(super) fn answer(self, result: Result<Inferred, InferenceError>) {
        // A caller who went away in the meantime has no use for it.
        drop(self.reply.send(result));
    }
}

/// What a batch is run with.
struct Run<'a> {
    session: &'a mut OpenSession,
    trust: &'a mut Trust,
    served: &'a Served,
    closed: Closed,
    /// Memory is asked for once per batch.
    relieved: bool,
}

impl Batch {
    /// The cells and the rows in it.
    pub(super) fn size(&self) -> (u64, usize) {
        size_of(&self.requests)
    }

    /// Runs the batch and answers every request; how long it took when it ran as a whole.
    pub(super) fn run(
        self,
        session: &mut OpenSession,
        trust: &mut Trust,
        served: &Served,
    ) -> Option<Duration> {
        let _cores = self.cores;
        let mut fit = Vec::with_capacity(self.requests.len());
        for request in self.requests {
            match session.check(&request.inputs, request.how == How::Alone) {
                Ok(()) => fit.push(request),
                Err(error) => request.answer(Err(error)),
            }
        }
        if fit.is_empty() {
            return None;
        }
        Run { session, trust, served, closed: self.closed, relieved: false }.all(fit)
    }
}

impl Run<'_> {
    /// Runs `requests` together. Should that fail for lack of memory, others give theirs back and it is tried again in
    /// halves; should it fail otherwise, each request runs alone, so that one caller's rows cannot fail another's.
    fn all(&mut self, mut requests: Vec<Request>) -> Option<Duration> {
        let error = match self.once(&requests) {
            Ok(results) => {
                let took = results.first().map(|result| result.batch.took);
                requests.into_iter().zip(results).for_each(|(request, result)| request.answer(Ok(result)));
                return took;
            }
            Err(error) => error,
        };
        let (_, rows) = size_of(&requests);
        // Whoever went away meanwhile may be why it ended.
        requests.retain(|request| !request.is_abandoned());
        if matches!(error, InferenceError::DeviceLost { .. }) {
            // Nor would any of them succeed alone.
            requests.into_iter().for_each(|request| request.answer(Err(error.clone())));
            return None;
        }
        let short = matches!(error, InferenceError::OutOfMemory { .. });
        if short && requests.len() > 1 {
            // Before anybody is answered: what comes next is no larger than what finds room.
            self.served.queue.shrink(rows);
        }
        let relieved = short
            && !std::mem::replace(&mut self.relieved, true)
            && {
                self.session.release();
                let relieved = self.served.relief.relieve(self.session.id());
                tracing::warn!(model.id = %self.session.id(), batch.requests = requests.len(), %error, relieved, "a run found no memory; trying again with less");
                relieved
            };
        match requests.len() {
            0 => {}
            1 if relieved => return self.all(requests),
            1 => requests.into_iter().for_each(|request| request.answer(Err(error.clone()))),
            several => {
                if !short {
                    tracing::warn!(model.id = %self.session.id(), batch.requests = several, %error, "a batch failed; running its requests one by one");
                }
                self.parts(requests, if short { several.div_ceil(2) } else { 1 });
            }
        }
        None
    }

    fn parts(&mut self, mut requests: Vec<Request>, size: usize) {
        while !requests.is_empty() {
            let rest = requests.split_off(size.min(requests.len()));
            self.all(requests);
            requests = rest;
        }
    }

    /// One run, with what it says of the session.
    fn once(&mut self, requests: &[Request]) -> Result<Vec<Inferred>, InferenceError> {
        let slot = &self.served.slot;
        let run = AssertUnwindSafe(|| run_together(requests, self.closed, (self.session, slot)));
        let Ok(result) = catch_unwind(run) else {
            self.trust.panicked();
            let detail = "the session panicked".to_owned();
            return Err(InferenceError::Run { id: self.session.id().clone(), detail });
        };
        match &result {
            Ok(_) => {
                self.trust.succeeded();
                // Before anybody is answered: who waited for a first run asks next what the model takes.
                if self.trust.is_largest(size_of(requests)) {
                    self.served.note(self.session);
                }
            }
            Err(error @ InferenceError::DeviceLost { .. }) => self.trust.lost = Some(error.clone()),
            // Stopped, in all likelihood: nobody waits for it.
            Err(_) if requests.iter().all(Request::is_abandoned) => {}
            Err(InferenceError::Run { .. }) => self.trust.failed(),
            // Neither a shortage nor an odd output says anything of the session.
            Err(_) => {}
        }
        result
    }
}

fn size_of(requests: &[Request]) -> (u64, usize) {
    let sizes = requests.iter().map(|request| (cells(request), request.rows()));
    sizes.fold((0, 0), |(all_cells, all_rows), (cells, rows)| (all_cells + cells, all_rows + rows))
}

fn run_together(
    requests: &[Request],
    closed: Closed,
    (session, slot): (&mut OpenSession, &Slot),
) -> Result<Vec<Inferred>, InferenceError> {
    if let [request] = requests
        && request.how == How::Alone
    {
        return run_alone(request, (session, slot)).map(|inferred| vec![inferred]);
    }
    let begun = Instant::now();
    let rows: usize = requests.iter().map(Request::rows).sum();
    let padded = session.fixed_rows().unwrap_or(rows).max(rows);
    let report = |request: &Request, took: Duration| BatchReport {
        rows,
        waited: begun.saturating_duration_since(request.since),
        took,
        closed,
    };
    let inputs = requests.iter().map(|request| &request.inputs[..]);
    let outputs = session.run(&Feed::stacked(inputs, padded), slot, requests)?;
    session.check_rows(&outputs, padded)?;
    if let [request] = requests
        && padded == rows
    {
        return Ok(vec![Inferred { outputs, batch: report(request, begun.elapsed()) }]);
    }
    let (took, mut start) = (begun.elapsed(), 0);
    let share = |request: &Request| {
        let own = request.rows();
        let outputs = outputs.iter().map(|output| output.slice(start, own)).collect();
        start += own;
        Inferred { outputs, batch: report(request, took) }
    };
    Ok(requests.iter().map(share).collect())
}

fn run_alone(
    request: &Request,
    (session, slot): (&mut OpenSession, &Slot),
) -> Result<Inferred, InferenceError> {
    let begun = Instant::now();
    let outputs = session.run(&Feed::alone(&request.inputs), slot, std::slice::from_ref(request))?;
    let waited = begun.saturating_duration_since(request.since);
    Ok(Inferred {
        outputs,
        batch: BatchReport { rows: 1, waited, took: begun.elapsed(), closed: Closed::Alone },
    })
}
