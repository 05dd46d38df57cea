//! Await-until with a deadline, in place of sleeps.

use std::fmt::Display;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(10);

/// Asks `check` until it gives a value.
///
/// # Errors
/// When `deadline` has passed: names `what` was waited for, and the last error of `check` if there was one.
pub async fn eventually<T, E: Display>(
    deadline: Duration,
    what: &str,
    mut check: impl AsyncFnMut() -> Result<Option<T>, E>,
) -> anyhow::Result<T> {
    let begun = Instant::now();
    loop {
        let last = match check().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => None,
            Err(fault) => Some(fault),
        };
        if begun.elapsed() >= deadline {
            let why = last.map(|fault| format!("; last error: {fault}")).unwrap_or_default();
            anyhow::bail!("not within {deadline:?}: {what}{why}");
        }
        tokio::time::sleep(POLL).await;
    }
}
