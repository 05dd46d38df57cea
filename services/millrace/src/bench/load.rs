//! A closed loop: so many requests are under way, and each that ends makes room for the next, until time or number is up. And an open
//! one: requests are due at their times, whatever has become of those before.

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
#[derive(Debug)]
pub(crate) struct Outcome<T> {
    pub(crate) done: Vec<T>,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
    /// From the first start to the last end.
    pub(crate) elapsed: Duration,
}

/// Of nothing yet, whatever is to come.
impl<T> Default for Outcome<T> {
    fn default() -> Self {
        Self { done: Vec::new(), errors: 0, first_error: None, elapsed: Duration::ZERO }
    }
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

/// Requests of an open loop that may be under way at once; what is due beyond that waits, and its wait counts.
pub(crate) const MOST_UNDER_WAY: usize = 1_000;

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
    let (mut started, mut outcome) = (0, Outcome::default());
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

/// Begins what `one` makes `per_second` times a second until `bounds` or `stop`; then waits for those that are under way. `one` is
/// given the moment at which it was due: timed from there, a request that had to wait for its turn counts with its wait, and a
/// server that stalls is not spared the requests that would have come meanwhile ("coordinated omission").
pub(crate) async fn open_loop<T, F>(
    bounds: Bounds,
    per_second: f64,
    stop: &CancellationToken,
    mut one: impl FnMut(Instant) -> F,
) -> Outcome<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let begun = Instant::now();
    let mut under_way = FuturesUnordered::new();
    let (mut started, mut outcome) = (0_u64, Outcome::default());
    loop {
        let after = Duration::from_secs_f64(started as f64 / per_second);
        let open = started < bounds.count && after < bounds.time && !stop.is_cancelled();
        let due = begun + after;
        tokio::select! {
            () = tokio::time::sleep_until(due.into()), if open && under_way.len() < MOST_UNDER_WAY => {
                under_way.push(one(due));
                started += 1;
            }
            Some(found) = under_way.next() => outcome.note(found),
            else => break,
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
    async fn an_open_loop_keeps_its_pace_and_counts_the_wait() {
        let bounds = Bounds { time: LONG, count: 20 };
        let turn = std::rc::Rc::new(tokio::sync::Semaphore::new(1));
        // Due every 5 ms, served one after the other in 20 ms each: the line grows, and the last waits for most of it.
        let outcome = open_loop(bounds, 200.0, &CancellationToken::new(), |due| {
            let turn = turn.clone();
            async move {
                let _served = turn.acquire().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(due.elapsed())
            }
        })
        .await;
        assert_eq!((outcome.done.len(), outcome.errors), (20, 0));
        let longest = outcome.done.into_iter().max().unwrap_or_default();
        assert!(longest >= Duration::from_millis(20 * 20 - 5 * 20), "{longest:?} is without the wait");
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
