//! Taking over jobs whose worker has been silent.

use std::time::Duration;

use millrace_contracts::Pool;
use millrace_contracts::job::Priority;
use redis::Value;

use super::key::{QueueKey, QueueName};
use super::reader::{JobDelivery, JobQueues, add_job};
use crate::batch::Batch;
use crate::claim::{Chance, Claim};
use crate::error::group_is_gone;
use crate::{BusError, EntryId, keys, reply};

/// Queues that one round trip asks for stale claims.
const MOST_AT_ONCE: usize = 64;

/// What was taken over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Takeover {
    /// The jobs.
    pub jobs: Vec<JobDelivery>,
    /// The pools of jobs that [`Chance::But`] leaves, as far as one looked: not further than to as many as were wanted.
    pub left: Vec<Pool>,
}

impl JobQueues {
    /// Takes over jobs of `pools` that no worker has kept for at least `min_idle`, at most `max`, urgent ones of a
    /// queue first. `deliveries` tells how often each has been handed out by now: what to do about one that takes its
    /// workers down is the caller's policy ([`crate::Bus::bury_job`]).
    ///
    /// # Errors
    /// Redis could not be reached; what had been taken over comes again after `min_idle`.
    pub async fn claim_stale(
        &mut self,
        pools: &[Pool],
        min_idle: Duration,
        max: usize,
    ) -> Result<Vec<JobDelivery>, BusError> {
        Ok(self.take_over(pools, (min_idle, max), Chance::Any, &[]).await?.jobs)
    }

    /// As [`JobQueues::claim_stale`], of those jobs that `chance` names. With a `max` of 0 nothing is taken over: one only looks
    /// for the first that is left. What this worker has `in_hand` itself is left alone, however long it could not be kept:
    /// Redis was away, or its clock has leapt.
    ///
    /// # Errors
    /// As [`JobQueues::claim_stale`].
    pub async fn take_over(
        &mut self,
        pools: &[Pool],
        (min_idle, max): (Duration, usize),
        chance: Chance,
        in_hand: &[(QueueKey, EntryId)],
    ) -> Result<Takeover, BusError> {
        self.refresh_if_due().await?;
        let mut batch = Batch::new(keys::WORKERS);
        let mut left: Vec<Pool> = Vec::new();
        for name in self.with_stale(pools, min_idle).await? {
            let room = max.saturating_sub(batch.readable.len());
            if room == 0 && (max > 0 || !left.is_empty()) {
                break;
            }
            let queue_keys = Priority::ALL.map(|priority| name.at(priority));
            let streams = queue_keys.each_ref().map(|key| self.bus.keys().queue(key));
            let streams = streams.each_ref().map(String::as_str);
            let (group, consumer) = (self.reader.group(), self.reader.consumer());
            let place = |queue: &QueueKey| queue_keys.iter().position(|key| key == queue);
            let in_hand = in_hand.iter().filter_map(|(queue, entry)| Some((place(queue)?, entry))).collect();
            let claim = Claim { group, consumer, min_idle, max: room, chance, in_hand };
            let claims = self.bus.claim(&streams, &claim).await?;
            if claims.left > 0 && !left.contains(&name.pool) {
                left.push(name.pool.clone());
            }
            for claimed in claims.found {
                let at = claimed.stream.min(streams.len() - 1);
                add_job(&mut batch, streams[at], &queue_keys[at], claimed.raw, claimed.deliveries);
            }
        }
        let mut stale = Vec::new();
        batch.finish(&self.bus, &mut stale).await;
        let jobs = self.bus.still_wanted(stale).await?;
        self.note_served(&jobs);
        Ok(Takeover { jobs, left })
    }

    /// The queues of `pools` with a claim that was not kept for `min_idle`: few, as a rule none, so the others cost no round trip
    /// each.
    async fn with_stale(&self, pools: &[Pool], min_idle: Duration) -> Result<Vec<QueueName>, BusError> {
        let what = "look for stale claims";
        let queues: Vec<&QueueName> = self.known.keys().filter(|name| pools.contains(&name.pool)).collect();
        let (group, idle_ms) = (self.reader.group(), u64::try_from(min_idle.as_millis()).unwrap_or(u64::MAX));
        let oldest = |stream: String| {
            let mut ask = redis::cmd("XPENDING");
            ask.arg(stream).arg(group).arg("IDLE").arg(idle_ms).arg("-").arg("+").arg(1);
            ask
        };
        let mut found = Vec::new();
        for some in queues.chunks(MOST_AT_ONCE) {
            let streams = some.iter().flat_map(|name| Priority::ALL.map(|priority| name.at(priority)));
            let asked = streams.map(|key| oldest(self.bus.keys().queue(&key))).collect();
            let replies = self.bus.exchange(what, asked).await?;
            for (name, replies) in some.iter().zip(replies.chunks(Priority::ALL.len())) {
                let mut stale = false;
                for reply in replies {
                    stale |= is_stale(what, reply.clone())?;
                }
                if stale {
                    found.push((*name).clone());
                }
            }
        }
        Ok(found)
    }
}

/// Whether there is any among the claims of a stream. Where there is no group nobody holds anything.
fn is_stale(what: &'static str, claims: Value) -> Result<bool, BusError> {
    match claims.extract_error() {
        Ok(claims) => Ok(!reply::array(what, claims)?.is_empty()),
        Err(error) if group_is_gone(&error) => Ok(false),
        Err(source) => Err(BusError::Redis { what, source }),
    }
}
