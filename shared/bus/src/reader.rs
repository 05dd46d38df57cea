//! Blocking reads of a consumer group, on a connection of their own. A read that is dropped half-way goes on in the
//! background and the next read answers what it brought: nothing that Redis handed out is forgotten. Lost connections
//! and lost groups are repaired inside [`GroupReader::read`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, PushInfo, PushKind, RedisError, Value};
use sync_wrapper::SyncFuture;
use tokio::sync::Notify;

use crate::connection::{self, RESPONSE_TIMEOUT};
use crate::error::{group_is_gone, may_pass};
use crate::outage::Outage;
use crate::queues::Callers;
use crate::reply::{self, RawEntry};
use crate::{Bus, BusError};

/// How often to repeat `CLIENT UNBLOCK` until the blocked read has ended.
const UNBLOCK_RETRY: Duration = Duration::from_millis(5);

/// `Sync`, so that a reader may be borrowed while its owner awaits something else.
type Answer = Pin<Box<dyn Future<Output = Result<Value, RedisError>> + Send + Sync>>;

/// Entries by the stream they stand in.
pub(crate) type ByStream = Vec<(String, Vec<RawEntry>)>;

/// Who reads what.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// For errors and logs: "an inbox".
    pub(crate) what: &'static str,
    pub(crate) group: &'static str,
    pub(crate) consumer: String,
    /// A channel whose messages ring [`GroupReader::bell`].
    pub(crate) bell_channel: Option<String>,
    /// A channel whose messages are flows that call, and who listens.
    pub(crate) callers: Option<(String, Arc<Callers>)>,
}

/// A consumer of a group.
pub(crate) struct GroupReader {
    bus: Bus,
    reading: Reading,
    bell: Arc<Notify>,
    connection: Option<Connected>,
    in_flight: Option<Answer>,
    outage: Outage,
}

struct Connected {
    connection: MultiplexedConnection,
    client_id: i64,
}

impl GroupReader {
    pub(crate) async fn connect(bus: Bus, reading: Reading) -> Result<Self, BusError> {
        let outage = Outage::new(reading.what);
        let mut reader =
            Self { bus, reading, bell: Arc::new(Notify::new()), connection: None, in_flight: None, outage };
        reader.connected().await.map_err(|source| BusError::Connect { source })?;
        Ok(reader)
    }

    pub(crate) fn consumer(&self) -> &str {
        &self.reading.consumer
    }

    pub(crate) fn group(&self) -> &'static str {
        self.reading.group
    }

    /// Rings when the bell channel spoke, and after a reconnection, when it may have spoken unheard.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// New entries of `streams`, at most `count` from each; waits up to `block` for the first, also where there is no
    /// stream to wait for. Cancel-safe.
    pub(crate) async fn read(
        &mut self,
        streams: &[String],
        count: usize,
        block: Duration,
    ) -> Result<ByStream, BusError> {
        loop {
            if let Some(found) = self.read_once(streams, count, block).await? {
                return Ok(found);
            }
            match self.bus.create_groups(self.reading.group, streams).await {
                Err(BusError::Redis { source, .. }) if may_pass(&source) => {
                    self.outage.endure(source).await?
                }
                created => created?,
            }
        }
    }

    /// As [`GroupReader::read`]; none when a stream or its group is gone, which the caller mends.
    pub(crate) async fn read_once(
        &mut self,
        streams: &[String],
        count: usize,
        block: Duration,
    ) -> Result<Option<ByStream>, BusError> {
        if streams.is_empty() && self.in_flight.is_none() {
            tokio::time::sleep(block).await;
            return Ok(Some(Vec::new()));
        }
        loop {
            match self.attempt(streams, count, block).await {
                Ok(reply) => {
                    self.outage.over();
                    return reply
                        .map_or(Ok(Vec::new()), |reply| by_stream(self.reading.what, reply))
                        .map(Some);
                }
                Err(error) if group_is_gone(&error) => return Ok(None),
                Err(error) if may_pass(&error) || error.is_unrecoverable_error() => {
                    self.connection = None;
                    self.outage.endure(error).await?;
                }
                Err(source) => return Err(BusError::Redis { what: self.reading.what, source }),
            }
        }
    }

    /// Notes that the other commands of the read go through.
    pub(crate) fn recovered(&mut self) {
        self.outage.over();
    }

    /// Pauses after a failure of another command that belongs to the read.
    pub(crate) async fn endure(&mut self, error: RedisError) -> Result<(), BusError> {
        self.outage.endure(error).await
    }

    /// Ends a read that is still waiting, and answers what it brought; none as in [`GroupReader::read_once`].
    pub(crate) async fn settle(&mut self) -> Result<Option<ByStream>, BusError> {
        while self.in_flight.is_some() {
            if let Some(connected) = &self.connection {
                let mut unblock = redis::cmd("CLIENT");
                unblock.arg("UNBLOCK").arg(connected.client_id).arg("TIMEOUT");
                // A hint: where it is refused, the read ends at its own time.
                if let Err(error) = self.bus.send("unblock a reader", vec![unblock]).await {
                    tracing::debug!(%error, "CLIENT UNBLOCK failed; the read ends at its own time");
                }
            }
            if let Ok(result) = tokio::time::timeout(UNBLOCK_RETRY, self.answer()).await {
                return match result {
                    Ok(reply) => by_stream(self.reading.what, reply).map(Some),
                    Err(error) if group_is_gone(&error) => Ok(None),
                    // The next read meets the fault again and repairs it.
                    Err(_) => {
                        self.connection = None;
                        Ok(Some(Vec::new()))
                    }
                };
            }
        }
        Ok(Some(Vec::new()))
    }

    /// None when an earlier call's read, which may block for longer than this one is to, brought nothing in time.
    async fn attempt(
        &mut self,
        streams: &[String],
        count: usize,
        block: Duration,
    ) -> Result<Option<Value>, RedisError> {
        if self.in_flight.is_some() {
            return tokio::time::timeout(block, self.answer()).await.ok().transpose();
        }
        let command = read_command(&self.reading, streams, count, block);
        let mut connection = self.connected().await?.clone();
        self.in_flight = Some(Box::pin(SyncFuture::new(async move {
            let limit = block + RESPONSE_TIMEOUT;
            let answered = tokio::time::timeout(limit, connection.send_packed_command(&command)).await;
            let timed_out = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
            answered.map_err(timed_out)??.extract_error()
        })));
        self.answer().await.map(Some)
    }

    /// Waits for the read in flight; dropped, it leaves the read in place.
    async fn answer(&mut self) -> Result<Value, RedisError> {
        let answer = self.in_flight.as_mut().expect("a read is in flight whenever its answer is awaited");
        let result = answer.as_mut().await;
        self.in_flight = None;
        result
    }

    async fn connected(&mut self) -> Result<&MultiplexedConnection, RedisError> {
        if self.connection.is_none() {
            let mut connection = self.open().await?;
            let client_id = redis::cmd("CLIENT").arg("ID").query_async(&mut connection).await?;
            self.connection = Some(Connected { connection, client_id });
            self.bell.notify_one();
        }
        Ok(&self.connection.as_ref().expect("the connection was made above").connection)
    }

    async fn open(&self) -> Result<MultiplexedConnection, RedisError> {
        let Reading { bell_channel, callers, .. } = &self.reading;
        let channels: Vec<String> =
            bell_channel.iter().chain(callers.iter().map(|(channel, _)| channel)).cloned().collect();
        if channels.is_empty() {
            return connection::dedicated(self.bus.client(), None::<fn(PushInfo) -> Result<(), ()>>).await;
        }
        let (bell, callers) = (Arc::clone(&self.bell), callers.clone());
        let listen = move |push: PushInfo| {
            match (message(&push), &callers) {
                (Some((channel, flow)), Some((calls, callers))) if channel == *calls => callers.call(&flow),
                (Some(_), _) => bell.notify_one(),
                (None, _) => {}
            }
            Ok::<(), ()>(())
        };
        let mut connection = connection::dedicated(self.bus.client(), Some(listen)).await?;
        connection.subscribe(&channels).await?;
        Ok(connection)
    }
}

