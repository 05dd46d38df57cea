//! Waiting for an answer, and no longer than that.

use std::fmt::Display;
use std::time::Duration;

/// The call's result, if it comes within `limit`.
///
/// # Errors
/// Why it did not, in words for the log.
pub async fn within<T, E: Display>(
    limit: Duration,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {limit:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_waited_for_so_long_and_no_longer() {
        let limit = Duration::from_secs(1);
        assert_eq!(within(limit, async { Ok::<_, String>(7) }).await, Ok(7));
        assert_eq!(within(limit, async { Err::<(), _>("refused") }).await, Err("refused".to_owned()));
        let never = std::future::pending::<Result<(), String>>();
        assert_eq!(within(limit, never).await, Err("no answer within 1s".to_owned()));
    }
}
