//! `GET /executions/{id}/nodes[/{node}]`: the node runs of a run.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use millrace_contracts::run::NodeView;
use millrace_contracts::{ExecutionId, ItemPath, NodeId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;
use crate::view::{self, Found, NodeRun};

/// A page of node runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NodePage {
    execution_id: ExecutionId,
    nodes: Vec<NodeRun>,
    /// What to send as `after` for the page after.
    next_after: Option<String>,
}

/// List the node runs of a run, by node and item
#[utoipa::path(
    get, path = "/api/v1/executions/{id}/nodes", operation_id = "list_nodes", tag = "executions",
    params(("id" = ExecutionId, Path), ("after" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 5000)),
    responses((status = 200, description = "A page.", body = NodePage)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<NodePage>, Problem> {
    page(&app, &id, None, params).await
}

/// Show the runs of one node: one, or one per item of the loops around it
#[utoipa::path(
    get, path = "/api/v1/executions/{id}/nodes/{node}", operation_id = "get_node", tag = "executions",
    params(("id" = ExecutionId, Path), ("node" = NodeId, Path), ("after" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 5000)),
    responses((status = 200, description = "A page.", body = NodePage)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path((id, node)): Path<(String, String)>,
    params: Params,
) -> Result<Json<NodePage>, Problem> {
    page(&app, &id, Some(node.as_str().into()), params).await
}

async fn page(app: &App, id: &str, node: Option<NodeId>, params: Params) -> Result<Json<NodePage>, Problem> {
    let params = params.only(&["after", "limit"])?;
    let limit = params.limit(500, 5_000)?;
    let after = params.text("after").map(parse_after).transpose()?;
    let found = view::find(app, view::parse_id(id)?).await?;
    let run = found.id;
    let wanted = Wanted { node: node.as_ref(), after: after.as_ref(), limit };
    let (nodes, live) = wanted.of(app, found).await?;
    if let Some(node) = node.as_ref().filter(|_| nodes.is_empty() && after.is_none()) {
        return Err(Problem::not_found("node run of", node));
    }
    let last = nodes.last().filter(|_| nodes.len() == limit as usize);
    let next = last.map(|last| format!("{}{}", last.node_id, last.path));
    let nodes = view::node_runs(app, run, nodes, live).await;
    Ok(Json(NodePage { execution_id: run, nodes, next_after: next }))
}

/// `detect`, or `detect[3,0]` inside loops: the last node run of the page before.
fn parse_after(text: &str) -> Result<(NodeId, ItemPath), Problem> {
    let (node, path) = text.find('[').map_or((text, ""), |at| text.split_at(at));
    let path =
        path.parse().map_err(|_| crate::params::wrong("after", text, "`next_after` of the page before"))?;
    Ok((node.into(), path))
}

struct Wanted<'a> {
    node: Option<&'a NodeId>,
    after: Option<&'a (NodeId, ItemPath)>,
    limit: u32,
}

impl Wanted<'_> {
    /// The page, and all node runs of the run where its live state has them.
    async fn of(&self, app: &App, found: Found) -> Result<(Vec<NodeView>, Option<Vec<NodeView>>), Problem> {
        // The live state knows more, unless the run has so many node runs that it was cut.
        if let Some((snapshot, _)) = found.live.filter(|(snapshot, _)| snapshot.nodes_omitted == 0) {
            return Ok((self.pick(&snapshot.nodes), Some(snapshot.nodes)));
        }
        let after = self.after.map(|(node, path)| (node, path));
        Ok((app.store.node_runs().list(found.id, self.node, after, self.limit).await?, None))
    }

    /// The same page as the record would give: by node, then by the items' numbers.
    fn pick(&self, nodes: &[NodeView]) -> Vec<NodeView> {
        let place = |view: &NodeView| (view.node_id.clone(), view.path.clone());
        let wanted = |view: &&NodeView| {
            self.node.is_none_or(|node| view.node_id == *node)
                && self.after.is_none_or(|after| place(view) > *after)
        };
        let mut picked: Vec<&NodeView> = nodes.iter().filter(wanted).collect();
        picked.sort_by_cached_key(|view| place(view));
        picked.into_iter().take(self.limit as usize).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_after_a_node_run() {
        assert_eq!(parse_after("detect").unwrap(), ("detect".into(), ItemPath::root()));
        assert_eq!(
            parse_after("detect[3,0]").unwrap(),
            ("detect".into(), ItemPath::root().child(3).child(0))
        );
        assert!(parse_after("detect[x]").is_err());
    }
}
