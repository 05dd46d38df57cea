//! The line in front of the lanes: this replica sets how many runs may be under way, and mends what crashes left in it.
//! Every replica does, since each step may be repeated.

use std::convert::Infallible;
use std::time::Duration;

use metrics::gauge;
use millrace_bus::LineLimit;

use crate::OrchestratorError;
use crate::role::Shared;

/// Pause between looks. After the loss of Redis nobody is admitted for so long.
const PAUSE: Duration = Duration::from_secs(1);
/// An admitted run that has not begun is sent again after so long.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of the runs that may be under way, one in so many may be so beyond the limit, for workflows that have none.
const RESERVE: u64 = 8;

/// Looks after the line.
pub(crate) async fn run(shared: Shared) -> Result<(), Infallible> {
    let running = shared.settings.max_running_runs;
    let limit = LineLimit { running, reserve: (running / RESERVE).max(1) };
    loop {
        if let Err(error) = look(&shared, limit).await {
            tracing::warn!(error = %error, "the line of runs could not be looked after; trying again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(shared: &Shared, limit: LineLimit) -> Result<(), OrchestratorError> {
    shared.bus.limit_line(limit).await?;
    shared.bus.mend_line(PATIENCE, shared.settings.stalled_after).await?;
    let line = shared.bus.line(1).await?;
    gauge!("millrace_line_running").set(line.running as f64);
    for level in line.priorities {
        let priority = level.priority.as_str();
        gauge!("millrace_line_waiting", "priority" => priority).set(level.waiting as f64);
        let oldest_s = level.oldest_ms.unwrap_or(0) as f64 / 1000.0;
        gauge!("millrace_line_oldest_seconds", "priority" => priority).set(oldest_s);
    }
    Ok(())
}
