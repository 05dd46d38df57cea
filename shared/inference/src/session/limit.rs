//! How large a batch may get: as large as is worth it. With a latency target the rows follow it by additive increase and multiplicative decrease:
//! one more after a full batch that met the target, a tenth fewer after one that did not (Crankshaw et al., "Clipper: A
//! Low-Latency Online Prediction Serving System", NSDI 2017, section 4.3.1).

use std::time::Duration;

use super::worth::Worth;
use super::{Request, SessionSettings};
use crate::Tensor;

/// What one batch may hold, and how long it may wait.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchLimit {
    most_rows: usize,
    most_cells: u64,
    pub(super) max_delay: Duration,
    target: Duration,
    /// Rows that meet the target.
    rows: usize,
    worth: Worth,
}

impl BatchLimit {
    /// The limit of a model with these settings, before anything ran.
    #[must_use]
    pub fn of(settings: &SessionSettings) -> Self {
        let most_rows = settings.max_batch.max(1);
        Self {
            most_rows,
            most_cells: settings.max_cells.max(1),
            max_delay: settings.max_delay,
            target: settings.target_latency,
            // With a target, the first batches feel their way up.
            rows: if settings.target_latency.is_zero() { most_rows } else { 1 },
            worth: Worth::new(most_rows),
        }
    }

    /// Rows that the next batch may have.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.min(self.worth.rows())
    }

    /// Whether `cells` of pixels or tokens are too many for a batch.
    #[must_use]
    pub fn is_too_much(&self, cells: u64) -> bool {
        cells > self.most_cells
    }

    /// Learns from a run of so many cells and rows that took `took`.
    pub fn learn(&mut self, (cells, rows): (u64, usize), took: Duration) {
        self.worth.learn((cells, rows), took);
        if self.target.is_zero() {
            return;
        }
        if took > self.target {
            let reached = self.rows.min(rows);
            self.rows = (reached * 9 / 10).min(reached.saturating_sub(1)).max(1);
        } else if rows >= self.rows {
            self.rows = (self.rows + 1).min(self.most_rows);
        }
    }
}

/// The pixels or tokens of one request, padding included: height × width of a picture, positions of a sequence. Counted
/// on the first input; the others go with it.
pub(super) fn cells(request: &Request) -> u64 {
    let Some(input) = request.inputs.first() else { return 0 };
    let per_row = match input.row_shape() {
        [_, height, width] => height.saturating_mul(*width),
        [positions, ..] => *positions,
        [] => 1,
    };
    (per_row as u64).saturating_mul(Tensor::rows(input) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(target_ms: u64) -> BatchLimit {
        let target_latency = Duration::from_millis(target_ms);
        BatchLimit::of(&SessionSettings { max_batch: 32, target_latency, ..SessionSettings::default() })
    }

    #[test]
    fn without_a_target_batches_are_as_large_as_they_may_be() {
        let mut limit = limit(0);
        limit.learn((32, 32), Duration::from_secs(9));
        assert_eq!(limit.rows(), 32);
    }

    #[test]
    fn rows_settle_where_a_run_takes_what_it_should() {
        // A model that takes 2 ms and 1 ms per row: 18 rows meet 20 ms.
        let mut limit = limit(20);
        let mut seen = Vec::new();
        for _ in 0..200 {
            let rows = limit.rows();
            limit.learn((rows as u64, rows), Duration::from_millis(2 + rows as u64));
            seen.push(rows);
        }
        assert!(seen[100..].iter().all(|rows| (15..=19).contains(rows)), "{seen:?}");
    }

    #[test]
    fn batches_that_were_not_full_prove_nothing_and_one_row_is_the_least() {
        let mut limit = limit(20);
        (0..4).for_each(|_| limit.learn((32, 32), Duration::from_millis(1)));
        assert_eq!(limit.rows(), 5);
        limit.learn((1, 1), Duration::from_millis(1));
        assert_eq!(limit.rows(), 5);
        (0..9).for_each(|_| limit.learn((1, 1), Duration::from_secs(1)));
        assert_eq!(limit.rows(), 1);
    }
}