/// Channel and content of a message among the pushes.
fn message(push: &PushInfo) -> Option<(String, String)> {
    if push.kind != PushKind::Message {
        return None;
    }
    let [channel, content] = push.data.as_slice() else { return None };
    let text = |value| redis::from_redis_value_ref::<String>(value).ok();
    Some((text(channel)?, text(content)?))
}

fn read_command(reading: &Reading, streams: &[String], count: usize, block: Duration) -> Cmd {
    let mut command = redis::cmd("XREADGROUP");
    command.arg("GROUP").arg(reading.group).arg(&reading.consumer).arg("COUNT").arg(count.max(1));
    if !block.is_zero() {
        command.arg("BLOCK").arg(crate::lease::milliseconds(block));
    }
    command.arg("STREAMS").arg(streams);
    for _ in streams {
        command.arg(">");
    }
    command
}

fn by_stream(what: &'static str, value: Value) -> Result<ByStream, BusError> {
    let pairs = match value {
        Value::Map(pairs) => pairs,
        other => {
            let streams = reply::array(what, other)?.into_iter();
            streams
                .map(|stream| reply::tuple(what, stream).map(|[key, entries]| (key, entries)))
                .collect::<Result<_, _>>()?
        }
    };
    pairs
        .into_iter()
        .map(|(key, entries)| Ok((reply::text(what, key)?, reply::entries(what, entries)?)))
        .collect()
}

/// How many entries to ask of each of `streams` so that about `max` come in all.
pub(crate) fn share(max: usize, streams: usize) -> usize {
    max.div_ceil(streams.max(1)).max(1)
}

impl Bus {
    /// Creates `group` on each stream, from the very first entry; one that is there already is fine.
    pub(crate) async fn create_groups(
        &self,
        group: &'static str,
        streams: &[String],
    ) -> Result<(), BusError> {
        let what = "create consumer groups";
        let create = |stream: &String| {
            let mut create = redis::cmd("XGROUP");
            create.arg("CREATE").arg(stream).arg(group).arg("0").arg("MKSTREAM");
            create
        };
        let begun = Instant::now();
        for reply in self.exchange(what, streams.iter().map(create).collect()).await? {
            match reply.extract_error() {
                Err(error) if error.code() == Some("BUSYGROUP") => {}
                Err(error) => return Err(BusError::Redis { what, source: error }),
                Ok(_) => {}
            }
        }
        tracing::info!(group, streams = streams.len(), elapsed = ?begun.elapsed(), "created consumer groups");
        Ok(())
    }
}
