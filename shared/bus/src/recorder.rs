//! The writer's side: durable events and record entries of all partitions, group `writer`. Redelivery is harmless
//! because the record is keyed by (run, epoch, seq).

use std::time::Duration;

use millrace_contracts::{Event, Partition, UnixMillis};
use redis::Value;

use crate::batch::{Batch, json};
use crate::claim::{Chance, Claim};
use crate::dead_letters::DeadLetter;
use crate::reader::{GroupReader, Reading, share};
use crate::reply::RawEntry;
use crate::{Bus, BusError, EntryId, keys, reply};

/// An event to be recorded, and what to acknowledge once it is.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordEntry {
    /// Where it stood.
    pub partition: Partition,
    /// Its entry.
    pub entry: EntryId,
    /// What to record.
    pub event: Event,
    /// How often it has been handed out, this time included; from 1.
    pub deliveries: u32,
}

/// How far the record is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecorderLag {
    /// Events not yet acknowledged, all partitions together.
    pub entries: u64,
    /// When the oldest of them was appended, by Redis's clock.
    pub oldest: Option<UnixMillis>,
}

/// One writer's reader of the events streams, with a connection of its own.
pub struct Recorder {
    bus: Bus,
    reader: GroupReader,
    streams: Vec<String>,
    /// Of the streams, in their order.
    partitions: Vec<Partition>,
    /// Events in hand that no call has answered yet.
    ready: Vec<RecordEntry>,
}

impl Bus {
    /// A reader of all partitions' events. `consumer` is unique among living writers.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn recorder(&self, consumer: &str) -> Result<Recorder, BusError> {
        self.recorder_of(consumer, self.all_partitions().collect()).await
    }

    /// The same for some partitions: several readers side by side, each with the whole of its runs.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn recorder_of(
        &self,
        consumer: &str,
        partitions: Vec<Partition>,
    ) -> Result<Recorder, BusError> {
        let reading = Reading {
            what: "the events streams",
            group: keys::WRITERS,
            consumer: consumer.to_owned(),
            bell_channel: None,
            callers: None,
        };
        let reader = GroupReader::connect(self.clone(), reading).await?;
        let streams = partitions.iter().map(|p| self.keys().events(*p)).collect();
        Ok(Recorder { bus: self.clone(), reader, streams, partitions, ready: Vec::new() })
    }

    /// How far the record is behind, for readiness and metrics.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn recorder_lag(&self) -> Result<RecorderLag, BusError> {
        let what = "measure the recorder's lag";
        let oldest = |partition| {
            let mut command = redis::cmd("XRANGE");
            command.arg(self.keys().events(partition)).arg("-").arg("+").arg("COUNT").arg(1);
            command
        };
        let entries = self.total_length(self.all_partitions().map(|p| self.keys().events(p))).await?;
        let mut lag = RecorderLag { entries, oldest: None };
        for reply in self.send(what, self.all_partitions().map(oldest).collect()).await? {
            let first = reply::entries(what, reply)?.pop().and_then(|entry| entry.id.time());
            lag.oldest = lag.oldest.into_iter().chain(first).min();
        }
        Ok(lag)
    }

    /// Entries of several streams together.
    pub(crate) async fn total_length(&self, streams: impl Iterator<Item = String>) -> Result<u64, BusError> {
        let what = "measure streams";
        let length = |stream| {
            let mut command = redis::cmd("XLEN");
            command.arg(stream);
            command
        };
        let replies: Vec<Value> = self.send(what, streams.map(length).collect()).await?;
        replies.into_iter().map(|length| reply::count(what, length)).sum()
    }
}

impl Recorder {
    /// New events of its partitions, about `max` in all; waits up to `block` for the first.
    ///
    /// Cancel-safe: what a dropped call was handed, the next call answers. Entries that do not read are set aside in
    /// `…:events:dead`, counted and logged.
    ///
    /// # Errors
    /// Redis has been unreachable for more than ten seconds, or refuses the command.
    pub async fn read(&mut self, max: usize, block: Duration) -> Result<Vec<RecordEntry>, BusError> {
        if !self.ready.is_empty() {
            return Ok(std::mem::take(&mut self.ready));
        }
        let found = self.reader.read(&self.streams, share(max, self.streams.len()), block).await?;
        let mut batch = Batch::new(keys::WRITERS);
        for (stream, entries) in found {
            let Some(place) = self.streams.iter().position(|known| *known == stream) else { continue };
            for raw in entries {
                add_event(&mut batch, &stream, self.partitions[place], raw, 1);
            }
        }
        batch.finish(&self.bus, &mut self.ready).await;
        Ok(std::mem::take(&mut self.ready))
    }

    /// Takes over events that have been with any writer for at least `min_idle`, about `max` in all.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn claim(&mut self, min_idle: Duration, max: usize) -> Result<Vec<RecordEntry>, BusError> {
        let mut batch = Batch::new(keys::WRITERS);
        for (stream, partition) in self.streams.iter().zip(&self.partitions) {
            let room = max.saturating_sub(batch.readable.len());
            if room == 0 {
                break;
            }
            let (group, consumer, chance) = (self.reader.group(), self.reader.consumer(), Chance::Any);
            let claim = Claim { group, consumer, min_idle, max: room, chance, in_hand: Vec::new() };
            for claimed in self.bus.claim(&[stream], &claim).await?.found {
                add_event(&mut batch, stream, *partition, claimed.raw, claimed.deliveries);
            }
        }
        batch.finish(&self.bus, &mut self.ready).await;
        Ok(std::mem::take(&mut self.ready))
    }

    /// Acknowledges events that are recorded, in one pipeline.
    ///
    /// # Errors
    /// Redis could not be reached; repeating it is harmless.
    pub async fn ack(&self, entries: &[(Partition, EntryId)]) -> Result<(), BusError> {
        let entries = entries.iter().map(|(partition, entry)| (self.bus.keys().events(*partition), entry));
        self.bus.settle_entries(keys::WRITERS, entries).await
    }

    /// Sets an event aside that cannot be recorded, with the reason, in `…:events:dead`.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn bury(&self, record: &RecordEntry, reason: &str) -> Result<(), BusError> {
        let letter = DeadLetter {
            stream: self.bus.keys().events(record.partition),
            group: keys::WRITERS,
            entry: record.entry.clone(),
            reason: reason.to_owned(),
            field: Some(keys::EVENT.to_owned()),
            content: crate::publish::event_json(&record.event)?,
        };
        self.bus.bury(vec![letter]).await
    }

    /// How far the record is behind.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn lag(&self) -> Result<RecorderLag, BusError> {
        self.bus.recorder_lag().await
    }
}

/// Sorts the event of an entry in.
fn add_event(
    batch: &mut Batch<RecordEntry>,
    stream: &str,
    partition: Partition,
    raw: RawEntry,
    deliveries: u32,
) {
    let decode = |raw: &RawEntry| json::<Event>(raw, keys::EVENT, "event");
    batch.add(stream, raw, decode, |entry, event| RecordEntry { partition, entry, event, deliveries });
}
