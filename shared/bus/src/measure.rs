//! What this very Redis can do right now: the physical limits that benchmarks stand beside their figures, and the
//! server's own counts. Works under keys of its own and leaves nothing behind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, PushInfo, PushKind, RedisError, Value};
use tokio::sync::mpsc;

use crate::connection::{self, RESPONSE_TIMEOUT, timed_out};
use crate::{Bus, BusError, info};

/// How long a reader is given to block before it is woken.
const SETTLE: Duration = Duration::from_millis(1);
/// A measurement's stream lives no longer, should its process be killed.
const LEFTOVER_SECONDS: u32 = 60;
const GROUP: &str = "measure";

/// The server behind the bus, and what it has done since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerCounters {
    /// Its version.
    pub version: String,
    /// Its process, on the machine it runs on.
    pub process_id: u32,
    /// By command, those inside scripts included.
    pub commands: BTreeMap<String, CommandCount>,
    /// Bytes received.
    pub net_input_bytes: u64,
    /// Bytes sent.
    pub net_output_bytes: u64,
}

/// How often a command was called, and for how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommandCount {
    /// Calls.
    pub calls: u64,
    /// Time inside the server, microseconds. A script's time includes that of the commands it calls.
    pub microseconds: u64,
}

impl Bus {
    /// The server's own counts.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn server_counters(&self) -> Result<ServerCounters, BusError> {
        let mut counters = ServerCounters::default();
        let sections = ["server", "stats", "commandstats"];
        counters.read(&self.info("read the server's counts", &sections).await?);
        Ok(counters)
    }

    /// `rounds` times from before a `PUBLISH` to its arrival at a subscriber.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn measure_publish(&self, rounds: usize) -> Result<Vec<Duration>, BusError> {
        let what = "measure publishing";
        let channel = self.keys().measure("channel");
        let (sender, mut arrivals) = mpsc::channel(16);
        let forward = move |push: PushInfo| {
            let arrived = Instant::now();
            if push.kind == PushKind::Message { sender.try_send(arrived) } else { Ok(()) }
        };
        let mut subscriber =
            connection::dedicated(self.client(), Some(forward)).await.map_err(BusError::redis(what))?;
        subscriber.subscribe(&channel).await.map_err(BusError::redis(what))?;
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&channel).arg("x");
        let mut found = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let begun = Instant::now();
            self.send(what, vec![publish.clone()]).await?;
            let arrived = tokio::time::timeout(RESPONSE_TIMEOUT, arrivals.recv()).await.ok().flatten();
            let arrived = arrived.ok_or_else(|| BusError::redis(what)(timed_out()))?;
            found.push(arrived.saturating_duration_since(begun));
        }
        Ok(found)
    }

    /// `rounds` times from before an `XADD` to its arrival at a reader that blocks in `XREADGROUP`.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn measure_append(&self, rounds: usize) -> Result<Vec<Duration>, BusError> {
        let what = "measure appending";
        let stream = self.keys().measure("stream");
        let create = command("XGROUP", &["CREATE", &stream, GROUP, "$", "MKSTREAM"]);
        let mut expire = command("EXPIRE", &[&stream]);
        expire.arg(LEFTOVER_SECONDS);
        self.send(what, vec![command("DEL", &[&stream]), create, expire]).await?;
        let mut reader = connection::dedicated(self.client(), None::<fn(PushInfo) -> Result<(), ()>>)
            .await
            .map_err(BusError::redis(what))?;
        let mut found = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let (arrived, begun) =
                tokio::join!(blocked_read(&mut reader, &stream), self.append_later(&stream));
            let arrived = arrived.map_err(BusError::redis(what))?;
            found.push(arrived.saturating_duration_since(begun?));
        }
        self.send(what, vec![command("DEL", &[&stream])]).await?;
        Ok(found)
    }

    /// Appends once the reader blocks; answers when it began to.
    async fn append_later(&self, stream: &str) -> Result<Instant, BusError> {
        tokio::time::sleep(SETTLE).await;
        let begun = Instant::now();
        self.send("measure appending", vec![command("XADD", &[stream, "*", "f", "x"])]).await?;
        Ok(begun)
    }
}

async fn blocked_read(reader: &mut MultiplexedConnection, stream: &str) -> Result<Instant, RedisError> {
    let read = command(
        "XREADGROUP",
        &["GROUP", GROUP, GROUP, "COUNT", "1", "BLOCK", "5000", "NOACK", "STREAMS", stream, ">"],
    );
    match reader.req_packed_command(&read).await?.extract_error()? {
        Value::Nil => Err(timed_out()),
        _ => Ok(Instant::now()),
    }
}

fn command(name: &str, arguments: &[&str]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(arguments);
    command
}

impl ServerCounters {
    fn read(&mut self, text: &str) {
        for (name, value) in info::fields(text) {
            let number = || value.parse::<u64>().unwrap_or_default();
            match name {
                "redis_version" => value.clone_into(&mut self.version),
                "process_id" => self.process_id = u32::try_from(number()).unwrap_or_default(),
                "total_net_input_bytes" => self.net_input_bytes = number(),
                "total_net_output_bytes" => self.net_output_bytes = number(),
                _ => {
                    if let Some(command) = name.strip_prefix("cmdstat_") {
                        self.commands.insert(command.to_owned(), command_count(value));
                    }
                }
            }
        }
    }
}

/// Of `calls=3,usec=12,usec_per_call=4.00,…`.
fn command_count(text: &str) -> CommandCount {
    let field = |wanted: &str| {
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        pairs
            .filter(|(name, _)| *name == wanted)
            .find_map(|(_, value)| value.parse().ok())
            .unwrap_or_default()
    };
    CommandCount { calls: field("calls"), microseconds: field("usec") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_what_info_says() {
        let mut counters = ServerCounters::default();
        counters.read("# Server\r\nredis_version:7.0.15\r\nprocess_id:42\r\ntotal_net_input_bytes:7\r\n");
        counters
            .read("cmdstat_xadd:calls=3,usec=12,usec_per_call=4.00\r\ncmdstat_config|get:calls=1,usec=2\r\n");
        assert_eq!((counters.version.as_str(), counters.process_id), ("7.0.15", 42));
        assert_eq!(counters.net_input_bytes, 7);
        assert_eq!(counters.commands["xadd"], CommandCount { calls: 3, microseconds: 12 });
        assert_eq!(counters.commands.len(), 2);
    }
}
