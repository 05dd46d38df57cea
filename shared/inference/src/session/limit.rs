//! How large a batch may get. With a bound on its time the rows follow it by additive increase and multiplicative decrease:
//! one more after a full batch that met the bound, a tenth fewer after one that did not (Crankshaw et al., "Clipper: A
//! Low-Latency Online Prediction Serving System", NSDI 2017, section 4.3.1). The bound is a target latency, or a multiple of
//! what one row takes alone, and no batch is made that saves nothing: on a graphics card eight rows take hardly longer than one
//! and may well run together, on a CPU core they take eight times as long, and whoever comes next would wait for all of them.

use std::time::Duration;

use super::{Request, SessionSettings};
use crate::Tensor;

/// After so many batches of several rows, one row runs alone: its time is measured anew.
const MEASURED_EVERY: u32 = 32;
/// How much of the estimate a new measure replaces.
const FRESH: f64 = 0.5;
/// What a row takes in a batch that is worth its while, of what it takes alone.
const WORTH: f64 = 0.9;
/// After a batch that took too long, so many full ones are run before a larger one is tried again.
const PATIENCE: u32 = 32;

/// What a graph has to say of the rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GraphRows {
    /// Nothing.
    Any,
    /// It does not answer more.
    AtMost(usize),
    /// It takes so many, and fewer only with others made up; or each request is to run by itself.
    Exactly(usize),
}

/// What one batch may hold, and how long it may wait.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchLimit {
    /// Whether there is a bound on the time of a batch.
    bounded: bool,
    most_rows: usize,
    most_cells: u64,
    pub(super) max_delay: Duration,
    target: Duration,
    stretch: u32,
    /// Rows that meet the bounds.
    rows: usize,
    /// What a row takes alone, seconds per cell; none before one was run.
    alone: Option<f64>,
    /// Batches since a row was run alone.
    unmeasured: u32,
    /// Full batches still to be run before a larger one is tried.
    patience: u32,
}

impl BatchLimit {
    /// The limit of a model with these settings, before anything ran.
    #[must_use]
    pub fn of(settings: &SessionSettings) -> Self {
        let most_rows = settings.max_batch.max(1);
        let bounded = !settings.target_latency.is_zero() || settings.max_stretch > 0;
        Self {
            bounded,
            most_rows,
            most_cells: settings.max_cells.max(1),
            max_delay: settings.max_delay,
            target: settings.target_latency,
            stretch: settings.max_stretch,
            // With a bound, the first batches feel their way up.
            rows: if bounded { 1 } else { most_rows },
            alone: None,
            unmeasured: 0,
            patience: 0,
        }
    }

    /// Rows that the next batch may have.
    #[must_use]
    pub fn rows(&self) -> usize {
        if self.stretch > 0 && self.unmeasured >= MEASURED_EVERY { 1 } else { self.rows }
    }

    /// Rows that the next batch of a graph may have.
    pub(super) fn rows_of(&self, graph: GraphRows) -> usize {
        match graph {
            GraphRows::Any => self.rows(),
            GraphRows::AtMost(most) => self.rows().min(most),
            GraphRows::Exactly(rows) => rows,
        }
    }

    /// Whether `cells` of pixels or tokens are too many for a batch.
    #[must_use]
    pub fn is_too_much(&self, cells: u64) -> bool {
        cells > self.most_cells
    }

    /// Learns from a run of so many cells and rows that took `took`.
    pub fn learn(&mut self, (cells, rows): (u64, usize), took: Duration) {
        self.measure((cells, rows), took);
        let bound = self.bound((cells, rows));
        if bound.is_none() && self.bounded {
            return;
        }
        if bound.is_some_and(|bound| took > bound) {
            let reached = self.rows.min(rows);
            self.rows = (reached * 9 / 10).min(reached.saturating_sub(1)).max(1);
            self.patience = PATIENCE;
        } else if rows >= self.rows {
            match self.patience.checked_sub(1) {
                Some(left) => self.patience = left,
                None => self.rows = (self.rows + 1).min(self.most_rows),
            }
        }
    }

    /// Learns that a run of so many rows found no memory: half of them are run together until there may be more of it.
    pub fn shrink(&mut self, rows: usize) {
        self.rows = self.rows.min(rows / 2).max(1);
        self.patience = PATIENCE;
    }

    fn measure(&mut self, (cells, rows): (u64, usize), took: Duration) {
        if rows != 1 {
            self.unmeasured = self.unmeasured.saturating_add(1);
            return;
        }
        let fresh = took.as_secs_f64() / cells.max(1) as f64;
        self.alone = Some(self.alone.map_or(fresh, |old| old + (fresh - old) * FRESH));
        self.unmeasured = 0;
    }

