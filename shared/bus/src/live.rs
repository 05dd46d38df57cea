//! The live view: one subscription connection, an endless stream of what is published. It reconnects by itself and then
//! says so, for what was published in between is in the logs and not here.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use redis::aio::MultiplexedConnection;
use redis::{Client, PushInfo, PushKind, RedisError, Value};
use tokio::sync::mpsc;

use crate::connection::{self, BACKOFF_MAX, BACKOFF_MIN, RESPONSE_TIMEOUT};
use crate::{Bus, BusError};

/// Messages held for a consumer that is behind; beyond, they are dropped and it is told to look at the logs.
const BACKLOG: usize = 16_384;
/// A subscription that has been silent so long is probed.
const PROBE_AFTER: Duration = Duration::from_secs(10);

/// A message of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveEvent {
    /// `workflow:node:completed` and the like; [`millrace_contracts::EventType::from_channel`] reads it.
    pub channel: String,
    /// The envelope's JSON, as it was written.
    pub payload: String,
}

/// What a [`LiveFeed`] yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveItem {
    /// A message.
    Event(LiveEvent),
    /// Messages may have been missed: the connection was lost and is there again, or the consumer was too slow. Read
    /// the logs from where you stand.
    Reconnected,
}

/// An endless stream of live messages. Dropping it closes its connection.
pub struct LiveFeed(Pin<Box<dyn Stream<Item = LiveItem> + Send>>);

impl Stream for LiveFeed {
    type Item = LiveItem;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<LiveItem>> {
        self.0.as_mut().poll_next(context)
    }
}

impl Bus {
    /// Subscribes to channel patterns such as `workflow:*`; whatever is published after this has returned arrives.
    ///
    /// # Errors
    /// Redis could not be reached. Later losses are repaired by the feed itself.
    pub async fn subscribe(&self, patterns: &[&str]) -> Result<LiveFeed, BusError> {
        let mut feed = self.closed_feed(patterns);
        feed.subscription = Some(feed.open().await.map_err(|source| BusError::Connect { source })?);
        Ok(feed.live())
    }

    /// [`Self::subscribe`], however long Redis takes to be there.
    pub async fn subscribe_patiently(&self, patterns: &[&str]) -> LiveFeed {
        let mut feed = self.closed_feed(patterns);
        match feed.open().await {
            Ok(subscription) => feed.subscription = Some(subscription),
            Err(error) => {
                tracing::warn!(%error, ?patterns, "the live subscription cannot be had yet; trying on");
                feed.reopen().await;
            }
        }
        feed.live()
    }

    fn closed_feed(&self, patterns: &[&str]) -> Feed {
        let patterns = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        Feed { client: self.client().clone(), patterns, subscription: None, pause: BACKOFF_MIN }
    }
}

struct Feed {
    client: Client,
    patterns: Vec<String>,
    subscription: Option<Subscription>,
    pause: Duration,
}

struct Subscription {
    connection: MultiplexedConnection,
    messages: mpsc::Receiver<PushInfo>,
    overflowed: Arc<AtomicBool>,
}

impl Feed {
    fn live(self) -> LiveFeed {
        let items = futures::stream::unfold(self, |mut feed| async move {
            let item = feed.next().await;
            Some((item, feed))
        });
        LiveFeed(Box::pin(items))
    }

    async fn next(&mut self) -> LiveItem {
        loop {
            let Some(subscription) = &mut self.subscription else {
                self.reopen().await;
                return LiveItem::Reconnected;
            };
            if subscription.overflowed.swap(false, Ordering::AcqRel) {
                metrics::counter!("millrace_bus_live_overflows_total").increment(1);
                tracing::warn!(backlog = BACKLOG, "live messages were dropped for a consumer that is behind");
                return LiveItem::Reconnected;
            }
            match tokio::time::timeout(PROBE_AFTER, subscription.messages.recv()).await {
                Ok(Some(push)) if push.kind == PushKind::Disconnection => self.lost("closed by the server"),
                Ok(Some(push)) => {
                    if let Some(event) = live_event(push) {
                        return LiveItem::Event(event);
                    }
                }
                Ok(None) => self.lost("closed"),
                Err(_) => {
                    if !subscription.answers().await {
                        self.lost("silent");
                    }
                }
            }
        }
    }

    fn lost(&mut self, how: &str) {
        metrics::counter!("millrace_bus_reconnects_total", "connection" => "live").increment(1);
        tracing::warn!(how, "the live subscription was lost; reconnecting");
        self.subscription = None;
    }

    async fn reopen(&mut self) {
        loop {
            match self.open().await {
                Ok(subscription) => {
                    self.subscription = Some(subscription);
                    self.pause = BACKOFF_MIN;
                    return;
                }
                Err(error) => {
                    tracing::debug!(%error, "the live subscription cannot be had yet");
                    tokio::time::sleep(self.pause).await;
                    self.pause = (self.pause * 2).min(BACKOFF_MAX);
                }
            }
        }
    }

    async fn open(&self) -> Result<Subscription, RedisError> {
        let (sender, messages) = mpsc::channel(BACKLOG);
        let overflowed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&overflowed);
        let forward = move |push: PushInfo| {
            // The connection must not wait for its consumer; what finds no room is dropped, and that is told.
            sender.try_send(push).inspect_err(|_| flag.store(true, Ordering::Release))
        };
        let mut connection = connection::dedicated(&self.client, Some(forward)).await?;
        connection.set_response_timeout(RESPONSE_TIMEOUT);
        for pattern in &self.patterns {
            connection.psubscribe(pattern).await?;
        }
        Ok(Subscription { connection, messages, overflowed })
    }
}

impl Subscription {
    async fn answers(&mut self) -> bool {
        redis::cmd("PING").exec_async(&mut self.connection).await.is_ok()
    }
}

/// The message in a push of `[pattern, channel, payload]`; other pushes, such as confirmations, are none.
fn live_event(push: PushInfo) -> Option<LiveEvent> {
    if push.kind != PushKind::PMessage {
        return None;
    }
    let [_, channel, payload] = <[Value; 3]>::try_from(push.data).ok()?;
    let text = |value| match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    };
    Some(LiveEvent { channel: text(channel)?, payload: text(payload)? })
}
