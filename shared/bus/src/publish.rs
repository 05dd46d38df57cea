//! Live events: published on their contract channel, stored nowhere.

use millrace_contracts::Event;
use redis::Cmd;

use crate::{Bus, BusError};

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
