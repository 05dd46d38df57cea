//! Being alone in hand. The lanes of a worker take jobs side by side; one of them may ask to be alone: then none takes any
//! until it is done, and those that wait for a job give up waiting.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, watch};

/// Who takes jobs now: any number of lanes, or one alone.
#[derive(Debug, Default)]
pub(crate) struct Solitude {
    door: RwLock<()>,
    /// How many want to be alone.
    asked: watch::Sender<usize>,
}

/// Somebody who wants to be alone; not any more once it is dropped.
struct Asked<'a>(&'a watch::Sender<usize>);

impl Solitude {
    /// Leave to take jobs, where it need not be waited for.
    pub(crate) fn company_at_once(&self) -> Option<RwLockReadGuard<'_, ()>> {
        self.door.try_read().ok()
    }

    /// Leave to take jobs. Waited for while somebody is alone, or has asked to be.
    pub(crate) async fn company(&self) -> RwLockReadGuard<'_, ()> {
        self.door.read().await
    }

    /// Ends when somebody asks to be alone: who has leave gives it back.
    pub(crate) async fn asked(&self) {
        // The sender is our own: it cannot go away.
        drop(self.asked.subscribe().wait_for(|count| *count > 0).await);
    }

    /// Leave to take jobs alone.
    pub(crate) async fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.asked.send_modify(|count| *count += 1);
        let _asked = Asked(&self.asked);
        self.door.write().await
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, poll};

    use super::*;

    #[tokio::test]
    async fn who_asks_to_be_alone_is_given_way_and_keeps_the_others_out() {
        let solitude = Solitude::default();
        let (one, two) = (solitude.company().await, solitude.company().await);
        assert!(solitude.asked().now_or_never().is_none(), "nobody has asked");
        let mut alone = Box::pin(solitude.alone());
        assert!(poll!(&mut alone).is_pending());
        assert!(solitude.asked().now_or_never().is_some());
        assert!(solitude.company_at_once().is_none(), "who asked comes first");
        drop(one);
        let mut next = Box::pin(solitude.company());
        assert!(poll!(&mut next).is_pending(), "who comes now comes after it");
        assert!(poll!(&mut alone).is_pending());
        drop(two);
        let held = alone.await;
        assert!(poll!(&mut next).is_pending());
        assert!(solitude.asked().now_or_never().is_none(), "it has what it asked for");
        drop(held);
        drop(next.await);
    }

    #[tokio::test]
    async fn who_gives_up_asking_is_in_nobodys_way() {
        let solitude = Solitude::default();
        let one = solitude.company().await;
        let mut alone = Box::pin(solitude.alone());
        assert!(poll!(&mut alone).is_pending());
        drop(alone);
        assert!(solitude.asked().now_or_never().is_none());
        assert!(solitude.company().now_or_never().is_some());
        assert!(solitude.company_at_once().is_some());
        drop(one);
    }
}