    /// The longest that a batch of this size should take; none when nothing bounds it.
    fn bound(&self, (cells, rows): (u64, usize)) -> Option<Duration> {
        let target = (!self.target.is_zero()).then_some(self.target);
        let (per_row, rows) = (cells as f64 / rows.max(1) as f64, rows as f64);
        // One row alone is what others are measured by, whatever it takes.
        let worth = if rows > 1.0 { rows * WORTH } else { f64::INFINITY };
        let alone = self.alone.filter(|_| self.stretch > 0);
        let stretched =
            alone.map(|alone| Duration::from_secs_f64(alone * per_row * worth.min(f64::from(self.stretch))));
        target.into_iter().chain(stretched).min()
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

    /// Full batches of a model that takes `fixed` and `each` per row, milliseconds; the sizes it ran.
    fn serve(limit: &mut BatchLimit, batches: usize, (fixed, each): (u64, u64)) -> Vec<usize> {
        let mut sizes = Vec::new();
        for _ in 0..batches {
            let rows = limit.rows();
            limit.learn((100 * rows as u64, rows), Duration::from_millis(fixed + each * rows as u64));
            sizes.push(rows);
        }
        sizes
    }

    #[test]
    fn a_batch_takes_no_more_than_so_many_times_what_a_row_takes_alone() {
        let settings = SessionSettings { max_batch: 32, max_stretch: 3, ..SessionSettings::default() };
        let mut limit = BatchLimit::of(&settings);
        // A small card: five rows take three times as long as one. A large one: 32 take less than twice as long.
        let small = serve(&mut limit, 400, (4, 4));
        assert!(small.iter().all(|rows| (1..=6).contains(rows)), "{small:?}");
        assert!(small.iter().filter(|rows| (4..=5).contains(*rows)).count() > 300, "{small:?}");
        let large = serve(&mut limit, 400, (40, 1));
        assert!(large[200..].iter().filter(|rows| **rows == 32).count() > 150, "{large:?}");
        let small_again = serve(&mut limit, 400, (4, 4));
        assert!(
            small_again[200..].iter().all(|rows| *rows <= 6),
            "a row alone is measured anew: {small_again:?}"
        );
    }

    #[test]
    fn a_batch_that_saves_nothing_is_not_made() {
        let settings = SessionSettings { max_batch: 32, max_stretch: 3, ..SessionSettings::default() };
        let mut limit = BatchLimit::of(&settings);
        // A core: two rows take nearly twice as long as one. Now and then it is tried again.
        let core = serve(&mut limit, 400, (0, 4));
        assert!(core.iter().all(|rows| *rows <= 2), "{core:?}");
        let tries = core[10..].iter().filter(|rows| **rows == 2).count();
        assert!((8..=16).contains(&tries), "{tries}");
    }

    #[test]
    fn rows_of_another_size_are_held_to_their_own_measure() {
        let settings = SessionSettings { max_batch: 8, max_stretch: 3, ..SessionSettings::default() };
        let mut limit = BatchLimit::of(&settings);
        serve(&mut limit, 20, (1, 4));
        let rows = limit.rows();
        // Four times the pixels, four times the time.
        limit.learn((800, 2), Duration::from_millis(36));
        assert!(limit.rows() >= rows);
    }

    #[test]
    fn what_a_graph_answers_at_most_lifts_no_other_bound() {
        let settings = SessionSettings { max_batch: 8, max_stretch: 3, ..SessionSettings::default() };
        let mut limit = BatchLimit::of(&settings);
        let rows =
            |limit: &BatchLimit| [GraphRows::Any, GraphRows::AtMost(32)].map(|graph| limit.rows_of(graph));
        assert_eq!(rows(&limit), [1, 1], "the first batches feel their way up");
        serve(&mut limit, 50, (9, 1));
        assert_eq!(rows(&limit), [8, 8]);
        assert_eq!(limit.rows_of(GraphRows::AtMost(4)), 4);
        limit.shrink(8);
        assert_eq!(limit.rows_of(GraphRows::AtMost(32)), limit.rows());
        assert_eq!(limit.rows_of(GraphRows::Exactly(32)), 32, "fewer are made up to those");
    }

    #[test]
    fn without_a_target_batches_are_as_large_as_they_may_be() {
        let mut limit = limit(0);
        limit.learn((32, 32), Duration::from_secs(9));
        assert_eq!(limit.rows(), 32);
    }

    #[test]
    fn what_found_no_memory_is_not_tried_again_at_once() {
        for target_ms in [0, 1000] {
            let mut limit = limit(target_ms);
            serve(&mut limit, 100, (1, 1));
            assert_eq!(limit.rows(), 32);
            limit.shrink(32);
            limit.shrink(16);
            let sizes = serve(&mut limit, 100, (1, 1));
            assert!(sizes[..=PATIENCE as usize].iter().all(|rows| *rows == 8), "{sizes:?}");
            assert_eq!(limit.rows(), 32, "memory may be there again: {sizes:?}");
            limit.shrink(1);
            assert_eq!(limit.rows(), 1);
        }
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
