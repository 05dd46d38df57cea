//! The shelf: a cache that weighs. Rule: nobody goes on with more on it than its budget.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::time::Instant;

/// Share of the budget for what was looked at more than once. The rest is what passes by: most is looked at a few times within
/// one run, or never again.
const LOOKED_AT_TWICE: f64 = 0.5;
/// How many there are, roughly: names are remembered for half as many that have gone.
const ITEMS: usize = 64;

/// What was made lately, by its name.
pub struct Shelf<K, V> {
    kept: Cache<K, Kept<V>, Weigh>,
    /// Most that one thing counts for, bytes.
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
    /// An empty one, for so many bytes. With 0 nothing is kept. One thing counts for half of them at most: two find room
    /// however large they are.
    #[must_use]
    pub fn new(budget_bytes: u64) -> Self {
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

    /// What is there.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        self.kept.get(key).map(|kept| self.look(kept))
    }

    /// Whether it is there; does not count as looking at it.
    #[must_use]
    pub fn has(&self, key: &K) -> bool {
        self.kept.contains_key(key)
    }

    /// What is there, or what `load` brings, with its size in bytes. Who asks meanwhile waits for the same; when it fails, the
    /// next of them tries.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn get_or_load<E>(
        &self,
        key: &K,
        load: impl Future<Output = Result<(V, usize), E>>,
    ) -> Result<V, E> {
        let load = async { load.await.map(|(value, bytes)| self.kept(value, bytes)) };
        Ok(self.look(self.kept.get_or_insert_async(key, load).await?))
    }

    /// Puts something there that takes so many bytes.
    pub fn keep(&self, key: K, value: V, bytes: usize) {
        self.kept.insert(key, self.kept(value, bytes));
    }

    /// Drops one.
    pub fn forget(&self, key: &K) {
        self.kept.remove(key);
    }

    /// Drops what nobody has asked for in `time`.
    pub fn forget_idle(&self, time: Duration) {
        let (now, time) = (self.now(), millis(time));
        self.kept.retain(|_, kept| now.saturating_sub(kept.looked.load(Ordering::Relaxed)) < time);
    }

    fn look(&self, kept: Kept<V>) -> V {
        kept.looked.store(self.now(), Ordering::Relaxed);
        kept.value
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

impl<K, V> fmt::Debug for Shelf<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("most", &self.most).finish_non_exhaustive()
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
    async fn what_is_forgotten_is_loaded_again() {
        let shelf = Shelf::new(1000);
        let first = load(&shelf, 1).await;
        assert!(shelf.has(&1) && shelf.get(&1).is_some() && !shelf.has(&2) && shelf.get(&2).is_none());
        shelf.forget(&1);
        assert!(!shelf.has(&1) && first.strong_count() == 0);
        assert_eq!(load(&shelf, 1).await.strong_count(), 1);
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
