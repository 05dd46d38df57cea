//! How many rows are worth putting together. On a graphics card eight rows take hardly longer than one; on a busy CPU core
//! they take eight times as long, and all that batching does is to make everybody wait. So sizes are compared by what they
//! cost per row, in halves and doubles, and the smaller one wins unless the larger saves more than a twentieth.

use std::cmp::Ordering;
use std::time::Duration;

/// Batches of each of two sizes before one is chosen. They alternate, so that a change of load meets both.
const TRIALS: u32 = 8;
/// Batches between two comparisons, once a size has been kept.
const REST: u32 = 128;
/// A larger batch has to save one part in so many.
const SAVES_ONE_IN: f64 = 20.0;

/// The rows that are worth it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Worth {
    rows: usize,
    most: usize,
    stage: Stage,
    /// Whether the next comparison is with double the rows; otherwise with half.
    up: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Stage {
    /// So many more batches, of more than half the rows, before the next comparison.
    Resting(u32),
    Comparing {
        with: usize,
        own: Sum,
        other: Sum,
    },
}

/// Batches of one size.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sum {
    batches: u32,
    cells: u64,
    took: Duration,
}

impl Sum {
    fn add(&mut self, cells: u64, took: Duration) {
        self.batches += 1;
        self.cells += cells;
        self.took += took;
    }

    fn seconds_per_cell(&self) -> f64 {
        self.took.as_secs_f64() / self.cells.max(1) as f64
    }
}

impl Worth {
    /// Begins with the most, and compares at once.
    pub(super) fn new(most: usize) -> Self {
        Self { rows: most, most, stage: Stage::Resting(0), up: false }
    }

    /// Rows that the next batch should have at most.
    pub(super) fn rows(&self) -> usize {
        match &self.stage {
            Stage::Comparing { with, own, other } if other.batches < own.batches => *with,
            _ => self.rows,
        }
    }

    /// Learns from a run. Cells count, not rows, for rows may differ in size. What is larger than the smaller of two sizes
    /// stands for the larger, which often finds too few rows to be full; what is smaller proves nothing.
    pub(super) fn learn(&mut self, (cells, rows): (u64, usize), took: Duration) {
        let present = self.rows;
        match &mut self.stage {
            Stage::Resting(_) if rows <= present / 2 => {}
            Stage::Resting(0) => self.compare(),
            Stage::Resting(left) => *left -= 1,
            Stage::Comparing { with, own, other } => {
                let (small, large) = if *with > present { (own, other) } else { (other, own) };
                match rows.cmp(&present.min(*with)) {
                    Ordering::Less => return,
                    Ordering::Equal => small.add(cells, took),
                    Ordering::Greater => large.add(cells, took),
                }
                self.decide();
            }
        }
    }

    /// Begins the next comparison, if there is anything to compare with.
    fn compare(&mut self) {
        let (half, double) = (self.rows / 2, self.rows.saturating_mul(2));
        let (can_halve, can_double) = (half >= 1, double <= self.most);
        let with = match (can_halve, can_double) {
            (true, true) => {
                if self.up {
                    double
                } else {
                    half
                }
            }
            (true, false) => half,
            (false, true) => double,
            (false, false) => return,
        };
        self.stage = Stage::Comparing { with, own: Sum::default(), other: Sum::default() };
    }

    fn decide(&mut self) {
        let Stage::Comparing { with, own, other } = &self.stage else { return };
        if own.batches.min(other.batches) < TRIALS {
            return;
        }
        let grows = *with > self.rows;
        let (small, large) = if grows { (own, other) } else { (other, own) };
        let large_saves = small.seconds_per_cell() - large.seconds_per_cell();
        let large_wins = large_saves * SAVES_ONE_IN > small.seconds_per_cell();
        if large_wins == grows {
            // Perhaps further in the same direction.
            (self.rows, self.up, self.stage) = (*with, grows, Stage::Resting(0));
        } else {
            (self.up, self.stage) = (!grows, Stage::Resting(REST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Full batches of a model that takes `fixed` and `each` per row, milliseconds; the sizes it ran.
    fn serve(worth: &mut Worth, batches: usize, (fixed, each): (u64, u64)) -> Vec<usize> {
        let mut sizes = Vec::new();
        for _ in 0..batches {
            let rows = worth.rows();
            worth.learn((rows as u64 * 100, rows), Duration::from_millis(fixed + each * rows as u64));
            sizes.push(rows);
        }
        sizes
    }

    #[test]
    fn a_model_that_gains_nothing_is_served_row_by_row() {
        let mut worth = Worth::new(8);
        assert_eq!(worth.rows(), 8, "before anything is known");
        let first = serve(&mut worth, 60, (0, 4));
        assert_eq!(worth.rows, 1, "{first:?}");
        let later = serve(&mut worth, 1_000, (0, 4));
        assert!(later.iter().all(|rows| *rows <= 2), "larger ones are only tried now and then");
        assert!(later.iter().filter(|rows| **rows == 2).count() < 100);
    }

    #[test]
    fn a_model_that_gains_is_served_in_the_largest_batches() {
        let mut worth = Worth::new(32);
        let sizes = serve(&mut worth, 1_000, (100, 1));
        assert_eq!(worth.rows, 32);
        assert!(sizes.iter().filter(|rows| **rows == 32).count() > 900);
    }

    #[test]
    fn what_changes_is_learnt_anew() {
        let mut worth = Worth::new(8);
        serve(&mut worth, 200, (0, 4));
        serve(&mut worth, 1_000, (40, 1));
        assert_eq!(worth.rows, 8);
        serve(&mut worth, 1_000, (0, 4));
        assert_eq!(worth.rows, 1);
    }

    #[test]
    fn larger_batches_need_not_be_full_and_small_ones_prove_nothing() {
        let mut worth = Worth::new(8);
        (0..100).for_each(|_| worth.learn((300, 3), Duration::from_millis(1)));
        assert_eq!(worth, Worth::new(8));
        for _ in 0..200 {
            let rows = worth.rows().min(7) as u64;
            worth.learn((rows * 100, rows as usize), Duration::from_millis(4 * rows));
        }
        assert_eq!(worth.rows, 1);
        let mut alone = Worth::new(1);
        serve(&mut alone, 100, (0, 4));
        assert_eq!(alone.rows(), 1);
    }
}
