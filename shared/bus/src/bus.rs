//! The handle every role holds: one multiplexed connection that reconnects by itself, and the key layout.

use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_contracts::{ExecutionId, Partition, UnixMillis};
use redis::aio::ConnectionManager;
use redis::{Client, Value};

use crate::keys::Keys;
use crate::{BusError, BusSettings, connection, reply, tls};

/// The bus. Cheap to clone; all clones share one connection for commands.
#[derive(Clone)]
pub struct Bus(Arc<Shared>);

struct Shared {
    keys: Keys,
    partitions: u16,
    region: Option<String>,
    client: Client,
    commands: ConnectionManager,
}

impl Bus {
    /// Connects and loads the scripts.
    ///
    /// # Errors
    /// Settings that cannot work, or a Redis that does not answer.
    pub async fn connect(settings: BusSettings) -> Result<Self, BusError> {
        settings.check()?;
        let client = connection::client(&settings.url, &settings.tls)?;
        tls::check_trust(&client).await?;
        let commands = connection::manager(client.clone()).await?;
        let bus = Self(Arc::new(Shared {
            keys: Keys::new(&settings.prefix),
            partitions: settings.partitions,
            region: settings.region,
            client,
            commands,
        }));
        bus.load_scripts().await?;
        Ok(bus)
    }

    /// One attempt to connect, without staying: says at once what is wrong, where [`Bus::connect`] goes on trying for some
    /// seconds.
    ///
    /// # Errors
    /// Settings that cannot work, or a Redis that does not answer.
    pub async fn reach(settings: &BusSettings) -> Result<(), BusError> {
        settings.check()?;
        let client = connection::client(&settings.url, &settings.tls)?;
        connection::once(&client).await.map_err(|source| BusError::Connect { source })
    }

    /// The same bus over a command connection of its own, driven by the runtime that calls this: for work that must not
    /// wait behind anything else the process does, such as keeping claims.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn own_connection(&self) -> Result<Self, BusError> {
        let client = self.0.client.clone();
        let commands = connection::manager(client.clone()).await?;
        let (keys, partitions, region) = (self.0.keys.clone(), self.0.partitions, self.0.region.clone());
        Ok(Self(Arc::new(Shared { keys, partitions, region, client, commands })))
    }

    /// How many shards the executions are spread over.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.0.partitions
    }

    /// The region it serves, where there are several: runs that are accepted here carry it.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.0.region.clone()
    }

    /// Every shard.
    pub fn all_partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.0.partitions).map(Partition)
    }

    /// The shard `run` lives on.
    #[must_use]
    pub fn partition_of(&self, run: ExecutionId) -> Partition {
        run.partition(self.0.partitions)
    }

    /// The time of one round trip.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn ping(&self) -> Result<Duration, BusError> {
        let begun = Instant::now();
        self.send("answer a ping", vec![redis::cmd("PING")]).await?;
        Ok(begun.elapsed())
    }

    /// What time it is there.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn time(&self) -> Result<UnixMillis, BusError> {
        let what = "tell the time";
        let told = self.send(what, vec![redis::cmd("TIME")]).await?.pop().unwrap_or(Value::Nil);
        let [seconds, micros] = reply::tuple(what, told)?;
        let (seconds, micros) = (reply::integer(what, seconds)?, reply::integer(what, micros)?);
        Ok(UnixMillis(seconds.saturating_mul(1000).saturating_add(micros / 1000)))
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) fn commands(&self) -> ConnectionManager {
        self.0.commands.clone()
    }
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").field("partitions", &self.0.partitions).finish_non_exhaustive()
    }
}
