//! How many event streams are open, as a metric. Looked at again and again: a stream tells nobody of its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;

use crate::state::App;

const INTERVAL: Duration = Duration::from_secs(1);

/// Measures for ever.
pub(crate) async fn run(app: Arc<App>) -> Result<(), Infallible> {
    loop {
        let open = app.settings.max_streams.saturating_sub(app.streams.available_permits());
        gauge!("millrace_streams_open").set(u32::try_from(open).unwrap_or(u32::MAX));
        gauge!("millrace_stream_topics").set(u32::try_from(app.hub.topics()).unwrap_or(u32::MAX));
        tokio::time::sleep(INTERVAL).await;
    }
}
