//! `GET /inference/jobs[/{id}]`: what workers were handed, and how it went.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use millrace_blocks::{Runner, catalogue};
use millrace_contracts::{ExecutionId, IMAGE_FETCH, JobId, UnixMillis};
use millrace_store::{JobFilter, JobRecord, JobStatus, JobTask, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cursor::TimedCursor;
use crate::params::{Params, wrong};
use crate::problem::Problem;
use crate::state::App;
use crate::view::{self, AskedJob};

const STATUSES: &str = "pending, queued, running, completed, failed or cancelled";

/// Recorded jobs that one page looks through.
const MOST_LOOKED_AT: u32 = 1_000;
/// Of them at once.
const AT_ONCE: u32 = 200;

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    jobs: Vec<JobRecord>,
    /// What to send as `cursor` for the page after. Of jobs that are `queued` or `running`, a page may have fewer than `limit`, or
    /// none, and there may still be a page after it.
    next_cursor: Option<String>,
}

/// List jobs, newest first
///
/// A job that has not ended is shown as its run has it now; `queued` and `running` are told apart by that.
#[utoipa::path(
    get, path = "/api/v1/inference/jobs", operation_id = "list_jobs", tag = "inference",
    params(
        ("status" = Option<JobStatus>, Query), ("execution_id" = Option<ExecutionId>, Query),
        ("model_id" = Option<String>, Query), ("task" = Option<String>, Query, description = "What was done, in any version, or in one: `detection@1`.", example = "detection"),
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
        task: params.text("task").map(task).transpose()?,
    };
    let after = params.text("cursor").map(TimedCursor::decode).transpose()?;
    let after = after.map(|TimedCursor(submitted_at, id)| (submitted_at, JobId(id)));
    let (jobs, last) = match filter.status {
        Some(status @ (JobStatus::Queued | JobStatus::Running)) => {
            under_way(&app, (status, filter), after, limit).await?
        }
        _ => recorded(&app, &filter, after, limit).await?,
    };
    let next = last.map(|(submitted_at, id)| TimedCursor(submitted_at, id.0).encode());
    Ok(Json(JobPage { jobs, next_cursor: next }))
}

/// Where a job stands in the list of all.
type Place = (UnixMillis, JobId);

/// A page as it is recorded, with what is known beyond that of those that have not ended; and the place of its last one, if there
/// may be more after it.
async fn recorded(
    app: &App,
    filter: &JobFilter,
    after: Option<Place>,
    limit: u32,
) -> Result<(Vec<JobRecord>, Option<Place>), Problem> {
    let mut jobs = app.store.jobs().list(filter, after, limit).await?;
    let last = jobs.last().filter(|_| jobs.len() == limit as usize).map(place);
    // Where the live state cannot be asked, the record is what there is to say.
    if let Err(problem) = view::overlay_all(app, &mut jobs).await {
        tracing::debug!(problem = ?problem.code(), "jobs are shown as they are recorded");
    }
    Ok((jobs, last))
}

/// A page of jobs with this status, either of which is recorded as queued: the live state tells them apart. Looks through so many
/// recorded ones; what is after them is for the next page.
async fn under_way(
    app: &App,
    (status, filter): (JobStatus, JobFilter),
    mut after: Option<Place>,
    limit: u32,
) -> Result<(Vec<JobRecord>, Option<Place>), Problem> {
    let filter = JobFilter { status: Some(JobStatus::Queued), ..filter };
    let mut found: Vec<JobRecord> = Vec::new();
    for _ in 0..MOST_LOOKED_AT / AT_ONCE {
        let mut jobs = app.store.jobs().list(&filter, after, AT_ONCE).await?;
        let places: Vec<Place> = jobs.iter().map(place).collect();
        view::overlay_all(app, &mut jobs).await?;
        for (job, place) in jobs.into_iter().zip(&places) {
            if job.status == status {
                found.push(job);
            }
            after = Some(*place);
            if found.len() == limit as usize {
                return Ok((found, after));
            }
        }
        if places.len() < AT_ONCE as usize {
            return Ok((found, None));
        }
    }
    Ok((found, after))
}

/// As the record sorts it: the live state may know another time.
fn place(job: &JobRecord) -> Place {
    (job.submitted_at, job.id)
}

/// Show a job
#[utoipa::path(
    get, path = "/api/v1/inference/jobs/{id}", operation_id = "get_job", tag = "inference",
    params(("id" = JobId, Path)),
    responses((status = 200, description = "The job.", body = JobRecord)),
)]
// What the record does not say yet is told by the job's note and by the run's live state.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<JobRecord>, Problem> {
    let id: JobId = id.parse().map_err(|_| Problem::not_found("job", &id))?;
    match app.store.jobs().get(id).await {
        Ok(mut job) => {
            // Where the live state cannot be asked, the record is what there is to say.
            if let Err(problem) = view::overlay_all(&app, std::slice::from_mut(&mut job)).await {
                tracing::debug!(job.id = %id, problem = ?problem.code(), "a job is shown as it is recorded");
            }
            Ok(Json(job))
        }
        Err(error) => match AskedJob::find(&app, id).await {
            Ok(Some(job)) => Ok(Json(job)),
            Ok(None) => Err(error.into()),
            // Only where Redis is sure as well is there no such job.
            Err(problem) => {
                Err(if matches!(error, StoreError::NotFound(_)) { problem } else { error.into() })
            }
        },
    }
}

/// `detection` for every version of it, or `detection@1` for one.
fn task(text: &str) -> Result<JobTask, Problem> {
    let tasks = || catalogue().iter().filter(|block| matches!(block.runner, Runner::Worker { .. }));
    if tasks().any(|block| block.name == text) {
        return Ok(JobTask::AnyVersion(text.to_owned()));
    }
    if text == IMAGE_FETCH || tasks().any(|block| block.versioned() == text) {
        return Ok(JobTask::Version(text.to_owned()));
    }
    let mut known: Vec<&str> = tasks().map(|block| block.name).collect();
    known.sort_unstable();
    Err(wrong("task", text, &format!("what a worker does: {}, or one version of it", known.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_named_with_or_without_its_version() {
        assert_eq!(task("detection").unwrap(), JobTask::AnyVersion("detection".into()));
        assert_eq!(task("detection@1").unwrap(), JobTask::Version("detection@1".into()));
        assert_eq!(task(IMAGE_FETCH).unwrap(), JobTask::Version(IMAGE_FETCH.into()));
        for text in ["detektion", "detection@77", "json_output", ""] {
            assert!(task(text).is_err(), "{text}");
        }
    }
}
