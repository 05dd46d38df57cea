//! From the columns of `wf_executions` to what the rest of the house knows.

use std::str::FromStr;

use millrace_contracts::message::RerunOf;
use millrace_contracts::{ExecutionId, ExecutionStatus};
use uuid::Uuid;

use crate::StoreError;

/// The summary in a row: any record that has these columns under their own names. The statements that read one run and many
/// select more than this, and differently; a macro is what their records have in common.
macro_rules! summary {
    ($row:ident, $id:expr) => {
        $crate::executions::ExecutionSummary {
            id: $id,
            workflow_id: $row.workflow_id.map(millrace_contracts::WorkflowId),
            version: $row.workflow_version.map(i32::unsigned_abs),
            status: $crate::executions::row::status(&$row.status)?,
            labels: $crate::json::read("labels", $row.labels)?,
            created_at: $row.created_at.into(),
            started_at: $row.started_at.map(Into::into),
            completed_at: $row.completed_at.map(Into::into),
            duration_ms: $row.duration_ms.map(i64::unsigned_abs),
            error_message: $row.error_message,
            jobs: $crate::executions::JobCounts {
                pending: $row.inference_jobs_pending.unsigned_abs(),
                completed: $row.inference_jobs_completed.unsigned_abs(),
                failed: $row.inference_jobs_failed.unsigned_abs(),
            },
            batch_id: $row.batch_id,
            schedule_id: $row.schedule_id.map(millrace_contracts::ScheduleId),
            rerun_of: $crate::executions::row::rerun_of($row.rerun_of, $row.rerun_from),
        }
    };
}

pub(super) use summary;

/// What a run repeats, from its two columns.
pub(super) fn rerun_of(earlier: Option<Uuid>, from: Option<String>) -> Option<RerunOf> {
    earlier.map(|earlier| RerunOf { execution_id: ExecutionId(earlier), from: from.map(Into::into) })
}

pub(crate) fn status(text: &str) -> Result<ExecutionStatus, StoreError> {
    ExecutionStatus::from_str(text).map_err(|error| StoreError::corrupt("execution status", error))
}
