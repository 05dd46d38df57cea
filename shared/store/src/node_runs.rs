//! `wf_node_runs`: node runs as clients see them, and as a rebuilt run finds them.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use millrace_contracts::run::NodeView;
use millrace_contracts::{ExecutionId, ItemPath, NodeId, NodeStatus};
use serde_json::Value;
use uuid::Uuid;

use crate::{Store, StoreError, json};

/// The recorded node runs.
#[derive(Debug, Clone, Copy)]
pub struct NodeRuns<'a> {
    store: &'a Store,
}

impl Store {
    /// The recorded node runs.
    #[must_use]
    pub fn node_runs(&self) -> NodeRuns<'_> {
        NodeRuns { store: self }
    }
}

struct Row {
    node_id: String,
    path: String,
    block: String,
    status: String,
    attempt: i32,
    outputs: Option<Value>,
    error: Option<Value>,
    metrics: Option<Value>,
    worker_id: Option<String>,
    queued_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    skipped_ports: Option<Value>,
    origin: Option<Uuid>,
}

impl TryFrom<Row> for NodeView {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            node_id: row.node_id.into(),
            path: ItemPath::from_str(&row.path).map_err(|error| StoreError::corrupt("item path", error))?,
            block: row.block,
            status: NodeStatus::from_str(&row.status)
                .map_err(|error| StoreError::corrupt("node status", error))?,
            attempt: row.attempt.unsigned_abs(),
            outputs: json::read_some("node outputs", row.outputs)?,
            error: json::read_some("node error", row.error)?,
            metrics: json::read_some("node metrics", row.metrics)?,
            queued_at: row.queued_at.map(Into::into),
            started_at: row.started_at.map(Into::into),
            completed_at: row.completed_at.map(Into::into),
            worker_id: row.worker_id.map(Into::into),
            skipped_ports: json::read_some("skipped ports", row.skipped_ports)?.unwrap_or_default(),
            origin: row.origin.map(ExecutionId),
        })
    }
}

impl NodeRuns<'_> {
    /// A page of a run's node runs, by node and item; `after` is the last of the page before, `node` narrows to one node.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn list(
        &self,
        run: ExecutionId,
        node: Option<&NodeId>,
        after: Option<(&NodeId, &ItemPath)>,
        limit: u32,
    ) -> Result<Vec<NodeView>, StoreError> {
        let after_path: Vec<i32> = after
            .map(|(_, path)| {
                path.indices().iter().map(|index| i32::try_from(*index).unwrap_or(i32::MAX)).collect()
            })
            .unwrap_or_default();
        // Items sort by their numbers, not by their text: [2] comes before [10]. Nodes sort by their bytes, as the live state has
        // them, whatever language the database sorts by: pages of both may alternate.
        let rows = sqlx::query_as!(
            Row,
            r#"select node_id, path, block, status, attempt, outputs, error, metrics, worker_id, queued_at, started_at,
                completed_at, skipped_ports, origin
            from wf_node_runs
            where execution_id = $1 and ($2::text is null or node_id = $2)
                and ($3::text is null
                    or (node_id collate "C", ('{' || btrim(path, '[]') || '}')::int[]) > ($3, $4::int[]))
            order by node_id collate "C", ('{' || btrim(path, '[]') || '}')::int[] limit $5"#,
            run.0,
            node.map(NodeId::as_str),
            after.map(|(node, _)| node.as_str()),
            &after_path,
            i64::from(limit)
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        rows.into_iter().map(NodeView::try_from).collect()
    }

    /// Those at these places, as far as they are recorded.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn at(
        &self,
        run: ExecutionId,
        places: &[(NodeId, ItemPath)],
    ) -> Result<Vec<NodeView>, StoreError> {
        let nodes: Vec<String> = places.iter().map(|(node, _)| json::plain(node.as_str())).collect();
        let paths: Vec<String> = places.iter().map(|(_, path)| path.to_string()).collect();
        let rows = sqlx::query_as!(
            Row,
            "select run.node_id, run.path, run.block, run.status, run.attempt, run.outputs, run.error, run.metrics,
                run.worker_id, run.queued_at, run.started_at, run.completed_at, run.skipped_ports, run.origin
            from unnest($2::text[], $3::text[]) as place (node_id, path)
            join wf_node_runs run on run.execution_id = $1 and run.node_id = place.node_id and run.path = place.path",
            run.0,
            &nodes,
            &paths
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        rows.into_iter().map(NodeView::try_from).collect()
    }

    /// The completed node runs of a run, with their outputs: what a rebuilt run need not do again.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn history(&self, run: ExecutionId) -> Result<Vec<NodeView>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "select node_id, path, block, status, attempt, outputs, error, metrics, worker_id, queued_at, started_at,
                completed_at, skipped_ports, origin
            from wf_node_runs where execution_id = $1 and status = 'completed'
            order by completed_at, node_id, path",
            run.0
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        rows.into_iter().map(NodeView::try_from).collect()
    }
}
