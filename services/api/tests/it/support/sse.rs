//! A client of an event stream.

use std::pin::Pin;

use anyhow::Context;
use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures::{Stream, StreamExt};
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use super::DEADLINE;

type Events = Pin<Box<dyn Stream<Item = Result<Event, EventStreamError<reqwest::Error>>> + Send>>;

pub(crate) struct Follower {
    pub(crate) headers: HeaderMap,
    events: Events,
}

/// What a message of the stream says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) event: String,
    /// The last id that was given, as EventSource keeps it.
    pub(crate) id: String,
    pub(crate) data: Value,
    pub(crate) text: String,
}

impl Follower {
    pub(crate) async fn open(request: RequestBuilder) -> anyhow::Result<Self> {
        Self::of(request.send().await?).await
    }

    pub(crate) async fn of(response: Response) -> anyhow::Result<Self> {
        anyhow::ensure!(response.status() == 200, "{}: {}", response.status(), response.text().await?);
        let headers = response.headers().clone();
        Ok(Self { headers, events: Box::pin(response.bytes_stream().eventsource()) })
    }

    /// The next message; none when the server has closed.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Told>> {
        let next = tokio::time::timeout(DEADLINE, self.events.next()).await.context("nothing was told")?;
        let Some(event) = next.transpose()? else { return Ok(None) };
        let data = serde_json::from_str(&event.data)?;
        Ok(Some(Told { event: event.event, id: event.id, data, text: event.data }))
    }

    /// The next message, which must be of this name.
    pub(crate) async fn expect(&mut self, name: &str) -> anyhow::Result<Told> {
        let told = self.next().await?.with_context(|| format!("closed before {name}"))?;
        anyhow::ensure!(told.event == name, "{told:?} came where {name} was due");
        Ok(told)
    }

    /// All that is left, as `name@id`, until the server closes.
    pub(crate) async fn rest(&mut self) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        while let Some(told) = self.next().await? {
            names.push(format!("{}@{}", told.event, told.id));
        }
        Ok(names)
    }
}
