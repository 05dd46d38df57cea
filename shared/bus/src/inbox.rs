//! The orchestrators' inboxes: one stream per partition, group `orchestrator`. A message stays until it is acknowledged;
//! the commit's compare-and-set and the engine's fencing make a second delivery harmless.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use millrace_contracts::Partition;
use millrace_contracts::message::Message;

use crate::batch::{Batch, json};
use crate::claim::{Chance, Claim};
use crate::dead_letters::DeadLetter;
use crate::reader::{GroupReader, Reading, share};
use crate::reply::RawEntry;
use crate::{Bus, BusError, EntryId, keys, scripts, tidy};

/// A message, and what to acknowledge once it has been dealt with.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Where it stood.
    pub partition: Partition,
    /// Its entry.
    pub entry: EntryId,
    /// What it says.
    pub message: Message,
    /// How often it has been handed out, this time included; from 1.
    pub deliveries: u32,
}

/// One replica's reader of inboxes, with a connection of its own.
pub struct Inbox {
    bus: Bus,
    reader: GroupReader,
    partitions: HashMap<String, Partition>,
    /// Messages in hand that no call has answered yet.
    ready: Vec<Delivery>,
    tidied: Instant,
}

impl Bus {
    /// A reader of inboxes. `consumer` is the replica's id, unique among living replicas.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn inbox(&self, consumer: &str) -> Result<Inbox, BusError> {
        let reading = Reading {
            what: "an inbox",
            group: keys::ORCHESTRATORS,
            consumer: consumer.to_owned(),
            bell_channel: None,
            callers: None,
        };
        let reader = GroupReader::connect(self.clone(), reading).await?;
        let partitions = self.all_partitions().map(|p| (self.keys().inbox(p), p)).collect();
        Ok(Inbox { bus: self.clone(), reader, partitions, ready: Vec::new(), tidied: Instant::now() })
    }

    /// Acknowledges messages that `consumer` has dealt with, one script per inbox, all in one pipeline. A message that another
    /// replica has claimed since is left alone: that one may have committed and not sent yet, and must not lose its cue.
    ///
    /// # Errors
    /// Redis could not be reached; repeating it is harmless.
    pub async fn ack(&self, consumer: &str, deliveries: &[(Partition, EntryId)]) -> Result<(), BusError> {
        let mut by_stream: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (partition, entry) in deliveries {
            by_stream.entry(self.keys().inbox(*partition)).or_default().push(entry.as_str());
        }
        let command = |(stream, ids): (String, Vec<&str>)| {
            let mut ack = scripts::ACK_OWN.on(&[&stream], ids.len() * 24);
            ack.arg(keys::ORCHESTRATORS).arg(consumer).arg(ids);
            ack
        };
        self.send("acknowledge messages", by_stream.into_iter().map(command).collect()).await.map(drop)
    }

    /// Sets a message aside that must not be tried again, with the reason, in `…:inbox:dead`.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn bury_message(&self, delivery: &Delivery, reason: &str) -> Result<(), BusError> {
        let letter = DeadLetter {
            stream: self.keys().inbox(delivery.partition),
            group: keys::ORCHESTRATORS,
            entry: delivery.entry.clone(),
            reason: reason.to_owned(),
            field: Some(keys::MESSAGE.to_owned()),
            content: crate::execute::message_json(&delivery.message)?,
        };
        self.bury(vec![letter]).await
    }

    /// Messages waiting or under way, all partitions together: what the api measures overload by.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn inbox_depth(&self) -> Result<u64, BusError> {
        self.total_length(self.all_partitions().map(|partition| self.keys().inbox(partition))).await
    }
}

impl Inbox {
    /// New messages of `partitions`, about `max` in all and evenly from each; waits up to `block` for the first.
    ///
    /// Cancel-safe: what a dropped call was handed, the next call answers. Messages that do not read are set aside,
    /// counted and logged. A lost connection or group is repaired in here.
    ///
    /// # Errors
    /// Redis has been unreachable for more than ten seconds, or refuses the command.
    pub async fn read(
        &mut self,
        partitions: &[Partition],
        max: usize,
        block: Duration,
    ) -> Result<Vec<Delivery>, BusError> {
        if !self.ready.is_empty() {
            return Ok(std::mem::take(&mut self.ready));
        }
        let streams: Vec<String> = partitions.iter().map(|p| self.bus.keys().inbox(*p)).collect();
        let found = self.reader.read(&streams, share(max, streams.len()), block).await?;
        let mut batch = Batch::new(keys::ORCHESTRATORS);
        for (stream, entries) in found {
            let Some(partition) = self.partitions.get(&stream) else { continue };
            for raw in entries {
                add_message(&mut batch, &stream, *partition, raw, 1);
            }
        }
        batch.finish(&self.bus, &mut self.ready).await;
        Ok(std::mem::take(&mut self.ready))
    }

    /// Takes over messages of `partition` that have been with any replica for at least `min_idle`, at most `max`.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn claim(
        &mut self,
        partition: Partition,
        min_idle: Duration,
        max: usize,
    ) -> Result<Vec<Delivery>, BusError> {
        self.tidy_if_due().await;
        let stream = self.bus.keys().inbox(partition);
        let (group, consumer, chance) = (self.reader.group(), self.reader.consumer(), Chance::Any);
        let claim = Claim { group, consumer, min_idle, max, chance, in_hand: Vec::new() };
        let mut batch = Batch::new(keys::ORCHESTRATORS);
        for claimed in self.bus.claim(&[&stream], &claim).await?.found {
            add_message(&mut batch, &stream, partition, claimed.raw, claimed.deliveries);
        }
        batch.finish(&self.bus, &mut self.ready).await;
        Ok(std::mem::take(&mut self.ready))
    }

    /// The sweep is where the bus tidies up after itself; failing to is no fault of the sweep.
    async fn tidy_if_due(&mut self) {
        if self.tidied.elapsed() < tidy::EVERY {
            return;
        }
        self.tidied = Instant::now();
        if let Err(error) = self.bus.tidy().await {
            tracing::warn!(%error, "could not tidy the bus; trying again later");
        }
    }
}

/// Sorts the message of an entry in.
fn add_message(
    batch: &mut Batch<Delivery>,
    stream: &str,
    partition: Partition,
    raw: RawEntry,
    deliveries: u32,
) {
    batch.add(stream, raw, decode, |entry, message| Delivery { partition, entry, message, deliveries });
}

/// The message of an entry: its JSON, or the text of a timer that came due.
fn decode(raw: &RawEntry) -> Result<Message, String> {
    let Some(timer) = raw.get(keys::TIMER) else { return json(raw, keys::MESSAGE, "message") };
    let timer = std::str::from_utf8(timer).map_err(|error| format!("not a readable timer: {error}"))?;
    Message::of_due(timer).map_err(|error| format!("not a readable timer: {error}"))
}
