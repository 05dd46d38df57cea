//! Somebody wants the run to end. It ends at once; workers are told, not asked.

use millrace_contracts::{ErrorKind, ExecutionStatus, JobError, UnixMillis};

use crate::execution::Execution;

pub(crate) fn handle(run: &mut Execution, reason: &str, now: UnixMillis) {
    let error = JobError::new(ErrorKind::Cancelled, reason);
    run.finish(ExecutionStatus::Cancelled, Some(error), now);
}
