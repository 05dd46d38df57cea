//! The hands of a worker: one per job. A few are kept for flows that have no job in hand, so that a lone job behind a batch
//! does not wait for one of the batch to end. It shares what the machine has with those, and the flows take turns at that.

use std::sync::Arc;
use std::time::Duration;

use millrace_bus::Callers;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::intake::IntakeSettings;

/// With every other hand full, newcomers are looked for so often, should nobody have called.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// With more than half of the hands full nothing waits for what is taken next: so long others may become free, to be filled by the
/// same round trip.
const LINGER: Duration = Duration::from_millis(2);

pub(crate) struct Hands {
    /// Half of the common ones.
    half: usize,
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
        let hands = settings.concurrency.max(1);
        Self {
            half: hands / 2,
            common: Arc::new(Semaphore::new(hands)),
            spare: Arc::new(Semaphore::new(settings.spare)),
        }
    }

    /// Waits for a hand. A flow that called and has nothing `in_hand` comes first, and gets a spare one; then whoever is next
    /// gets any other; while there is none, now and then a spare one is free to look for newcomers that were not heard.
    pub(crate) async fn free(&self, callers: &Callers, in_hand: impl Fn() -> Vec<String>) -> Free {
        if callers.any_beside(&in_hand)
            && let Ok(first) = Arc::clone(&self.spare).try_acquire_owned()
        {
            return Free { permits: all(&self.spare, first), spare: true };
        }
        let in_hand = &in_hand;
        let newcomers = async {
            let first = acquire(&self.spare).await;
            // Called or not, the queues are looked at.
            drop(tokio::time::timeout(LOOK_EVERY, called(callers, in_hand)).await);
            first
        };
        tokio::select! {
            biased;
            first = acquire(&self.common) => {
                self.linger(callers, in_hand).await;
                Free { permits: all(&self.common, first), spare: false }
            }
            first = newcomers => Free { permits: all(&self.spare, first), spare: true },
        }
    }

    /// Waits a moment for half of the hands to be free, unless somebody calls.
    async fn linger(&self, callers: &Callers, in_hand: impl Fn() -> Vec<String>) {
        if self.common.available_permits() + 1 >= self.half {
            return;
        }
        let half = u32::try_from(self.half - 1).unwrap_or(u32::MAX);
        tokio::select! {
            // What is acquired is free again at once.
            permits = self.common.acquire_many(half) => drop(permits),
            () = called(callers, in_hand) => {}
            () = tokio::time::sleep(LINGER) => {}
        }
    }
}

/// Waits until somebody has called who has nothing in hand.
async fn called(callers: &Callers, in_hand: impl Fn() -> Vec<String>) {
    while !callers.any_beside(&in_hand) {
        callers.heard().await;
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

    fn batch() -> Vec<String> {
        vec!["batch".to_owned()]
    }

    #[tokio::test(start_paused = true)]
    async fn spare_hands_are_given_to_callers_that_have_nothing_in_hand() {
        let (hands, callers) = (hands(2, 1), Callers::default());
        callers.call("batch");
        let first = hands.free(&callers, batch).await;
        assert_eq!(
            (first.permits.len(), first.spare),
            (2, false),
            "who has something in hand waits its turn"
        );
        callers.call("lone");
        drop(first);
        let second = hands.free(&callers, batch).await;
        assert_eq!((second.permits.len(), second.spare), (1, true), "before those whose turn it is");
        assert!(!hands.free(&callers, batch).await.spare, "there is no other spare hand");
        drop(second);
        callers.answer(&batch());
        assert!(!hands.free(&callers, batch).await.spare, "one look is enough");
    }

    #[tokio::test(start_paused = true)]
    async fn with_most_hands_full_others_are_waited_for_a_moment() {
        let (hands, callers) = (hands(8, 1), Callers::default());
        let mut full = hands.free(&callers, batch).await.permits;
        full.truncate(7);
        let begun = tokio::time::Instant::now();
        let one = hands.free(&callers, batch).await;
        assert_eq!((one.permits.len(), begun.elapsed() >= LINGER), (1, true));
        drop(one);
        let (late, ()) = tokio::join!(hands.free(&callers, batch), async {
            tokio::time::sleep(LINGER / 2).await;
            full.truncate(3);
        });
        assert_eq!(late.permits.len(), 5, "they are worth a round trip");
        drop(late);
        let begun = tokio::time::Instant::now();
        assert_eq!(hands.free(&callers, batch).await.permits.len(), 5);
        assert!(begun.elapsed().is_zero(), "half of them are free");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_who_calls_is_kept_waiting() {
        let (hands, callers) = (hands(8, 1), Callers::default());
        let mut full = hands.free(&callers, batch).await.permits;
        full.truncate(7);
        let begun = tokio::time::Instant::now();
        tokio::join!(hands.free(&callers, batch), async { callers.call("lone") });
        assert!(begun.elapsed().is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_call_there_is_a_look_now_and_then_and_none_without_spare_hands() {
        let (some, none, callers) = (hands(1, 1), hands(1, 0), Callers::default());
        let full = some.free(&callers, batch).await;
        assert!(some.free(&callers, batch).await.spare);
        drop(full);
        let _full = none.free(&callers, batch).await;
        assert!(tokio::time::timeout(LOOK_EVERY * 10, none.free(&callers, batch)).await.is_err());
    }
}
