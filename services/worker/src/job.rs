//! One job, from the queue to its report, and those that follow it in the same hand. Whatever happens inside it ends as a report:
//! a fault of the data, of the model, a panic, a deadline.

mod chain;
mod clock;
mod context;
mod darkroom;
mod infer;
mod model;
mod progress;
mod report;
mod run;
mod span;
mod tell;

use clock::milliseconds;
pub(crate) use clock::{Clock, Stage};
pub(crate) use context::{JobContext, Outputs};
pub(crate) use run::{Taken, run};

use millrace_contracts::{ErrorKind, JobError};

use crate::cpu::Panicked;

/// A panic as a job's error. Its text goes to the log, not to the client.
pub(crate) fn panicked(panic: &Panicked) -> JobError {
    tracing::error!(panic = panic.0, "a block panicked");
    JobError::new(ErrorKind::Internal, "the block failed unexpectedly; the worker's log has the details")
}
