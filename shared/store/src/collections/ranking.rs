//! The best of many scores, in memory for the best only.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Sums that are kept side by side, so that the processor adds them side by side.
const LANES: usize = 8;

/// The `most` best ids so far.
pub(super) struct Ranking {
    most: usize,
    /// The worst of them on top.
    best: BinaryHeap<Scored>,
}

/// An id with its score; the greater the worse, of equals the greater id.
#[derive(Debug, PartialEq)]
struct Scored {
    score: f32,
    id: String,
}

impl Eq for Scored {}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then_with(|| self.id.cmp(&other.id))
    }
}

impl Ranking {
    /// Of the `most` best.
    pub(super) fn new(most: usize) -> Self {
        Self { most, best: BinaryHeap::new() }
    }

    /// One more.
    pub(super) fn add(&mut self, score: f32, id: &str) {
        let is_full = self.best.len() >= self.most;
        // Most are worse than all that are kept, and cost no more than this look.
        if is_full && self.best.peek().is_none_or(|worst| score < worst.score) {
            return;
        }
        self.best.push(Scored { score, id: id.to_owned() });
        if is_full {
            self.best.pop();
        }
    }

    /// The ids and their scores, the best first.
    pub(super) fn into_sorted(self) -> Vec<(String, f32)> {
        self.best.into_sorted_vec().into_iter().map(|Scored { score, id }| (id, score)).collect()
    }
}

/// The inner product of two vectors of one dimension, one of them as it is stored: as bytes.
pub(super) fn inner_product(one: &[f32], stored: &[u8]) -> f32 {
    let (stored, _) = stored.as_chunks();
    let (one, one_rest) = one.as_chunks::<LANES>();
    let (stored, stored_rest) = stored.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in one.iter().zip(stored) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * f32::from_le_bytes(b[lane]);
        }
    }
    let rest: f32 = one_rest.iter().zip(stored_rest).map(|(a, b)| a * f32::from_le_bytes(*b)).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::collections::vector::to_bytes;

    #[test]
    fn the_best_stay_in_order_and_equals_by_id() {
        let mut ranking = Ranking::new(3);
        for (score, id) in [(0.1, "a"), (0.9, "d"), (0.5, "b"), (0.9, "c"), (-1.0, "e")] {
            ranking.add(score, id);
        }
        let found: Vec<_> = ranking.into_sorted();
        assert_eq!(found, [("c".to_owned(), 0.9), ("d".to_owned(), 0.9), ("b".to_owned(), 0.5)]);
        let mut none = Ranking::new(0);
        none.add(1.0, "a");
        assert!(none.into_sorted().is_empty());
    }

    proptest! {
        #[test]
        fn the_inner_product_is_that_of_the_textbook(pairs in prop::collection::vec((-8_i8..8, -8_i8..8), 0..40)) {
            // Whole numbers, whose sums are exact in any order.
            let (one, other): (Vec<f32>, Vec<f32>) =
                pairs.iter().map(|(a, b)| (f32::from(*a), f32::from(*b))).unzip();
            let textbook: i32 = pairs.iter().map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
            prop_assert_eq!(inner_product(&one, &to_bytes(&other)), textbook as f32);
        }
    }
}
