//! `?wait=30s`: how long a submission may hold its answer for the run's end, and the waiting itself.

use std::time::Duration;

use millrace_contracts::{ExecutionStatus, Fault};
use tokio::time::{Instant, sleep_until};

use crate::live::{RunLog, Signal, Subscription};
use crate::params::duration;
use crate::problem::{Code, Problem};
use crate::state::App;

/// The state is looked at this often, whatever the topic says.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Reads `wait`: a number with `ms`, `s` or `m`, or bare seconds. Longer than `longest` means `longest`.
pub(crate) fn parse(text: &str, longest: Duration) -> Result<Duration, Problem> {
    let fault = || {
        let fault = Fault::new("INVALID_VALUE", "/wait", "`wait` is not a duration")
            .hint("write such as 500ms, 30s or 1m, or a number of seconds");
        Problem::fault(Code::InvalidQuery, fault)
    };
    duration(text).map(|wait| wait.min(longest)).ok_or_else(fault)
}

/// Waits for the run's end, but no longer than `wait`; the status it has then.
pub(super) async fn until_ended(app: &App, mut topic: Subscription, wait: Duration) -> ExecutionStatus {
    let run = topic.run();
    let (log, deadline) = (app.history(), Instant::now() + wait);
    loop {
        let status = match log.standing(run).await {
            Ok(Some(standing)) => standing.status,
            // Neither place has it yet, or both are away: it was accepted, that is sure.
            Ok(None) | Err(_) => ExecutionStatus::Pending,
        };
        if status.is_terminal() || Instant::now() >= deadline || app.shutdown.is_cancelled() {
            return status;
        }
        wait_for_news(app, &mut topic, deadline.min(Instant::now() + LOOK_EVERY)).await;
    }
}

/// Returns when the run has ended, events may have been missed, the role ends, or it is time to look.
async fn wait_for_news(app: &App, topic: &mut Subscription, look_at: Instant) {
    loop {
        tokio::select! {
            signal = topic.receiver().recv() => match signal {
                Ok(Signal::Frame(frame)) if !frame.kind.ends_run() => {}
                _ => return,
            },
            () = sleep_until(look_at) => return,
            () = app.shutdown.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_bounded() {
        let longest = Duration::from_secs(60);
        for (text, millis) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("1m", 60_000),
            ("2", 2_000),
            ("1.5s", 1_500),
            ("9000m", 60_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text, longest).unwrap(), Duration::from_millis(millis), "{text}");
        }
        assert_eq!(parse("99999999999999999999999999", longest).unwrap(), longest);
        for text in ["", "s", "soon", "-1s", "1w", "1 s", "NaN", "inf"] {
            assert_eq!(parse(text, longest).unwrap_err().code(), Code::InvalidQuery, "{text}");
        }
    }
}
