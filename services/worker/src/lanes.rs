//! Lanes: jobs that wait for the world outside are taken beside those that keep a core busy, each within a bound of its own,
//! so that no slow server holds up a picture.

use millrace_config::{Io, Worker};
use millrace_contracts::{IO_POOL, Pool};

/// The jobs of some pools, taken one bound together.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    /// The name of its task.
    pub(crate) task: &'static str,
    pub(crate) pools: Vec<Pool>,
    /// Jobs in hand at once.
    pub(crate) concurrency: usize,
    /// Hands beside those, for flows that have no job in hand.
    pub(crate) spare: usize,
}

/// The lanes of a worker: those that have a pool.
#[derive(Debug)]
pub(crate) struct Lanes(Vec<Lane>);

impl Lanes {
    pub(crate) fn of(worker: &Worker, io: &Io) -> Self {
        let pools = worker.pools.iter().map(|pool| Pool::from(pool.as_str()));
        let (outside, inside): (Vec<_>, Vec<_>) = pools.partition(|pool| pool.as_str() == IO_POOL);
        let mut lanes = vec![
            Lane {
                task: "worker.intake",
                pools: inside,
                concurrency: worker.concurrency.max(1),
                spare: worker.spare_hands,
            },
            Lane { task: "worker.intake-io", pools: outside, concurrency: io.concurrency.max(1), spare: 0 },
        ];
        lanes.retain(|lane| !lane.pools.is_empty());
        Self(lanes)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.0.iter()
    }

    /// Jobs in hand at once, of all lanes.
    pub(crate) fn capacity(&self) -> usize {
        self.0.iter().map(|lane| lane.concurrency + lane.spare).sum()
    }

    /// The pools that nothing more is taken of, but by spare hands: those of lanes whose hands are full. `in_hand` tells how many
    /// jobs of some pools are.
    pub(crate) fn full(&self, in_hand: impl Fn(&[Pool]) -> usize) -> Vec<Pool> {
        let full = self.0.iter().filter(|lane| in_hand(&lane.pools) >= lane.concurrency);
        full.flat_map(|lane| lane.pools.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_full_of_its_own_jobs_and_of_no_others() {
        let pools = ["fast", "cpu", IO_POOL].map(str::to_owned).to_vec();
        let worker = Worker { pools, concurrency: 2, spare_hands: 1, ..Worker::default() };
        let lanes = Lanes::of(&worker, &Io { concurrency: 4, ..Io::default() });
        assert_eq!(lanes.capacity(), 7);
        let full = |inside: usize, outside: usize| {
            lanes.full(|pools| if pools.contains(&Pool::from(IO_POOL)) { outside } else { inside })
        };
        assert!(full(1, 3).is_empty());
        assert_eq!(full(0, 4), [Pool::from(IO_POOL)]);
        assert_eq!(full(2, 0), ["fast", "cpu"].map(Pool::from));
    }
}
