//! What a loaded model is worth. GreedyDual-Size (Cao and Irani, "Cost-Aware WWW Proxy Caching Algorithms", USITS 1997):
//! at every use a model is worth the floor plus its load time per byte; the least worth goes first and raises the floor
//! to its own worth. With equal models this is least recently used; a model that is slow to load for its size stays
//! longer. Never more misses than k times the best possible, k being the models that fit.

use std::time::Duration;

const MIB: f64 = 1_048_576.0;
/// A load never costs less: the clock is no finer in effect.
const LEAST_SECONDS: f64 = 0.001;

/// The floor.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Floor(f64);

impl Floor {
    /// What a model is worth that is used now, which took `load_time` to load and takes `bytes`.
    pub(super) fn worth(self, load_time: Duration, bytes: u64) -> f64 {
        let mib = (bytes as f64 / MIB).max(1.0);
        self.0 + load_time.as_secs_f64().max(LEAST_SECONDS) / mib
    }

    /// A model worth `worth` was forgotten.
    pub(super) fn rise_to(&mut self, worth: f64) {
        self.0 = self.0.max(worth);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const LOAD: Duration = Duration::from_millis(100);

    /// Misses of this policy over `uses` with `room` equal models.
    fn misses(uses: &[usize], room: usize) -> usize {
        let (mut floor, mut held, mut misses) = (Floor::default(), BTreeMap::<usize, f64>::new(), 0);
        for &model in uses {
            if !held.contains_key(&model) {
                misses += 1;
                if held.len() == room {
                    let (least, worth) =
                        held.iter().map(|(a, b)| (*a, *b)).min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
                    held.remove(&least);
                    floor.rise_to(worth);
                }
            }
            held.insert(model, floor.worth(LOAD, 10 << 20));
        }
        misses
    }

    /// Misses of the best policy there is, which knows the future: forget what is used last (Belady 1966).
    fn least_misses(uses: &[usize], room: usize) -> usize {
        let (mut held, mut misses) = (Vec::new(), 0);
        for (at, model) in uses.iter().enumerate() {
            if held.contains(model) {
                continue;
            }
            misses += 1;
            if held.len() == room {
                let next =
                    |model: &usize| uses[at..].iter().position(|other| other == model).unwrap_or(usize::MAX);
                let furthest = (0..held.len()).max_by_key(|slot| next(&held[*slot])).unwrap();
                held.remove(furthest);
            }
            held.push(*model);
        }
        misses
    }

    #[test]
    fn a_model_that_is_slow_to_load_for_its_size_is_worth_more() {
        let floor = Floor::default();
        assert!(floor.worth(LOAD * 2, 10 << 20) > floor.worth(LOAD, 10 << 20));
        assert!(floor.worth(LOAD, 10 << 20) > floor.worth(LOAD, 40 << 20));
    }

    #[test]
    fn two_models_in_turn_where_one_fits_cost_what_the_order_forces() {
        let turns: Vec<usize> = (0..40).map(|turn| turn % 2).collect();
        assert_eq!(misses(&turns, 1), least_misses(&turns, 1));
        let runs: Vec<usize> = (0..40).map(|turn| turn / 10 % 2).collect();
        assert_eq!((misses(&runs, 1), least_misses(&runs, 1)), (4, 4));
    }

    proptest! {
        #[test]
        fn misses_stay_within_what_the_policy_promises(uses in prop::collection::vec(0usize..6, 1..200), room in 1usize..5) {
            let (ours, best) = (misses(&uses, room), least_misses(&uses, room));
            prop_assert!(ours >= best && ours <= best * room, "{ours} misses, {best} at best, {room} fit");
        }
    }
}
