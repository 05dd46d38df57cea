//! What was made lately, within a budget of bytes. Rule: what no longer fits is dropped by who brings something new, before
//! anybody goes on, so that the budget holds at every moment and the memory serves the next one while it is warm. What was
//! looked at once makes way before what was looked at twice.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::time::Instant;

/// Share of the budget for what was looked at more than once. The rest is what passes by: most pictures are looked at by
/// several blocks within one run, or never again.
const LOOKED_AT_TWICE: f64 = 0.5;
/// How many there are, roughly: names are remembered for half as many that have gone.
const ITEMS: usize = 64;

/// A cache of `V`.
pub(super) struct Shelf<K, V> {
    kept: Cache<K, Kept<V>, Weigh>,
    /// Most that one of them counts for, bytes: two find room however large they are.
    most: u64,
    begun: Instant,
}

#[derive(Clone)]
struct Kept<V> {
    value: V,
    bytes: u64,
    /// When somebody last asked for it, milliseconds from the shelf's beginning.
    looked: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Weigh;

impl<K, V> Weighter<K, Kept<V>> for Weigh {
    fn weight(&self, _: &K, kept: &Kept<V>) -> u64 {
        kept.bytes
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Shelf<K, V> {
    /// An empty one. With a budget of 0 nothing is kept.
    pub(super) fn new(budget_bytes: u64) -> Self {
        let options = OptionsBuilder::new()
            .weight_capacity(budget_bytes)
            .estimated_items_capacity(ITEMS)
            .hot_allocation(LOOKED_AT_TWICE)
            // Each shard would have a budget of its own.
            .shards(1)
            .build()
            .expect("a capacity and a number of items are all it asks for");
        let kept =
            Cache::with_options(options, Weigh, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { kept, most: budget_bytes / 2, begun: Instant::now() }
    }

    /// What is there, or what `load` brings, with its size in bytes. Who asks meanwhile waits for the same; when it fails, the
    /// next of them tries.
    pub(super) async fn get_or_load<E>(
        &self,
        key: &K,
        load: impl Future<Output = Result<(V, usize), E>>,
    ) -> Result<V, E> {
        let load = async { load.await.map(|(value, bytes)| self.kept(value, bytes)) };
        let kept = self.kept.get_or_insert_async(key, load).await?;
        kept.looked.store(self.now(), Ordering::Relaxed);
        Ok(kept.value)
    }

    /// Puts something there.
    pub(super) fn keep(&self, key: K, value: V, bytes: usize) {
        self.kept.insert(key, self.kept(value, bytes));
    }

    /// Drops what nobody has asked for in `time`.
    pub(super) fn forget_idle(&self, time: Duration) {
        let (now, time) = (self.now(), millis(time));
        self.kept.retain(|_, kept| now.saturating_sub(kept.looked.load(Ordering::Relaxed)) < time);
    }

    fn kept(&self, value: V, bytes: usize) -> Kept<V> {
        // What weighs nothing would stay for ever.
        let bytes = (bytes as u64).min(self.most).max(1);
        Kept { value, bytes, looked: Arc::new(AtomicU64::new(self.now())) }
    }

    fn now(&self) -> u64 {
        millis(self.begun.elapsed())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Weak;

    use super::*;

    const BYTES: usize = 100;

    /// Something that can be seen to be gone.
    async fn load(shelf: &Shelf<u32, Arc<u32>>, key: u32) -> Weak<u32> {
        let made = shelf.get_or_load(&key, async { Ok::<_, Infallible>((Arc::new(key), BYTES)) }).await;
        Arc::downgrade(&made.unwrap_or_else(|never| match never {}))
    }

    fn alive(made: &[Weak<u32>]) -> usize {
        made.iter().filter(|one| one.strong_count() > 0).count()
    }

    #[tokio::test]
    async fn the_budget_holds_at_every_moment() {
        let shelf = Shelf::new(10 * BYTES as u64);
        let mut made = Vec::new();
        for key in 0..1000 {
            made.push(load(&shelf, key).await);
            assert!(alive(&made) <= 10, "{} of {key}", alive(&made));
            shelf.keep(key + 10_000, Arc::new(key), BYTES);
            assert!(alive(&made) <= 10);
        }
        assert!(alive(&made) > 0);
    }

    #[tokio::test]
    async fn those_that_pass_by_leave_what_is_looked_at_again() {
        let shelf = Shelf::new(10 * BYTES as u64);
        let wanted = load(&shelf, 7).await;
        for key in 100..400 {
            load(&shelf, key).await;
            assert!(Weak::ptr_eq(&load(&shelf, 7).await, &wanted), "after {key}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_asks_for_goes_when_its_time_is_over() {
        let shelf = Shelf::new(10 * BYTES as u64);
        let made = [load(&shelf, 1).await, load(&shelf, 2).await];
        tokio::time::advance(Duration::from_secs(50)).await;
        load(&shelf, 2).await;
        tokio::time::advance(Duration::from_secs(20)).await;
        shelf.forget_idle(Duration::from_secs(60));
        assert_eq!(made.map(|one| one.strong_count()), [0, 1]);
    }

    #[tokio::test]
    async fn two_find_room_however_large_and_nothing_is_kept_without_a_budget() {
        let (shelf, none) = (Shelf::new(10), Shelf::new(0));
        let made = [load(&shelf, 1).await, load(&shelf, 2).await];
        assert_eq!(alive(&made), 2);
        assert_eq!(load(&none, 1).await.strong_count(), 0);
    }

    #[tokio::test]
    async fn one_loads_for_all_and_a_failure_is_not_remembered() {
        let shelf = Shelf::new(1000);
        let (first, second) = tokio::join!(load(&shelf, 1), load(&shelf, 1));
        assert!(Weak::ptr_eq(&first, &second));
        let failed = shelf.get_or_load(&2, async { Err("on purpose") }).await;
        assert_eq!(failed, Err("on purpose"));
        assert_eq!(load(&shelf, 2).await.strong_count(), 1);
    }
}
