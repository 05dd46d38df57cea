//! A request that is sent again with its `Idempotency-Key` answers with the run it made the first time. The key is looked up before
//! anything else is: the workflow may have been changed or deleted since, and the answer stays the same.

use millrace_contracts::{BlobId, WorkflowId};
use millrace_store::KeyHolder;
use millrace_telemetry::Traceparent;

use super::accept::Receipt;
use super::target::Target;
use crate::problem::{Code, Problem};
use crate::state::App;

/// A key as it is recorded, and what is asked for with it.
#[derive(Debug, Clone)]
pub(crate) struct Keyed {
    /// The key.
    pub(crate) key: String,
    /// The digest of what is asked for.
    pub(crate) digest: BlobId,
}

/// The run that a request with the same key made before.
#[derive(Debug)]
pub(crate) struct Earlier {
    holder: KeyHolder,
    /// What was run.
    target: Target,
}

impl Earlier {
    /// The run that holds `key`.
    pub(super) async fn find(app: &App, key: &str) -> Result<Option<Self>, Problem> {
        let Some(holder) = app.store.executions().by_idempotency_key(key).await? else { return Ok(None) };
        let target =
            Target::recorded(app, holder.id, (holder.workflow_id, holder.version), holder.definition).await?;
        Ok(Some(Self { holder, target }))
    }

    /// What was run, where it was this saved workflow, or one that was none.
    pub(crate) fn of(&self, workflow: Option<WorkflowId>) -> Option<&Target> {
        Some(&self.target).filter(|target| target.workflow_id == workflow)
    }

    /// What was run.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// What its caller is told, if it is asked for the same.
    pub(super) fn receipt(self, digest: BlobId, trace: &Traceparent) -> Result<Receipt, Problem> {
        receipt(self.holder, digest, trace)
    }
}

/// What the caller of an earlier run is told, if the same is asked for.
pub(super) fn receipt(holder: KeyHolder, digest: BlobId, trace: &Traceparent) -> Result<Receipt, Problem> {
    // The release before kept no digest.
    if holder.digest.is_some_and(|earlier| earlier != digest) {
        let detail = format!(
            "this Idempotency-Key made execution {}, which was asked for differently; use a fresh key",
            holder.id
        );
        return Err(Problem::new(Code::IdempotencyKeyReused, detail));
    }
    Ok(Receipt {
        id: holder.id,
        workflow_id: holder.workflow_id,
        version: holder.version,
        trace_id: holder.trace_id.unwrap_or_else(|| trace.trace_id()),
        batch_id: holder.batch_id,
        replayed: true,
    })
}
