//! What a submission runs: a saved workflow at one of its versions, or a definition that came with it.

use std::sync::Arc;

use millrace_contracts::{BlobId, ExecutionId, WorkflowId};
use millrace_store::WorkflowRecord;
use serde_json::Value;

use crate::library;
use crate::plans::{self, Compiled};
use crate::problem::{Code, Problem};
use crate::state::App;

/// What is run.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The saved workflow, if it is one.
    pub(crate) workflow_id: Option<WorkflowId>,
    /// Its version.
    pub(crate) version: Option<u32>,
    /// The definition's digest in the record, if it is there already.
    pub(crate) recorded_as: Option<BlobId>,
    /// The compiled definition.
    pub(crate) compiled: Arc<Compiled>,
}

impl Target {
    /// A saved workflow at `version`, or at its newest.
    pub(crate) async fn version(app: &App, id: WorkflowId, version: Option<u32>) -> Result<Self, Problem> {
        app.known.find(app, id, version).await
    }

    /// The same, as Postgres has it.
    pub(super) async fn read(app: &App, id: WorkflowId, version: Option<u32>) -> Result<Self, Problem> {
        let record = match version {
            Some(version) => app.store.workflows().get_version(id, version).await?,
            None => app.store.workflows().get(id).await?,
        };
        Self::of(app, record).await
    }

    async fn of(app: &App, record: WorkflowRecord) -> Result<Self, Problem> {
        let compiled =
            app.plans.compile(&record.definition).await.map_err(|faults| plans::invalid(faults, ""))?;
        Ok(Self {
            workflow_id: Some(record.id),
            version: Some(record.version),
            recorded_as: Some(record.definition_blob),
            compiled,
        })
    }

    /// What the run `id` walked, as the record has it: it may outlive the blob, and the workflow.
    pub(crate) async fn recorded(
        app: &App,
        id: ExecutionId,
        (workflow_id, version): (Option<WorkflowId>, Option<u32>),
        definition: BlobId,
    ) -> Result<Self, Problem> {
        let Some(json) = app.store.definition(definition).await? else {
            return Err(Problem::new(Code::RunDataGone, format!("the definition of execution {id} is gone")));
        };
        let compiled = app.plans.compile(&json).await.map_err(|faults| plans::invalid(faults, ""))?;
        Ok(Self { workflow_id, version, recorded_as: Some(definition), compiled })
    }

    /// A definition that stands at `/workflow` in the request.
    pub(crate) async fn inline(app: &App, definition: &Value) -> Result<Self, Problem> {
        let compiled = library::compile(app, definition, None)
            .await?
            .and_then(|compiled| {
                let nameless = millrace_compiler::nameless_windows(&compiled.plan, &compiled.definition);
                nameless.or(()).map(|()| compiled)
            })
            .map_err(|faults| plans::invalid(faults, "/workflow"))?;
        Ok(Self { workflow_id: None, version: None, recorded_as: None, compiled })
    }
}
