//! The hands of a worker: one per job. A few are kept for flows that have no job in hand, so that a lone job behind a batch
//! does not wait for one of the batch to end. It shares what the machine has with those, and the flows take turns at that.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::intake::IntakeSettings;

/// With every other hand full, newcomers are looked for so often, should the bell not ring for them.
const LOOK_EVERY: Duration = Duration::from_millis(25);

pub(crate) struct Hands {
    common: Arc<Semaphore>,
    spare: Arc<Semaphore>,
}

/// Hands that are free, at least one.
pub(crate) struct Free {
    pub(crate) permits: Vec<OwnedSemaphorePermit>,
    /// Whether they are for newcomers only.
    pub(crate) spare: bool,
}

impl Hands {
    pub(crate) fn new(settings: &IntakeSettings) -> Self {
        Self {
            common: Arc::new(Semaphore::new(settings.concurrency.max(1))),
            spare: Arc::new(Semaphore::new(settings.spare)),
        }
    }

    /// Waits for a hand that any job may have, or, while there is none, for a time to look for newcomers.
    pub(crate) async fn free(&self, bell: &Notify) -> Free {
        let newcomers = async {
            let first = acquire(&self.spare).await;
            // Rung or not, the queues are looked at.
            drop(tokio::time::timeout(LOOK_EVERY, bell.notified()).await);
            first
        };
        tokio::select! {
            biased;
            first = acquire(&self.common) => Free { permits: all(&self.common, first), spare: false },
            first = newcomers => Free { permits: all(&self.spare, first), spare: true },
        }
    }
}

async fn acquire(hands: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(hands).acquire_owned().await.expect("the semaphore is never closed")
}

/// The first, and what else is free at once.
fn all(hands: &Arc<Semaphore>, first: OwnedSemaphorePermit) -> Vec<OwnedSemaphorePermit> {
    let others = std::iter::from_fn(|| Arc::clone(hands).try_acquire_owned().ok());
    std::iter::once(first).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hands(concurrency: usize, spare: usize) -> Hands {
        let (block, lease) = (Duration::ZERO, Duration::ZERO);
        Hands::new(&IntakeSettings { pools: Vec::new(), concurrency, spare, block, lease })
    }

    #[tokio::test(start_paused = true)]
    async fn spare_hands_are_given_only_while_the_others_are_full() {
        let (hands, bell) = (hands(2, 1), Notify::new());
        let first = hands.free(&bell).await;
        assert_eq!((first.permits.len(), first.spare), (2, false));
        bell.notify_one();
        let second = hands.free(&bell).await;
        assert_eq!((second.permits.len(), second.spare), (1, true));
        drop(first);
        assert!(!hands.free(&bell).await.spare);
        drop(second);
    }

    #[tokio::test(start_paused = true)]
    async fn without_the_bell_there_is_a_look_now_and_then_and_none_without_spare_hands() {
        let (some, none, bell) = (hands(1, 1), hands(1, 0), Notify::new());
        let full = some.free(&bell).await;
        assert!(some.free(&bell).await.spare);
        drop(full);
        let _full = none.free(&bell).await;
        assert!(tokio::time::timeout(LOOK_EVERY * 10, none.free(&bell)).await.is_err());
    }
}
