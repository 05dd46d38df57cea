//! The api's wishes: start a run, end it, look at it again. Each is one script: appended and published together.

use millrace_contracts::event::Source;
use millrace_contracts::message::{Accepted, Message};
use millrace_contracts::{Event, EventType, ExecutionId, UnixMillis};
use redis::Cmd;

use crate::publish::event_json;
use crate::{Bus, BusError, keys, scripts};

impl Bus {
    /// Hands an accepted run to the orchestrators, at once or when its turn in the line comes, and its record to the
    /// writer. Repeating it changes nothing.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn execute(&self, accepted: &Accepted) -> Result<(), BusError> {
        let run = accepted.execution_id;
        let mut event = wish(EventType::WorkflowExecute, run, accepted.created_at);
        event.workflow_id = accepted.workflow_id;
        event.traceparent.clone_from(&accepted.traceparent);
        event.region.clone_from(&accepted.region);
        event.data = serde_json::to_value(accepted).map_err(BusError::encode("an accepted run"))?;
        let event_json = event_json(&event)?;

        let events = self.keys().events(self.partition_of(run));
        let mut append = scripts::APPEND.on(&[&events], 2 * event_json.len() + 256);
        append.arg(keys::EVENT).arg(&event_json).arg(event.kind.channel()).arg(&event_json);
        self.join_line(accepted, append).await
    }

    /// Asks for the end of a run.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn cancel(&self, run: ExecutionId, reason: &str) -> Result<(), BusError> {
        let message = message_json(&Message::Cancel { execution_id: run, reason: reason.to_owned() })?;
        let mut event = wish(EventType::WorkflowCancel, run, UnixMillis::now());
        event.data = serde_json::json!({ "reason": reason });
        let inbox = self.keys().inbox(self.partition_of(run));
        let mut append = scripts::APPEND.on(&[&inbox], message.len() + 512);
        append.arg(keys::MESSAGE).arg(message).arg(event.kind.channel()).arg(event_json(&event)?);
        self.send("ask for the end of a run", vec![append]).await.map(drop)
    }

    /// Has an orchestrator look at a run again.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn wake(&self, run: ExecutionId) -> Result<(), BusError> {
        self.post(&Message::Wake { execution_id: run }).await
    }

    /// The same for several runs, in one round trip.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn wake_all(&self, runs: &[ExecutionId]) -> Result<(), BusError> {
        let wake = |&run: &ExecutionId| self.posting(&Message::Wake { execution_id: run });
        let commands = runs.iter().map(wake).collect::<Result<_, _>>()?;
        self.send("wake runs", commands).await.map(drop)
    }

    /// Puts any message into the inbox of its run or schedule.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn post(&self, message: &Message) -> Result<(), BusError> {
        self.send("post a message", vec![self.posting(message)?]).await.map(drop)
    }

    fn posting(&self, message: &Message) -> Result<Cmd, BusError> {
        let inbox = self.keys().inbox(message.partition(self.partitions()));
        let json = message_json(message)?;
        let mut append = scripts::APPEND.on(&[&inbox], json.len() + 128);
        append.arg(keys::MESSAGE).arg(json);
        Ok(append)
    }
}

/// An envelope of the api about a run. Wishes have no `seq`; the id is the same for every copy.
fn wish(kind: EventType, run: ExecutionId, time: UnixMillis) -> Event {
    let name = kind.sse_name();
    let id = if kind == EventType::WorkflowExecute {
        format!("{run}/{name}")
    } else {
        format!("{run}/{name}/{}", time.0)
    };
    let mut event = Event::new(kind, Source::Api, id, time, serde_json::Value::Null);
    event.execution_id = Some(run);
    event.subject = Some(run.to_string());
    event
}

/// The message's JSON.
pub(crate) fn message_json(message: &Message) -> Result<Vec<u8>, BusError> {
    serde_json::to_vec(message).map_err(BusError::encode("a message"))
}
