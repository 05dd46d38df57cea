//! What an hour of a worker costs, by the pool it serves. Kept beside the pool of connections, because what is written is
//! priced as it is written: a later price does not change what was spent.

use std::collections::BTreeMap;

use millrace_contracts::{JobMetrics, Pool};

const MS_PER_HOUR: f64 = 3_600_000.0;

/// Price per worker and hour of each pool, in the operator's currency. What has no price costs nothing that is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prices(pub BTreeMap<Pool, f64>);

impl Prices {
    /// Whether nothing has a price.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a job cost that was handed to `pool`: its share of the worker's time at the pool's price.
    pub(crate) fn of_job(&self, pool: &Pool, metrics: &JobMetrics) -> Option<f64> {
        self.0.get(pool).map(|price| price * metrics.worker_share_ms / MS_PER_HOUR)
    }

    /// An hour of a worker that serves these pools costs what the dearest of them does.
    pub(crate) fn of_worker(&self, pools: &[Pool]) -> Option<f64> {
        pools.iter().filter_map(|pool| self.0.get(pool)).copied().reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_pay_for_their_share_and_workers_for_their_dearest_pool() {
        let prices = Prices(BTreeMap::from([(Pool::from("fast"), 3.6), (Pool::from("cpu"), 0.36)]));
        let metrics = JobMetrics { worker_share_ms: 500.0, ..JobMetrics::default() };
        let cost = prices.of_job(&"fast".into(), &metrics).unwrap();
        assert!((cost - 0.0005).abs() < 1e-12, "{cost}");
        assert_eq!(prices.of_job(&"heavy".into(), &metrics), None);
        assert_eq!(prices.of_worker(&["cpu".into(), "fast".into()]), Some(3.6));
        assert_eq!(prices.of_worker(&["heavy".into()]), None);
    }
}
