//! Percentiles of measured times.

use std::time::Duration;

use serde::Serialize;

/// What many times come to, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Times {
    pub(crate) count: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    /// Beside the median it shows what a median hides: a disk that is now quick and now slow.
    pub(crate) mean_ms: f64,
}

impl Times {
    /// Of `samples`, in any order; all zero when there are none.
    pub(crate) fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        let at = |share| percentile(&samples, share).map_or(0.0, millis);
        let count = samples.len();
        let mean_ms = millis(samples.iter().sum()) / count.max(1) as f64;
        let (p50_ms, p90_ms, p95_ms, p99_ms) = (at(0.5), at(0.9), at(0.95), at(0.99));
        Self { count, p50_ms, p90_ms, p95_ms, p99_ms, max_ms: at(1.0), mean_ms }
    }
}

/// The smallest sample that at least `share` of all do not exceed (nearest rank). `sorted` is.
fn percentile(sorted: &[Duration], share: f64) -> Option<Duration> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// In milliseconds, with the microseconds behind the point.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_by_nearest_rank() {
        let samples: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
        let times = Times::of(samples);
        assert_eq!((times.count, times.p50_ms, times.p90_ms), (200, 100.0, 180.0));
        assert_eq!((times.p99_ms, times.max_ms, times.mean_ms), (198.0, 200.0, 100.5));
    }

    #[test]
    fn one_sample_is_every_percentile_and_none_is_zero() {
        let times = Times::of(vec![Duration::from_micros(1_500)]);
        assert_eq!((times.p50_ms, times.p99_ms, times.max_ms), (1.5, 1.5, 1.5));
        assert_eq!(Times::of(Vec::new()), Times::default());
    }
}
