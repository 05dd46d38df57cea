//! `GET /inference/jobs[/{id}]`: what workers were handed, and how it went.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use millrace_contracts::{ExecutionId, JobId, NodeStatus};
use millrace_store::{JobFilter, JobRecord, JobStatus};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cursor::Cursor;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;
use crate::view;

const STATUSES: &str = "pending, queued, running, completed, failed or cancelled";

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    jobs: Vec<JobRecord>,
    /// What to send as `cursor` for the page after.
    next_cursor: Option<String>,
}

/// List jobs, newest first
#[utoipa::path(
    get, path = "/api/v1/inference/jobs", operation_id = "list_jobs", tag = "inference",
    params(
        ("status" = Option<JobStatus>, Query), ("execution_id" = Option<ExecutionId>, Query),
        ("model_id" = Option<String>, Query), ("task" = Option<String>, Query, example = "detection@1"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "A page.", body = JobPage)),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<JobPage>, Problem> {
    let params = params.only(&["status", "execution_id", "model_id", "task", "cursor", "limit"])?;
    let limit = params.limit(50, 200)?;
    let filter = JobFilter {
        execution_id: params.parsed::<ExecutionId>("execution_id", "an execution's id")?,
        status: params.parsed::<JobStatus>("status", STATUSES)?,
        model_id: params.text("model_id").map(Into::into),
        task: params.text("task").map(str::to_owned),
    };
    let after = params.text("cursor").map(Cursor::decode).transpose()?.map(|cursor| JobId(cursor.0));
    let jobs = app.store.jobs().list(&filter, after, limit).await?;
    let last = jobs.last().filter(|_| jobs.len() == limit as usize);
    let next = last.map(|last| Cursor(last.id.0).encode());
    Ok(Json(JobPage { jobs, next_cursor: next }))
}

/// Show a job
#[utoipa::path(
    get, path = "/api/v1/inference/jobs/{id}", operation_id = "get_job", tag = "inference",
    params(("id" = JobId, Path)),
    responses((status = 200, description = "The job.", body = JobRecord)),
)]
// The record is told of a job's start only with its end; until then the run's live state says who has it.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<JobRecord>, Problem> {
    let id: JobId = id.parse().map_err(|_| Problem::not_found("job", &id))?;
    let mut job = app.store.jobs().get(id).await?;
    if matches!(job.status, JobStatus::Pending | JobStatus::Queued) {
        overlay(&app, &mut job).await;
    }
    Ok(Json(job))
}

/// What the live state knows beyond the record; nothing where it cannot be asked.
async fn overlay(app: &App, job: &mut JobRecord) {
    let Ok(found) = view::find(app, job.execution_id).await else { return };
    let Some((snapshot, _)) = found.live else { return };
    let own = |node: &&millrace_contracts::run::NodeView| {
        node.node_id == job.node_id && node.path == job.path && node.attempt == job.attempt
    };
    let Some(node) = snapshot.nodes.iter().find(own) else { return };
    if node.status == NodeStatus::Running {
        job.status = JobStatus::Running;
        job.started_at = node.started_at;
        job.worker_id.clone_from(&node.worker_id);
    }
}
