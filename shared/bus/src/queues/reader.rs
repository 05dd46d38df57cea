//! One worker's reader of jobs. It takes what waits, urgent and fair; only when nothing does, it blocks over all queues
//! of its pools. A new queue rings a bell that ends the block; should the bell be missed, the block is short.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use millrace_contracts::job::Priority;
use millrace_contracts::{Job, ModelId, Pool, WorkerId};

use super::callers::Callers;
use super::key::{QueueKey, QueueName};
use super::shares::Shares;
use super::take::Take;
use crate::batch::{Batch, json};
use crate::error::may_pass;
use crate::reader::{ByStream, GroupReader, Reading, share};
use crate::reply::RawEntry;
use crate::{Bus, BusError, EntryId, keys};

/// A block lasts at most so long before the registry is looked at again: polling is the guarantee, the bell a hint.
const SLICE: Duration = Duration::from_secs(1);

/// A job, and what to acknowledge once it is reported.
#[derive(Debug, Clone, PartialEq)]
pub struct JobDelivery {
    /// Where it stood.
    pub queue: QueueKey,
    /// Its entry.
    pub entry: EntryId,
    /// What to do.
    pub job: Job,
    /// How often it has been handed out, this time included; from 1. Many mean that it takes its workers down.
    pub deliveries: u32,
}

/// How many jobs of a queue are wanted now, by its pool and model; 0 leaves the queue alone.
pub type Wanted<'a> = &'a (dyn Fn(&Pool, Option<&ModelId>) -> usize + Sync);

/// One worker's reader of job queues, with a connection of its own.
pub struct JobQueues {
    pub(super) bus: Bus,
    pub(super) reader: GroupReader,
    pub(super) callers: Arc<Callers>,
    /// Every queue of the registry, with its turn-taking state.
    pub(super) known: BTreeMap<QueueName, Shares>,
    /// Jobs in hand that no call has answered yet.
    pub(super) ready: VecDeque<JobDelivery>,
    /// A take that is under way, or whose caller went away.
    pub(super) taking: Option<Take>,
    /// Which queue has the first turn.
    pub(super) turn: usize,
    /// The queue of every stream in the latest blocking read.
    streams: HashMap<String, QueueKey>,
    refreshed: Option<Instant>,
}

impl Bus {
    /// A reader of jobs for `worker`.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn queues(&self, worker: &WorkerId) -> Result<JobQueues, BusError> {
        let callers = Arc::new(Callers::default());
        let reading = Reading {
            what: "the job queues",
            group: keys::WORKERS,
            consumer: worker.as_str().to_owned(),
            bell_channel: Some(self.keys().queues_channel()),
            callers: Some((self.keys().callers_channel(), Arc::clone(&callers))),
        };
        Ok(JobQueues {
            bus: self.clone(),
            reader: GroupReader::connect(self.clone(), reading).await?,
            callers,
            known: BTreeMap::new(),
            ready: VecDeque::new(),
            taking: None,
            turn: 0,
            streams: HashMap::new(),
            refreshed: None,
        })
    }
}

impl JobQueues {
    /// Up to `max` jobs of `pools`: high before normal before low within a queue, with a share for the lower ones, and
    /// queues in turn. Waits up to `block` for the first, also for queues that do not exist yet.
    ///
    /// Cancel-safe: what a dropped call was handed, the next call answers. Jobs that do not read are set aside,
    /// counted and logged. A lost connection or group is repaired in here.
    ///
    /// # Errors
    /// Redis has been unreachable for more than ten seconds, or refuses a command.
    pub async fn read(
        &mut self,
        pools: &[Pool],
        max: usize,
        block: Duration,
    ) -> Result<Vec<JobDelivery>, BusError> {
        let all = |pool: &Pool, _: Option<&ModelId>| if pools.contains(pool) { max } else { 0 };
        self.read_wanted(&all, max, block).await
    }

    /// As [`JobQueues::read`], of each queue about as many as are `wanted`: a blocking read may bring a few more.
    ///
    /// # Errors
    /// As [`JobQueues::read`].
    pub async fn read_wanted(
        &mut self,
        wanted: Wanted<'_>,
        max: usize,
        block: Duration,
    ) -> Result<Vec<JobDelivery>, BusError> {
        let deadline = Instant::now() + block;
        let mut taken = false;
        while self.ready.is_empty() && max > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if taken && left.is_zero() {
                break;
            }
            let step = if taken {
                self.wait(wanted, max, left.min(SLICE)).await
            } else {
                self.begin(wanted, max).await
            };
            match step {
                Ok(()) => {
                    taken = true;
                    self.reader.recovered();
                }
                Err(BusError::Redis { source, .. }) if may_pass(&source) => {
                    self.reader.endure(source).await?
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.hand_out(max))
    }

    /// Up to `max` of what is ready.
    pub(super) fn hand_out(&mut self, max: usize) -> Vec<JobDelivery> {
        let count = max.min(self.ready.len());
        let jobs: Vec<JobDelivery> = self.ready.drain(..count).collect();
        self.note_served(&jobs);
        jobs
    }

    /// Their flows wait no longer.
    pub(super) fn note_served(&self, jobs: &[JobDelivery]) {
        jobs.iter().for_each(|delivery| self.callers.served(&delivery.job.flow.id));
    }

    /// The queues of `pools` that hold jobs of models, as far as known: pool and model.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn model_queues(&mut self, pools: &[Pool]) -> Result<Vec<(Pool, ModelId)>, BusError> {
        self.refresh_if_due().await?;
        let named = |name: &QueueName| Some((name.pool.clone(), name.model.clone()?));
        Ok(self.known.keys().filter(|name| pools.contains(&name.pool)).filter_map(named).collect())
    }

