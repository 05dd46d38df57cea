//! Events that stand in no run's log: live ones, published on their contract channel and stored nowhere, and those that are
//! recorded all the same.

use millrace_contracts::{Event, ExecutionId, Partition};
use redis::Cmd;

use crate::{Bus, BusError, keys, scripts};

impl Bus {
    /// Publishes one live event.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn publish(&self, event: &Event) -> Result<(), BusError> {
        self.publish_all(std::slice::from_ref(event)).await
    }

    /// Publishes live events in order, in one pipeline.
    ///
    /// # Errors
    /// Redis could not be reached; some of them may have been published.
    pub async fn publish_all(&self, events: &[Event]) -> Result<(), BusError> {
        let commands = events.iter().map(publish_command).collect::<Result<_, _>>()?;
        self.send("publish events", commands).await.map(drop)
    }

    /// Hands events about runs to the writer and publishes them, each in one step.
    ///
    /// # Errors
    /// Redis could not be reached; some may have been handed over, and repeating all is safe.
    pub async fn record(&self, events: &[(ExecutionId, Event)]) -> Result<(), BusError> {
        let command = |(run, event): &(ExecutionId, Event)| {
            let json = event_json(event)?;
            let stream = self.keys().events(self.partition_of(*run));
            let mut append = scripts::APPEND.on(&[&stream], 2 * json.len() + 256);
            append.arg(keys::EVENT).arg(&json).arg(event.kind.channel()).arg(&json);
            Ok(append)
        };
        let commands = events.iter().map(command).collect::<Result<_, BusError>>()?;
        self.send("record events", commands).await.map(drop)
    }

    /// Hands an event that is about no run to the writer and publishes it, in one step.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn tell_recorded(&self, event: &Event) -> Result<(), BusError> {
        let json = event_json(event)?;
        // It goes by any partition.
        let stream = self.keys().events(Partition(0));
        let mut append = scripts::APPEND.on(&[&stream], 2 * json.len() + 256);
        append.arg(keys::EVENT).arg(&json).arg(event.kind.channel()).arg(&json);
        self.send("record an event", vec![append]).await.map(drop)
    }

    /// Hands events to the writer alone: nobody else is told.
    ///
    /// # Errors
    /// Redis could not be reached; some may have been handed over, and repeating all is safe.
    pub async fn note(&self, events: &[Event]) -> Result<(), BusError> {
        let command = |event: &Event| {
            let json = event_json(event)?;
            // What is about no run goes by any partition.
            let partition = event.execution_id.map_or(Partition(0), |run| self.partition_of(run));
            let mut append = scripts::APPEND.on(&[&self.keys().events(partition)], json.len() + 128);
            append.arg(keys::EVENT).arg(&json);
            Ok(append)
        };
        let commands = events.iter().map(command).collect::<Result<_, BusError>>()?;
        self.send("note events", commands).await.map(drop)
    }
}

/// `PUBLISH` of `event` on its channel.
pub(crate) fn publish_command(event: &Event) -> Result<Cmd, BusError> {
    let mut command = redis::cmd("PUBLISH");
    command.arg(event.kind.channel()).arg(event_json(event)?);
    Ok(command)
}

/// The event's JSON: made once, used for every copy of it.
pub(crate) fn event_json(event: &Event) -> Result<Vec<u8>, BusError> {
    serde_json::to_vec(event).map_err(BusError::encode("an event"))
}
