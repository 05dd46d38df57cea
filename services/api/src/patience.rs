//! How long a request waits for Redis. The bus reconnects by itself and takes its time over it; a client is better served by
//! what Postgres knows, or by a 503.

use std::time::Duration;

use millrace_bus::BusError;

use crate::problem::{Code, Problem};

/// Longest a request waits for one call to the bus.
const BUS_WAIT: Duration = Duration::from_secs(2);

/// The call's result, if it comes in time.
pub(crate) async fn patiently<T>(call: impl Future<Output = Result<T, BusError>>) -> Result<T, Problem> {
    match tokio::time::timeout(BUS_WAIT, call).await {
        Ok(result) => Ok(result?),
        Err(_) => {
            let detail = "the message bus does not answer; send it again in a moment";
            Err(Problem::new(Code::BusUnavailable, detail))
        }
    }
}
