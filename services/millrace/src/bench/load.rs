//! A closed loop: so many requests are under way, and each that ends makes room for the next, until time or number is up.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use millrace_tasks::CancellationToken;

/// When a phase ends, whichever comes first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) time: Duration,
    pub(crate) count: u64,
}

/// What a loop brought.
#[derive(Debug, Default)]
pub(crate) struct Outcome<T> {
    pub(crate) done: Vec<T>,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
    /// From the first start to the last end.
    pub(crate) elapsed: Duration,
}

impl<T> Outcome<T> {
    /// Adds how one of them went.
    pub(crate) fn note(&mut self, found: anyhow::Result<T>) {
        match found {
            Ok(found) => self.done.push(found),
            Err(fault) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| format!("{fault:#}"));
            }
        }
    }
}

/// Keeps `in_flight` of what `one` makes under way until `bounds` or `stop`; then waits for those that are.
pub(crate) async fn closed_loop<T, F>(
    bounds: Bounds,
    in_flight: usize,
    stop: &CancellationToken,
    mut one: impl FnMut(u64) -> F,
) -> Outcome<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let begun = Instant::now();
    let mut under_way = FuturesUnordered::new();
    let (mut started, mut outcome) =
        (0, Outcome { done: Vec::new(), errors: 0, first_error: None, elapsed: Duration::ZERO });
    loop {
        let open = started < bounds.count && begun.elapsed() < bounds.time && !stop.is_cancelled();
        while open && under_way.len() < in_flight && started < bounds.count {
            under_way.push(one(started));
            started += 1;
        }
        match under_way.next().await {
            None => break,
            Some(found) => outcome.note(found),
        }
    }
    outcome.elapsed = begun.elapsed();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_loop_ends_by_number_and_keeps_the_first_error() {
        let bounds = Bounds { time: LONG, count: 10 };
        let outcome = closed_loop(bounds, 3, &CancellationToken::new(), |number| async move {
            anyhow::ensure!(number % 4 != 3, "number {number}");
            Ok(number)
        })
        .await;
        assert_eq!((outcome.done.len(), outcome.errors), (8, 2));
        assert_eq!(outcome.first_error.as_deref(), Some("number 3"));
    }

    #[tokio::test]
    async fn a_loop_ends_when_told_to() {
        let stop = CancellationToken::new();
        let bounds = Bounds { time: LONG, count: u64::MAX };
        let outcome = closed_loop(bounds, 2, &stop, |number| {
            if number == 5 {
                stop.cancel();
            }
            async move { Ok(number) }
        })
        .await;
        assert_eq!((outcome.done.len(), outcome.errors), (6, 0));
    }
}
