//! Results by content: what a round is about to send is looked up first, in one round trip for all its runs, and what workers
//! made is kept after the commit. A cache that is away, full or wrong costs the work again, never a run.

mod copies;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use metrics::{counter, gauge, histogram};
use millrace_bus::{RESULT_SHARDS, ResultBounds, ResultKey};
use millrace_contracts::values::{ImageValue, ValueRef};
use millrace_contracts::{BlobId, ModelDigest, ModelId};
use millrace_engine::{Ask, Hit, Reusable};
use serde_json::Value;
use tokio::sync::Semaphore;

pub(crate) use self::copies::{Copies, watch};
use crate::held::Held;
use crate::role::Shared;

/// Results taken in one round, of all its runs: the commit that follows must not grow without bound. What is beyond goes to
/// the workers, and the next report looks further.
pub(crate) const HITS_PER_ROUND: usize = 4_096;
/// A result that weighs more as JSON is not kept, bytes. Ports over 8 KiB are references, so few do.
const MAX_RESULT_BYTES: usize = 32 * 1024;
/// Blobs that are asked for at once, of all the results of a look-up.
const BLOB_CHECKS: usize = 64;
/// Blobs of one result that are asked for; a result of more is made again.
const MAX_BLOBS: usize = 4_096;
/// The longest that a look-up is held up by the blob store; what is not known by then is made again.
const LONGEST_CHECK: Duration = Duration::from_secs(2);

/// A job that was asked for: whose, and the key with the model's copy.
struct Wanted {
    run: usize,
    ask: Ask,
    model: Option<(ModelId, ModelDigest)>,
    key: ResultKey,
}

/// Looks up what was asked for, by run; gives what was found and can be used, by run.
pub(crate) async fn look_up(shared: &Shared, asks: Vec<(usize, Ask)>, room: usize) -> Vec<(usize, Hit)> {
    let begun = Instant::now();
    let mut wanted: Vec<Wanted> = Vec::with_capacity(asks.len());
    for (run, ask) in asks {
        let model = match &ask.model {
            None => None,
            Some(model) => match model.digest.clone().or_else(|| shared.copies.of(&model.id)) {
                Some(digest) => Some((model.id.clone(), digest)),
                None => {
                    skipped("model_unknown", 1);
                    continue;
                }
            },
        };
        let content = model.as_ref().map_or(ask.content, |(_, digest)| ask.content.with_model(digest));
        wanted.push(Wanted { run, model, key: *content.digest(), ask });
    }
    if wanted.len() > room {
        skipped("round_full", wanted.len() - room);
        wanted.truncate(room);
    }
    let keys: Vec<ResultKey> = wanted.iter().map(|wanted| wanted.key).collect();
    let found = match shared.bus.results(&keys).await {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(%error, "results could not be looked up; the work is done again");
            skipped("unreachable", keys.len());
            return Vec::new();
        }
    };
    let asked = wanted.len();
    let read = |(wanted, bytes): (Wanted, Option<Vec<u8>>)| {
        Some((wanted, serde_json::from_slice::<Reusable>(&bytes?).ok()?))
    };
    let candidates: Vec<(Wanted, Reusable)> = wanted.into_iter().zip(found).filter_map(read).collect();
    let permits = &Semaphore::new(BLOB_CHECKS);
    let until = tokio::time::Instant::now() + LONGEST_CHECK;
    let checked = side_by_side(candidates, |(wanted, result)| async move {
        let is_whole = known_by(until, is_whole(shared, permits, &result)).await;
        (wanted, is_whole.then_some(result))
    });
    let mut hits = Vec::new();
    for (wanted, whole) in checked.await {
        let Wanted { run, ask, model, .. } = wanted;
        match whole {
            Some(result) => hits.push((run, Hit { key: ask.key, attempt: ask.attempt, model, result })),
            None => skipped("blobs_gone", 1),
        }
    }
    counter!("millrace_orchestrator_cache_hits_total").increment(hits.len() as u64);
    counter!("millrace_orchestrator_cache_misses_total").increment((asked - hits.len()) as u64);
    histogram!("millrace_orchestrator_cache_lookup_seconds").record(begun.elapsed().as_secs_f64());
    hits
}

/// Does `work` on several of `items` at once; what came of it stands in the order of the items. One after the other, a store that
/// takes its time would hold up the lane for as long as all of them take together.
async fn side_by_side<T, U, F>(items: Vec<T>, work: impl FnMut(T) -> F) -> Vec<U>
where
    F: Future<Output = U>,
{
    stream::iter(items).map(work).buffered(BLOB_CHECKS).collect().await
}

/// Whether something is so, and known to be in time.
async fn known_by(until: tokio::time::Instant, check: impl Future<Output = bool>) -> bool {
    tokio::time::timeout_at(until, check).await.unwrap_or(false)
}