    /// What an earlier call left behind, then what waits in the queues.
    async fn begin(&mut self, wanted: Wanted<'_>, max: usize) -> Result<(), BusError> {
        self.finish_take().await?;
        let answer = self.reader.settle().await?;
        self.deal_with(answer, wanted).await?;
        self.refresh_if_due().await?;
        if self.ready.is_empty() {
            self.take(wanted, max).await?;
        }
        Ok(())
    }

    /// Blocks over all queues that are wanted until a job comes, a queue appears, or `slice` has passed.
    async fn wait(&mut self, wanted: Wanted<'_>, max: usize, slice: Duration) -> Result<(), BusError> {
        self.refresh_if_due().await?;
        let streams = self.streams_of(wanted);
        let bell = self.reader.bell();
        if streams.is_empty() {
            // Rung or not, the registry is looked at next.
            let rung = tokio::time::timeout(slice, bell.notified()).await;
            tracing::trace!(rung = rung.is_ok(), "no queue yet");
            self.refreshed = None;
            return Ok(());
        }
        let answer = tokio::select! {
            biased;
            answer = self.reader.read_once(&streams, share(max, streams.len()), slice) => Some(answer?),
            () = bell.notified() => None,
        };
        let answer = match answer {
            Some(answer) => answer,
            None => {
                self.refreshed = None;
                self.reader.settle().await?
            }
        };
        self.deal_with(answer, wanted).await
    }

    /// Accepts what a blocking read brought, or mends what it found missing.
    async fn deal_with(&mut self, answer: Option<ByStream>, wanted: Wanted<'_>) -> Result<(), BusError> {
        let Some(found) = answer else {
            // A group is gone: after a loss, or because the queue was forgotten. The registry knows which.
            self.refreshed = None;
            self.refresh_if_due().await?;
            let streams = self.streams_of(wanted);
            return self.bus.create_groups(keys::WORKERS, &streams).await;
        };
        self.accept(found).await;
        Ok(())
    }

    /// Reads the registry, if that was not done lately.
    pub(super) async fn refresh_if_due(&mut self) -> Result<(), BusError> {
        if self.refreshed.is_some_and(|at| at.elapsed() < SLICE) {
            return Ok(());
        }
        // The bell is silenced before the registry is read, so that one that rings afterwards is heard.
        if self.reader.bell().notified().now_or_never().is_some() {
            tracing::trace!("the bell had rung");
        }
        let registered = self.bus.registered_queues().await?;
        let mut before = std::mem::take(&mut self.known);
        let keep = |(name, _)| {
            let shares = before.remove(&name).unwrap_or_default();
            (name, shares)
        };
        self.known = registered.into_iter().map(keep).collect();
        self.refreshed = Some(Instant::now());
        Ok(())
    }

    /// The streams of all known queues that are wanted, most urgent first.
    fn streams_of(&mut self, wanted: Wanted<'_>) -> Vec<String> {
        let mut streams = Vec::new();
        self.streams.retain(|_, queue| self.known.contains_key(&queue.name()));
        for priority in Priority::ALL {
            for name in self.known.keys().filter(|name| name.is(wanted)) {
                let queue = name.at(priority);
                let stream = self.bus.keys().queue(&queue);
                streams.push(stream.clone());
                self.streams.insert(stream, queue);
            }
        }
        streams
    }

    pub(super) async fn accept(&mut self, found: ByStream) {
        let mut batch = Batch::new(keys::WORKERS);
        for (stream, entries) in found {
            let Some(queue) = self.streams.get(&stream) else { continue };
            for raw in entries {
                add_job(&mut batch, &stream, queue, raw, 1);
            }
        }
        batch.finish(&self.bus, &mut self.ready).await;
    }
}

/// Sorts the job of an entry in.
pub(super) fn add_job(
    batch: &mut Batch<JobDelivery>,
    stream: &str,
    queue: &QueueKey,
    raw: RawEntry,
    deliveries: u32,
) {
    let decode = |raw: &RawEntry| json::<Job>(raw, keys::JOB, "job");
    batch.add(stream, raw, decode, |entry, job| JobDelivery { queue: queue.clone(), entry, job, deliveries });
}
