//! Taking what waits, without blocking and never more than there is room for. All queues are asked in one pipeline; when
//! there are more queues than room, one look first tells which of them have something.

use std::collections::HashSet;
use std::pin::Pin;

use millrace_contracts::job::Priority;
use redis::{Cmd, Value};
use sync_wrapper::SyncFuture;

use super::Wanted;
use super::key::QueueName;
use super::reader::{JobQueues, add_job};
use crate::batch::Batch;
use crate::reply::{self, RawEntry};
use crate::{Bus, BusError, EntryId, keys, scripts};

const WHAT: &str = "take jobs";

/// A take under way. It is kept beside the caller's future, so that a caller who goes away loses no job.
pub(super) struct Take {
    asked: Vec<(QueueName, usize)>,
    replies: Pin<Box<dyn Future<Output = Result<Vec<Value>, BusError>> + Send + Sync>>,
}

impl Take {
    /// Asks each queue for so many, by one command.
    pub(super) fn begin(bus: &Bus, asked: Vec<(QueueName, usize)>, commands: Vec<Cmd>) -> Self {
        let bus = bus.clone();
        Self { asked, replies: Box::pin(SyncFuture::new(async move { bus.send(WHAT, commands).await })) }
    }
}

impl JobQueues {
    /// Fills `ready` up to `max` from the queues that are wanted.
    pub(super) async fn take(&mut self, wanted: Wanted<'_>, max: usize) -> Result<(), BusError> {
        let mut queues: Vec<QueueName> = self.known.keys().filter(|name| name.is(wanted)).cloned().collect();
        if !queues.is_empty() {
            self.turn = (self.turn + 1) % queues.len();
            queues.rotate_left(self.turn);
        }
        if queues.len() > max.saturating_sub(self.ready.len()) {
            queues = self.with_waiting(queues).await?;
        }
        loop {
            let room = max.saturating_sub(self.ready.len());
            if room == 0 || queues.is_empty() {
                return Ok(());
            }
            let share = (room / queues.len()).max(1);
            let rest = queues.split_off(queues.len().min(room));
            self.start_take(queues, share, wanted);
            // Those that gave all that was asked for may have more; they come after those not asked yet.
            let generous = self.finish_take().await?;
            queues = rest;
            queues.extend(generous);
        }
    }

    /// Those of `queues` in which somebody waits.
    async fn with_waiting(&self, queues: Vec<QueueName>) -> Result<Vec<QueueName>, BusError> {
        let depths = self.bus.depths_of(&queues).await?;
        let waiting: HashSet<QueueName> = depths
            .into_iter()
            .filter(|depth| depth.oldest_ms.is_some())
            .map(|depth| QueueName { pool: depth.pool, model: depth.model })
            .collect();
        Ok(queues.into_iter().filter(|name| waiting.contains(name)).collect())
    }

    fn start_take(&mut self, queues: Vec<QueueName>, share: usize, wanted: Wanted<'_>) {
        // Less what earlier rounds of the same take brought.
        let left = |name: &QueueName| {
            let taken = self.ready.iter().filter(|job| job.queue.name() == *name).count();
            share.min(wanted(&name.pool, name.model.as_ref()).saturating_sub(taken))
        };
        let asked: Vec<(QueueName, usize)> =
            queues.into_iter().map(|name| (left(&name), name)).map(|(left, name)| (name, left)).collect();
        let asked: Vec<_> = asked.into_iter().filter(|(_, share)| *share > 0).collect();
        let commands = asked.iter().map(|(name, share)| self.take_command(name, *share)).collect();
        self.taking = Some(Take::begin(&self.bus, asked, commands));
    }

    fn take_command(&mut self, name: &QueueName, share: usize) -> Cmd {
        let streams = Priority::ALL.map(|priority| self.bus.keys().queue(&name.at(priority)));
        let mut take =
            scripts::TAKE_JOBS.on(&[&self.bus.keys().gone(name), &streams[0], &streams[1], &streams[2]], 256);
        take.arg(keys::WORKERS).arg(self.reader.consumer()).arg(share);
        for own in self.known.entry(name.clone()).or_default().split(share) {
            take.arg(own);
        }
        take
    }

    /// Puts the jobs of the take under way into `ready`; answers the queues that gave all they were asked for.
    pub(super) async fn finish_take(&mut self) -> Result<Vec<QueueName>, BusError> {
        let Some(take) = &mut self.taking else { return Ok(Vec::new()) };
        let replies = take.replies.as_mut().await;
        let asked = self.taking.take().map(|take| take.asked).unwrap_or_default();
        let (mut generous, mut batch) = (Vec::new(), Batch::new(keys::WORKERS));
        for ((name, share), reply) in asked.into_iter().zip(replies?) {
            let jobs = reply::array(WHAT, reply)?;
            let full = jobs.len() >= share;
            for job in jobs {
                let (priority, raw) = taken(job)?;
                let queue = name.at(priority);
                add_job(&mut batch, &self.bus.keys().queue(&queue), &queue, raw, 1);
            }
            if full {
                generous.push(name);
            }
        }
        batch.finish(&self.bus, &mut self.ready).await;
        Ok(generous)
    }
}

/// `{stream number, id, fields}`; streams are numbered as [`Priority::ALL`], from 1.
fn taken(value: Value) -> Result<(Priority, RawEntry), BusError> {
    let [number, id, content] = reply::tuple(WHAT, value)?;
    let number = reply::integer(WHAT, number)?;
    let priority = usize::try_from(number - 1).ok().and_then(|at| Priority::ALL.get(at).copied());
    let priority =
        priority.ok_or_else(|| BusError::Reply { what: WHAT, detail: format!("stream number {number}") })?;
    Ok((priority, RawEntry { id: EntryId(reply::text(WHAT, id)?), fields: reply::fields(WHAT, content)? }))
}
