//! Putting requests of one shape together, and their results apart again.

use std::time::Instant;

use super::open::OpenSession;
use super::{BatchReport, Closed, Inferred, Request};
use crate::{InferenceError, Tensor};

/// Requests that run together.
pub(super) struct Batch {
    pub(super) requests: Vec<Request>,
    pub(super) closed: Closed,
}

impl Request {
    pub(super) fn rows(&self) -> usize {
        self.inputs.first().map_or(0, Tensor::rows)
    }

    /// Whether its rows can stand in one tensor with `other`'s.
    pub(super) fn joins(&self, other: &Self) -> bool {
        let alike = |one: &Tensor, two: &Tensor| {
            one.row_shape() == two.row_shape() && one.element_type() == two.element_type()
        };
        let pairs = || self.inputs.iter().zip(&other.inputs);
        self.inputs.len() == other.inputs.len() && pairs().all(|(one, two)| alike(one, two))
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn answer(self, result: Result<Inferred, InferenceError>) {
        // A caller who went away in the meantime has no use for it.
        drop(self.reply.send(result));
    }
}

impl Batch {
    /// Runs the batch and answers every request. Should a batch of several fail, each is run alone, so that one
    /// caller's rows cannot fail another's.
    pub(super) fn run(self, session: &mut OpenSession) {
        let (mut fit, closed) = (Vec::with_capacity(self.requests.len()), self.closed);
        for request in self.requests {
            match session.check(&request.inputs, request.alone) {
                Ok(()) => fit.push(request),
                Err(error) => request.answer(Err(error)),
            }
        }
        if fit.is_empty() {
            return;
        }
        match run_together(&fit, closed, session) {
            Ok(results) => {
                fit.into_iter().zip(results).for_each(|(request, result)| request.answer(Ok(result)))
            }
            Err(error) if fit.len() == 1 => {
                fit.into_iter().for_each(|request| request.answer(Err(error.clone())))
            }
            Err(error) => {
                tracing::warn!(model.id = %session.id(), batch.requests = fit.len(), %error, "a batch failed; running its requests one by one");
                for request in fit {
                    let alone = std::slice::from_ref(&request);
                    let result = run_together(alone, closed, session).and_then(|mut results| {
                        results.pop().ok_or_else(|| InferenceError::SessionLost { id: session.id().clone() })
                    });
                    request.answer(result);
                }
            }
        }
    }
}

fn run_together(
    requests: &[Request],
    closed: Closed,
    session: &mut OpenSession,
) -> Result<Vec<Inferred>, InferenceError> {
    if let [request] = requests
        && request.alone
    {
        return run_alone(request, session).map(|inferred| vec![inferred]);
    }
    let begun = Instant::now();
    let rows: usize = requests.iter().map(Request::rows).sum();
    let padded = session.fixed_rows().unwrap_or(rows).max(rows);
    let ports = requests[0].inputs.len();
    let stacked = (0..ports)
        .map(|port| {
            let parts: Vec<&Tensor> = requests.iter().map(|request| &request.inputs[port]).collect();
            Tensor::stack(&parts, padded)
        })
        .collect();
    let outputs = session.run(stacked)?;
    session.check_rows(&outputs, padded)?;
    let took = begun.elapsed();
    let mut start = 0;
    let share = |request: &Request| {
        let own = request.rows();
        let outputs = outputs.iter().map(|output| output.slice(start, own)).collect();
        start += own;
        let waited = begun.saturating_duration_since(request.since);
        Inferred { outputs, batch: BatchReport { rows, waited, took, closed } }
    };
    Ok(requests.iter().map(share).collect())
}

fn run_alone(request: &Request, session: &mut OpenSession) -> Result<Inferred, InferenceError> {
    let begun = Instant::now();
    let outputs = session.run(request.inputs.clone())?;
    let waited = begun.saturating_duration_since(request.since);
    Ok(Inferred {
        outputs,
        batch: BatchReport { rows: 1, waited, took: begun.elapsed(), closed: Closed::Alone },
    })
}
