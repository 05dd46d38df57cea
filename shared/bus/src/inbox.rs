//! The orchestrators' inboxes: one stream per partition, group `orchestrator`. A message stays until it is acknowledged;
//! the commit's compare-and-set and the engine's fencing make a second delivery harmless.

use std::collections::HashMap;
use std::time::Duration;

use millrace_contracts::Partition;
use millrace_contracts::message::{Message, Timer};

use crate::claim::Claim;
use crate::dead_letters::DeadLetter;
use crate::reader::{GroupReader, Reading, share};
use crate::reply::RawEntry;
use crate::{Bus, BusError, EntryId, keys};

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
        };
        let reader = GroupReader::connect(self.clone(), reading).await?;
        let partitions = self.all_partitions().map(|p| (self.keys().inbox(p), p)).collect();
        Ok(Inbox { bus: self.clone(), reader, partitions, ready: Vec::new() })
    }

    /// Acknowledges messages that have been dealt with, in one pipeline.
    ///
    /// # Errors
    /// Redis could not be reached; repeating it is harmless.
    pub async fn ack(&self, deliveries: &[(Partition, EntryId)]) -> Result<(), BusError> {
        let entries = deliveries.iter().map(|(partition, entry)| (self.keys().inbox(*partition), entry));
        self.settle_entries(keys::ORCHESTRATORS, entries).await
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
        let mut batch = Batch::default();
        for (stream, entries) in found {
            let Some(partition) = self.partitions.get(&stream) else { continue };
            for raw in entries {
                batch.add(&stream, *partition, raw, 1);
            }
        }
        Ok(batch.finish(&self.bus, &mut self.ready).await)
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
        let stream = self.bus.keys().inbox(partition);
        let claim = Claim { group: self.reader.group(), consumer: self.reader.consumer(), min_idle, max };
        let mut batch = Batch::default();
        for claimed in self.bus.claim(&[&stream], &claim).await? {
            batch.add(&stream, partition, claimed.raw, claimed.deliveries);
        }
        Ok(batch.finish(&self.bus, &mut self.ready).await)
    }
}

/// Messages that read, and entries that do not.
#[derive(Default)]
struct Batch {
    deliveries: Vec<Delivery>,
    unreadable: Vec<DeadLetter>,
}

impl Batch {
    fn add(&mut self, stream: &str, partition: Partition, mut raw: RawEntry, deliveries: u32) {
        match decode(&mut raw) {
            Ok(message) => self.deliveries.push(Delivery { partition, entry: raw.id, message, deliveries }),
            Err(reason) => {
                self.unreadable.push(DeadLetter::unreadable(stream, keys::ORCHESTRATORS, raw, reason));
            }
        }
    }

    /// The messages, once what does not read is set aside. They wait in `ready` meanwhile, lest a caller who goes away
    /// lose them.
    async fn finish(self, bus: &Bus, ready: &mut Vec<Delivery>) -> Vec<Delivery> {
        ready.extend(self.deliveries);
        bus.bury_what_can_be(self.unreadable).await;
        std::mem::take(ready)
    }
}

/// The message of an entry: its JSON, or the text of a timer that came due.
fn decode(raw: &mut RawEntry) -> Result<Message, String> {
    let field =
        |name: &str| raw.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_slice());
    if let Some(json) = field(keys::MESSAGE) {
        return serde_json::from_slice(json).map_err(|error| format!("not a message: {error}"));
    }
    let timer = field(keys::TIMER).ok_or("it has neither a message nor a timer")?;
    let timer = std::str::from_utf8(timer).map_err(|error| format!("not a timer: {error}"))?;
    timer.parse::<Timer>().map(Message::Timer).map_err(|error| format!("not a timer: {error}"))
}