/// Whether everything that a result refers to is still there, and stays. Each look into the blob store needs a permit.
async fn is_whole(shared: &Shared, permits: &Semaphore, result: &Reusable) -> bool {
    let mut blobs = BTreeSet::new();
    for value in result.outputs.values() {
        blobs_in(value, &mut blobs);
        for reference in ValueRef::all_in(value) {
            let _permit = permits.acquire().await.expect("nobody closes the permits of a look-up");
            // Pictures inside a list that stands in the blob store count too.
            match shared.blobs.resolve(&reference.to_value()).await {
                Ok(inner) => blobs_in(&inner, &mut blobs),
                Err(_) => return false,
            }
            blobs.insert(reference.blob);
        }
    }
    if blobs.len() > MAX_BLOBS {
        return false;
    }
    let there = stream::iter(blobs)
        .map(|blob| async move {
            let _permit = permits.acquire().await.expect("nobody closes the permits of a look-up");
            matches!(shared.blobs.touch(blob).await, Ok(Some(_)))
        })
        .buffer_unordered(BLOB_CHECKS);
    there.all(std::future::ready).await
}

fn blobs_in(value: &Value, found: &mut BTreeSet<BlobId>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| blobs_in(item, found)),
        Value::Object(fields) => {
            if fields.get("kind").is_some_and(|kind| kind == "image")
                && let Some(image) = ImageValue::from_value(value)
            {
                found.insert(image.blob);
                return;
            }
            fields.values().for_each(|field| blobs_in(field, found));
        }
        _ => {}
    }
}

/// Results to keep, ready to be sent.
#[derive(Default)]
pub(crate) struct Keep(Vec<(ResultKey, Vec<u8>)>);

impl Keep {
    /// Adds what was made in a committed step.
    pub(crate) fn add(&mut self, held: &Held, made: Vec<millrace_engine::Made>) {
        for made in made {
            let Some(result) = held.run.reusable(&made.key) else { continue };
            let json = serde_json::to_vec(&result).unwrap_or_default();
            if json.is_empty() || json.len() > MAX_RESULT_BYTES {
                skipped("too_large", 1);
            } else {
                self.0.push((*made.content.digest(), json));
            }
        }
    }

    /// Sends them. What goes wrong is counted.
    pub(crate) async fn send(self, shared: &Shared) {
        if self.0.is_empty() {
            return;
        }
        let settings = &shared.settings;
        let bounds = ResultBounds { time_to_live: settings.cache_ttl, max_entries: settings.cache_entries };
        match shared.bus.keep_results(&self.0, bounds).await {
            Ok(kept) => {
                counter!("millrace_orchestrator_cache_stored_total").increment(kept.stored);
                counter!("millrace_orchestrator_cache_evicted_total").increment(kept.evicted);
                skipped("refused", kept.refused as usize);
                for (shard, entries) in kept.entries {
                    debug_assert!(shard < RESULT_SHARDS);
                    gauge!("millrace_orchestrator_cache_entries", "shard" => shard.to_string())
                        .set(entries as f64);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "results could not be kept");
                skipped("unreachable", self.0.len());
            }
        }
    }
}

fn skipped(reason: &'static str, count: usize) {
    if count > 0 {
        counter!("millrace_orchestrator_cache_skipped_total", "reason" => reason).increment(count as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each is done only once another one is under way: one after the other, they would never end.
    #[tokio::test]
    async fn results_are_looked_at_side_by_side_and_stay_in_order() {
        let both = &tokio::sync::Barrier::new(2);
        let done = side_by_side((0..10).collect(), |item: usize| async move {
            both.wait().await;
            item
        });
        let done = tokio::time::timeout(Duration::from_secs(20), done).await.unwrap();
        assert_eq!(done, (0..10).collect::<Vec<_>>());
    }

    /// Every other check never ends, and there are more of them than are under way at once.
    #[tokio::test]
    async fn what_is_not_known_in_time_is_made_again() {
        let until = tokio::time::Instant::now();
        let known = side_by_side((0..10 * BLOB_CHECKS).collect(), |item| {
            known_by(until, async move { item % 2 == 0 || std::future::pending().await })
        });
        let known = known.await;
        assert!(known.iter().enumerate().all(|(item, known)| *known == (item % 2 == 0)), "{known:?}");
    }

    #[test]
    fn pictures_are_found_at_any_depth() {
        let image = |name: &[u8]| ImageValue::root(BlobId::of(name), 4, 3, "png").to_value();
        let value =
            serde_json::json!({"crops": [image(b"a"), {"inner": image(b"b")}], "image_id": BlobId::of(b"c")});
        let mut found = BTreeSet::new();
        blobs_in(&value, &mut found);
        assert_eq!(found, BTreeSet::from([BlobId::of(b"a"), BlobId::of(b"b")]));
    }
}
