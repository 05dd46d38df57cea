//! Results by the digest of what they were made from. They spread over 16 shards, each in a slot of its own, so that one round
//! trip brings a thousand and no script leaves its slot; each shard keeps its share of the bound. Losing one costs only
//! the work of making it again.

use std::collections::BTreeMap;
use std::time::Duration;

use millrace_contracts::UnixMillis;
use redis::Value;

use crate::lease::milliseconds;
use crate::{Bus, BusError, reply, scripts};

/// Slots that results spread over.
pub const RESULT_SHARDS: u8 = 16;

/// The digest a result is kept under.
pub type ResultKey = [u8; 32];

/// How long and how many results are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultBounds {
    /// Kept so long after they were made.
    pub time_to_live: Duration,
    /// Most of them, in all shards together; rounded up to a multiple of the shards.
    pub max_entries: u64,
}

/// What became of results that were to be kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptResults {
    /// Kept.
    pub stored: u64,
    /// Older ones that made room.
    pub evicted: u64,
    /// Redis would not take them, for want of memory for example.
    pub refused: u64,
    /// How many there are now, of the shards that were touched.
    pub entries: Vec<(u8, u64)>,
}

/// The shard a result is kept in.
fn shard_of(key: &ResultKey) -> u8 {
    key[31] % RESULT_SHARDS
}

impl Bus {
    /// The results under these keys, in their order, in one round trip.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn results(&self, keys: &[ResultKey]) -> Result<Vec<Option<Vec<u8>>>, BusError> {
        let what = "look up results";
        let mut shards: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
        for (at, key) in keys.iter().enumerate() {
            shards.entry(shard_of(key)).or_default().push(at);
        }
        let commands = shards.values().map(|of_shard| {
            let mut get = redis::cmd("MGET");
            for &at in of_shard {
                get.arg(self.result_key(&keys[at]));
            }
            get
        });
        let replies = self.send(what, commands.collect()).await?;
        let mut found = vec![None; keys.len()];
        for (of_shard, values) in shards.values().zip(replies) {
            for (&at, value) in of_shard.iter().zip(reply::array(what, values)?) {
                found[at] = match value {
                    Value::Nil => None,
                    value => Some(reply::bytes(what, value)?),
                };
            }
        }
        Ok(found)
    }

    /// Keeps results, in one round trip. What Redis refuses is counted, not an error.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn keep_results(
        &self,
        results: &[(ResultKey, Vec<u8>)],
        bounds: ResultBounds,
    ) -> Result<KeptResults, BusError> {
        let what = "keep results";
        let mut shards: BTreeMap<u8, Vec<&(ResultKey, Vec<u8>)>> = BTreeMap::new();
        for result in results {
            shards.entry(shard_of(&result.0)).or_default().push(result);
        }
        let commands = shards.iter().map(|(shard, of_shard)| self.keep_command(*shard, of_shard, bounds));
        let replies = self.exchange(what, commands.collect()).await?;
        let mut kept = KeptResults::default();
        for ((shard, of_shard), answer) in shards.iter().zip(replies) {
            if let Value::ServerError(refusal) = &answer {
                tracing::debug!(%refusal, "results were not kept");
                kept.refused += of_shard.len() as u64;
                continue;
            }
            let [evicted, left] = reply::tuple(what, answer)?;
            kept.stored += of_shard.len() as u64;
            kept.evicted += reply::count(what, evicted)?;
            kept.entries.push((*shard, reply::count(what, left)?));
        }
        Ok(kept)
    }

    fn keep_command(&self, shard: u8, results: &[&(ResultKey, Vec<u8>)], bounds: ResultBounds) -> redis::Cmd {
        let index = self.keys().result_index(shard);
        let names: Vec<String> = results.iter().map(|(key, _)| self.result_key(key)).collect();
        let keys: Vec<&str> =
            std::iter::once(index.as_str()).chain(names.iter().map(String::as_str)).collect();
        let bytes = results.iter().map(|(_, value)| value.len() + 256).sum();
        let mut keep = scripts::KEEP_RESULTS.on(&keys, bytes);
        keep.arg(UnixMillis::now().0).arg(milliseconds(bounds.time_to_live));
        keep.arg(bounds.max_entries.div_ceil(u64::from(RESULT_SHARDS)).max(1));
        keep.arg(self.keys().result(shard, ""));
        for (key, value) in results {
            keep.arg(hex_of(key)).arg(&value[..]);
        }
        keep
    }

    fn result_key(&self, key: &ResultKey) -> String {
        self.keys().result(shard_of(key), &hex_of(key))
    }
}

fn hex_of(key: &ResultKey) -> String {
    millrace_contracts::BlobId::from_digest(*key).to_string()
}
