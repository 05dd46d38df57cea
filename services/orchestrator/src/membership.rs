//! Which partitions this replica walks. Every replica computes the same preference by rendezvous hashing over the live
//! ones, takes what it is preferred for, and gives back the rest; a lease keeps two from walking one at the same time.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use metrics::gauge;
use millrace_contracts::Partition;
use millrace_tasks::within;
use tokio::sync::watch;

use crate::OrchestratorError;
use crate::role::Shared;

/// Where Redis is there, giving leases back takes no longer.
const FAREWELL: Duration = Duration::from_secs(1);

/// Keeps the replica's share up to date.
pub(crate) async fn run(shared: Shared, owned: watch::Sender<BTreeSet<Partition>>) -> Result<(), Infallible> {
    let pause = shared.settings.lease / 3;
    loop {
        let before = owned.borrow().clone();
        match share(&shared, &before).await {
            Ok(now_owned) => {
                gauge!("millrace_orchestrator_partitions").set(now_owned.len() as f64);
                owned.send_if_modified(|current| {
                    let changed = *current != now_owned;
                    *current = now_owned;
                    changed
                });
            }
            Err(error) => tracing::warn!(error = %error, "partitions could not be leased; trying again"),
        }
        tokio::time::sleep(pause).await;
    }
}

/// Gives everything back, so that another replica need not wait for the leases to end.
pub(crate) async fn leave(shared: &Shared, owned: &BTreeSet<Partition>) {
    if let Err(error) = within(FAREWELL, give_back(shared, owned)).await {
        tracing::warn!(error, "leases could not be given back; they end by themselves");
    }
}

async fn give_back(shared: &Shared, owned: &BTreeSet<Partition>) -> Result<(), OrchestratorError> {
    for &partition in owned {
        shared.bus.release_partition(partition, &shared.replica).await?;
    }
    shared.bus.remove_orchestrator(&shared.replica).await?;
    Ok(())
}

async fn share(
    shared: &Shared,
    owned: &BTreeSet<Partition>,
) -> Result<BTreeSet<Partition>, OrchestratorError> {
    let lease = shared.settings.lease;
    let live = shared.bus.heartbeat_orchestrator(&shared.replica, lease).await?;
    let mut now_owned = BTreeSet::new();
    for partition in shared.bus.all_partitions() {
        if preferred(&live, partition) == Some(&*shared.replica) {
            if shared.bus.lease_partition(partition, &shared.replica, lease).await? {
                now_owned.insert(partition);
            }
        } else if owned.contains(&partition) {
            shared.bus.release_partition(partition, &shared.replica).await?;
        }
    }
    Ok(now_owned)
}

/// The replica with the highest hash for `partition`: when one comes or goes, only its own share moves.
fn preferred(live: &[String], partition: Partition) -> Option<&str> {
    live.iter().map(String::as_str).max_by_key(|replica| {
        let mut hasher = DefaultHasher::new();
        (replica, partition.0).hash(&mut hasher);
        hasher.finish()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_share_of_the_replica_that_left_moves() {
        let live: Vec<String> = (0..4).map(|number| format!("replica-{number}")).collect();
        let fewer = &live[..3];
        for partition in (0..64).map(Partition) {
            let before = preferred(&live, partition).unwrap();
            let after = preferred(fewer, partition).unwrap();
            assert!(before == after || before == "replica-3");
        }
        assert_eq!(preferred(&[], Partition(0)), None);
    }
}
