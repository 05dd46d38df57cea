//! `GET /stats?window=1h`: the figures of the last while, for dashboards. `docs/stats.md` describes every field.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use millrace_bus::{QueueDepth, WorkerRecord};
use millrace_contracts::UnixMillis;
use millrace_store::{FleetTime, Stats};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::params::{Params, wrong};
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

const DEFAULT_WINDOW: Duration = Duration::from_secs(3_600);
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
const WINDOW: &str = "a duration from 1m to 31d, such as 15m, 6h or 7d";

/// The figures of a window.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stats)]
struct StatsPage<'a> {
    #[serde(flatten)]
    counted: &'a Stats,
    from: UnixMillis,
    to: UnixMillis,
    /// The length of a bucket, milliseconds.
    bucket_ms: u64,
    costs: Costs,
    /// The fleet at this moment; null while Redis is away.
    workers: Option<Fleet>,
    /// The queues at this moment; null while Redis is away.
    queues: Option<Vec<QueueDepth>>,
}

/// What was spent, in the operator's currency: on runs, and on workers, whether anything ran or not.
#[derive(Debug, Serialize, ToSchema)]
struct Costs {
    runs: Option<f64>,
    fleet: Option<f64>,
    idle: Option<f64>,
    per_run: Option<f64>,
    per_1000_inferences: Option<f64>,
}

/// The workers of this moment, counted.
#[derive(Debug, Serialize, ToSchema)]
struct Fleet {
    alive: usize,
    lost: usize,
    /// Jobs under way.
    running: u64,
    /// Jobs that could be.
    capacity: u64,
}

/// Show the figures of the last while
///
/// What the record says of the window, and what Redis says of this moment.
#[utoipa::path(
    get, path = "/api/v1/stats", operation_id = "get_stats", tag = "fleet",
    params(("window" = Option<String>, Query, description = "From 1m to 31d.", example = "1h")),
    responses((status = 200, description = "The figures.", body = StatsPage<'_>)),
)]
pub(crate) async fn show(State(app): State<Arc<App>>, params: Params) -> Result<Response, Problem> {
    let params = params.only(&["window"])?;
    let window = params.duration("window", WINDOW)?.unwrap_or(DEFAULT_WINDOW);
    if !(SHORTEST..=LONGEST).contains(&window) {
        return Err(wrong("window", params.text("window").unwrap_or_default(), WINDOW));
    }
    let counted = app.figures.of(&app.store, window).await?;
    let (window, stats) = &*counted;
    let now = patiently(async { tokio::try_join!(app.bus.workers(), app.bus.queue_depths()) }).await;
    // Where Redis is away, what was is still known.
    let (workers, queues) = now.map(|(workers, queues)| (fleet(&workers), queues)).ok().unzip();
    let page = StatsPage {
        counted: stats,
        from: window.since,
        to: window.until,
        bucket_ms: window.bucket.as_millis() as u64,
        costs: costs(stats),
        workers,
        queues,
    };
    Ok(Json(page).into_response())
}

fn costs(stats: &Stats) -> Costs {
    let sum = |pick: fn(&FleetTime) -> Option<f64>| {
        stats.fleet.iter().filter_map(pick).reduce(|one, other| one + other)
    };
    let per = |count: i64, scale: f64| {
        stats.totals.cost.filter(|_| count > 0).map(|cost| scale * cost / count as f64)
    };
    let inferences = stats.workflows.iter().map(|workflow| workflow.inferences).sum();
    Costs {
        runs: stats.totals.cost,
        fleet: sum(|time| time.cost),
        idle: sum(|time| time.idle_cost),
        per_run: per(stats.totals.runs, 1.0),
        per_1000_inferences: per(inferences, 1000.0),
    }
}

fn fleet(workers: &[WorkerRecord]) -> Fleet {
    let alive: Vec<Value> =
        workers.iter().filter_map(|worker| serde_json::from_str(worker.info.as_deref()?).ok()).collect();
    let sum = |name: &str| alive.iter().filter_map(|info| info[name].as_u64()).sum::<u64>();
    Fleet {
        alive: alive.len(),
        lost: workers.len() - alive.len(),
        running: sum("running"),
        capacity: sum("capacity"),
    }
}
