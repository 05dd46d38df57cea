//! Saved workflows as they were last read, so that a run need not wait for Postgres before it begins. Rule: one is believed only
//! while its stamp on the bus is the one it had before it was read; a saved version is run by every replica from the
//! moment its save was answered.

use std::time::Duration;

use millrace_contracts::WorkflowId;
use millrace_tasks::within;
use moka::future::Cache;

use super::Target;
use crate::problem::Problem;
use crate::state::App;

/// Memory for what is remembered, bytes of the definitions' JSON.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// Should a stamp not be renewed, for the bus was away or the process that saved died, this is how long others are behind.
const BELIEVED: Duration = Duration::from_secs(60);
/// Longest a request waits for a stamp; Postgres knows as well.
const ASKING: Duration = Duration::from_millis(250);

type Key = (WorkflowId, Option<u32>);

/// What is remembered.
#[derive(Debug, Clone)]
pub(crate) struct Known(Cache<Key, (String, Target)>);

impl Known {
    pub(crate) fn new() -> Self {
        let weigh = |_: &Key, (_, target): &(String, Target)| target.compiled.json_bytes();
        Self(Cache::builder().weigher(weigh).max_capacity(CACHE_BYTES).time_to_live(BELIEVED).build())
    }

    /// A saved workflow at `version`, or at its newest.
    pub(crate) async fn find(
        &self,
        app: &App,
        id: WorkflowId,
        version: Option<u32>,
    ) -> Result<Target, Problem> {
        let stamp = stamp(app, id).await;
        if let Some(stamp) = &stamp
            && let Some((known, target)) = self.0.get(&(id, version)).await
            && known == *stamp
        {
            return Ok(target);
        }
        let target = Target::read(app, id, version).await?;
        if let Some(stamp) = stamp {
            self.0.insert((id, version), (stamp, target.clone())).await;
        }
        Ok(target)
    }

    /// Another version of the workflow was saved, or it was deleted.
    pub(crate) async fn changed(&self, app: &App, id: WorkflowId) {
        let Err(error) = within(ASKING, app.bus.renew_workflow_stamp(id)).await else { return };
        tracing::warn!(
            workflow.id = %id, error,
            "the replicas were not told that a workflow changed; they may run what it was for {BELIEVED:?}"
        );
    }
}

async fn stamp(app: &App, id: WorkflowId) -> Option<String> {
    let stamp = within(ASKING, app.bus.workflow_stamp(id)).await;
    stamp.inspect_err(|error| tracing::debug!(error, "a workflow's stamp could not be read")).ok()
}
