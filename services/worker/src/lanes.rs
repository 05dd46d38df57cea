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
}
