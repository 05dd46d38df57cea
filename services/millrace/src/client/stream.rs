//! Server-sent events as messages.

use std::pin::Pin;

use eventsource_stream::Eventsource;
use futures::{Stream, StreamExt};

/// One message of an event stream.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// `<epoch>-<seq>` of the last event that had one: the parser repeats it for live-only events, as the standard says. Empty
    /// before the first.
    pub(crate) id: String,
    /// `node.completed`, `snapshot`, `end`, …
    pub(crate) event: String,
    /// JSON.
    pub(crate) data: String,
}

impl Message {
    /// Whether the server closes the connection after it.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self.event.as_str(), "end" | "reconnect" | "lagged")
    }
}

/// The messages of one connection. Ends when the connection does.
pub(crate) struct EventStream {
    messages: Pin<Box<dyn Stream<Item = anyhow::Result<Message>> + Send>>,
}

impl EventStream {
    pub(crate) fn new(answer: reqwest::Response) -> Self {
        let messages = answer.bytes_stream().eventsource().map(|message| {
            let message = message?;
            Ok(Message { id: message.id, event: message.event, data: message.data })
        });
        Self { messages: Box::pin(messages) }
    }

    /// The next message; none when the connection ended.
    pub(crate) async fn next(&mut self) -> Option<anyhow::Result<Message>> {
        self.messages.next().await
    }
}
