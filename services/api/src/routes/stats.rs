//! `GET /stats?window=1h`: the figures of the last while, for dashboards. `docs/stats.md` describes every field.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use millrace_bus::WorkerRecord;
use millrace_store::{FleetTime, Stats};
use serde_json::{Value, json};

use crate::params::{Params, wrong};
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

const DEFAULT_WINDOW: Duration = Duration::from_secs(3_600);
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
const WINDOW: &str = "a duration from 1m to 31d, such as 15m, 6h or 7d";

/// What the record says of the window, and what Redis says of this moment.
pub(crate) async fn show(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, Problem> {
    let params = params.only(&["window"])?;
    let window = params.duration("window", WINDOW)?.unwrap_or(DEFAULT_WINDOW);
    if !(SHORTEST..=LONGEST).contains(&window) {
        return Err(wrong("window", params.text("window").unwrap_or_default(), WINDOW));
    }
    let counted = app.figures.of(&app.store, window).await?;
    let (window, stats) = &*counted;
    let mut page = json!(stats);
    page["from"] = json!(window.since);
    page["to"] = json!(window.until);
    page["bucket_ms"] = json!(window.bucket.as_millis() as u64);
    page["costs"] = costs(stats);
    let now = patiently(async { tokio::try_join!(app.bus.workers(), app.bus.queue_depths()) }).await;
    // Where Redis is away, what was is still known.
    let (workers, queues) =
        now.map_or((Value::Null, Value::Null), |(workers, queues)| (fleet(&workers), json!(queues)));
    page["workers"] = workers;
    page["queues"] = queues;
    Ok(Json(page))
}

/// What was spent: on runs, and on workers, whether anything ran or not.
fn costs(stats: &Stats) -> Value {
    let sum = |pick: fn(&FleetTime) -> Option<f64>| {
        stats.fleet.iter().filter_map(pick).reduce(|one, other| one + other)
    };
    let per = |count: i64, scale: f64| {
        stats.totals.cost.filter(|_| count > 0).map(|cost| scale * cost / count as f64)
    };
    let inferences = stats.workflows.iter().map(|workflow| workflow.inferences).sum();
    json!({
        "runs": stats.totals.cost,
        "fleet": sum(|time| time.cost),
        "idle": sum(|time| time.idle_cost),
        "per_run": per(stats.totals.runs, 1.0),
        "per_1000_inferences": per(inferences, 1000.0),
    })
}

/// The workers of this moment, counted.
fn fleet(workers: &[WorkerRecord]) -> Value {
    let alive: Vec<Value> =
        workers.iter().filter_map(|worker| serde_json::from_str(worker.info.as_deref()?).ok()).collect();
    let sum = |name: &str| alive.iter().filter_map(|info| info[name].as_u64()).sum::<u64>();
    json!({
        "alive": alive.len(),
        "lost": workers.len() - alive.len(),
        "running": sum("running"),
        "capacity": sum("capacity"),
    })
}
