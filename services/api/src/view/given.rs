//! Node runs with what they were given. That is stored nowhere: it is told out of the run's definition and of what the node runs
//! before them gave, which are fetched as far as they are read.

use std::collections::HashSet;
use std::sync::Arc;

use millrace_compiler::Plan;
use millrace_contracts::run::NodeView;
use millrace_contracts::values::{ValueRef, json_bytes};
use millrace_contracts::{BlobId, ExecutionId, ItemPath, NodeId};
use millrace_engine::{Givers, outputs_apart};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::pictures::images_as_links;
use crate::problem::{Code, Problem};
use crate::state::App;

/// Values that are read for one answer, such as the lists of loops, as JSON, bytes.
const MAX_STORED_BYTES: u64 = 8 * 1024 * 1024;
/// Inputs of one answer, as JSON, bytes: an item of a loop stands whole in each node run that reads it.
const MAX_INPUT_BYTES: usize = 16 * 1024 * 1024;

/// A node run with what it was given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NodeRun {
    #[serde(flatten)]
    run: NodeView,
    /// Input ports; large values by reference, null where an optional port's source was skipped. None of a node run that has not
    /// begun, nor while what it read cannot be looked up, nor beyond what one answer takes: a smaller page tells more.
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Map<String, Value>>,
}

/// The node runs of a page; `live` are all of the run, while its live state has them.
pub(crate) async fn node_runs(
    app: &App,
    id: ExecutionId,
    page: Vec<NodeView>,
    live: Option<Vec<NodeView>>,
) -> Vec<NodeRun> {
    let givers = match givers(app, id, &page, live).await {
        Ok(givers) => Some(givers),
        Err(problem) => {
            tracing::debug!(execution.id = %id, problem = ?problem.code(), "node runs are shown without their inputs");
            None
        }
    };
    let mut room = Some(MAX_INPUT_BYTES);
    let mut fits = |inputs: &Map<String, Value>| {
        room = room.and_then(|room| room.checked_sub(json_bytes(inputs)));
        room.is_some()
    };
    let show = |run: NodeView| {
        let inputs = givers.as_ref().and_then(|givers| givers.inputs(&run)).filter(&mut fits);
        let mut shown = NodeRun { run, inputs };
        let ports = shown.run.outputs.iter_mut().chain(shown.inputs.iter_mut());
        ports.flat_map(Map::values_mut).for_each(images_as_links);
        shown
    };
    page.into_iter().map(show).collect()
}

/// What the node runs of `page` read from.
async fn givers(
    app: &App,
    id: ExecutionId,
    page: &[NodeView],
    live: Option<Vec<NodeView>>,
) -> Result<Givers, Problem> {
    let (accepted, _) = app.store.executions().accepted(id).await?;
    let plan = plan(app, accepted.definition).await?;
    let needed = Givers::needed(&plan, page);
    let mut views: Vec<NodeView> = match live {
        Some(views) => {
            let needed: HashSet<(NodeId, ItemPath)> = needed.into_iter().collect();
            let is_needed = |view: &NodeView| needed.contains(&(view.node_id.clone(), view.path.clone()));
            views.into_iter().filter(is_needed).collect()
        }
        None if needed.is_empty() => Vec::new(),
        None => app.store.node_runs().at(id, &needed).await?,
    };
    let mut stored = Stored { app, room: MAX_STORED_BYTES };
    for view in &mut views {
        if let Some(outputs) = outputs_apart(view)
            && let Some(Value::Object(ports)) = stored.read(outputs).await
        {
            view.outputs = Some(ports);
        }
    }
    let mut givers = Givers::of(plan, accepted, views);
    for missing in givers.missing_items() {
        if let Some(Value::Array(items)) = stored.read(missing.list).await {
            givers.provide_items(&missing.opener, items);
        }
    }
    Ok(givers)
}

/// What is read of the blob store for one answer.
struct Stored<'a> {
    app: &'a App,
    /// What may yet be read, bytes.
    room: u64,
}

impl Stored<'_> {
    /// The value; none where it cannot be read, and where there is no room for it.
    async fn read(&mut self, reference: ValueRef) -> Option<Value> {
        self.room = self.room.checked_sub(reference.bytes)?;
        match self.app.blobs.resolve_one(&reference.to_value()).await {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::debug!(blob = %reference.blob, %error, "what node runs were given cannot be read");
                None
            }
        }
    }
}

/// What a run of `definition` walks, from the record: it may outlive the blob.
pub(super) async fn plan(app: &App, definition: BlobId) -> Result<Arc<Plan>, Problem> {
    let Some(definition) = app.store.definition(definition).await? else {
        return Err(Problem::new(Code::RunDataGone, "the definition of the run is gone"));
    };
    let compiled = app.plans.compile(&definition).await;
    let compiled = compiled.map_err(|faults| crate::plans::invalid(faults, ""))?;
    Ok(compiled.plan.clone())
}
