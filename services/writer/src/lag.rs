//! How far the record is behind, as metrics.

use std::convert::Infallible;
use std::time::Duration;

use metrics::gauge;
use millrace_contracts::UnixMillis;

use crate::role::Shared;

const INTERVAL: Duration = Duration::from_secs(5);

/// Measures for ever. A failed look is left out: readiness and the record loop speak of outages.
pub(crate) async fn run(shared: Shared) -> Result<(), Infallible> {
    loop {
        if let Ok(lag) = shared.bus.recorder_lag().await {
            let behind_ms = lag.oldest.map_or(0, |oldest| UnixMillis::now().since(oldest));
            gauge!("millrace_writer_lag_events").set(lag.entries as f64);
            gauge!("millrace_writer_behind_seconds").set(Duration::from_millis(behind_ms).as_secs_f64());
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
