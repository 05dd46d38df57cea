//! The private Redis and Postgres of one data folder: started together, restarted when they die, stopped last.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use millrace_config::{Loaded, SecretUrl};
use millrace_local::{LocalError, PostgresServer, RedisServer, ServerOptions};
use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind, backoff};
use tokio::sync::Mutex;

const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// Failures to restart in a row after which it is given up, and `up` with it.
const MAX_FAILURES: usize = 10;

/// The servers this process is in charge of. None of a kind where a URL was given.
pub(crate) struct Servers {
    redis: Option<Arc<Mutex<RedisServer>>>,
    postgres: Option<Arc<Mutex<PostgresServer>>>,
    addresses: Addresses,
}

/// Where Redis and Postgres are for people and their programs: by their ports. They hold passwords.
#[derive(Clone)]
pub(crate) struct Addresses {
    pub(crate) redis: String,
    /// That of a private Redis.
    pub(crate) redis_socket: Option<String>,
    pub(crate) database: String,
}

impl Servers {
    /// Whether there is a private database in `data_dir`, or at least the beginning of one.
    pub(crate) fn has_database(data_dir: &Path) -> bool {
        postgres_dir(data_dir).exists()
    }

    /// Starts or adopts what `loaded` names no URL for, and writes the URLs into its settings: those by their sockets, where they have
    /// any, since nearly all of their users are ours.
    pub(crate) async fn start(data_dir: &Path, loaded: &mut Loaded) -> anyhow::Result<Self> {
        let options = ServerOptions::durable(loaded.places.clone());
        let (redis_dir, postgres_dir) = (data_dir.join("redis"), postgres_dir(data_dir));
        let redis = async {
            match loaded.is_set("redis.url") {
                true => Ok(None),
                false => RedisServer::start(&redis_dir, &options).await.map(Some),
            }
        };
        let postgres = async {
            match loaded.is_set("database.url") {
                true => Ok(None),
                false => PostgresServer::start(&postgres_dir, &options).await.map(Some),
            }
        };
        let (redis, postgres) = tokio::join!(redis, postgres);
        let (redis, postgres) = (redis?, postgres?);
        let url = |text: String| text.parse::<SecretUrl>().context("a private server's URL");
        let mut addresses = Addresses {
            redis: loaded.settings.redis.url.expose().to_owned(),
            redis_socket: redis.as_ref().and_then(RedisServer::socket_url),
            database: loaded.settings.database.url.expose().to_owned(),
        };
        if let Some(redis) = &redis {
            addresses.redis = redis.url();
            let nearest = addresses.redis_socket.clone();
            loaded.settings.redis.url = url(nearest.unwrap_or_else(|| redis.url()))?;
        }
        if let Some(postgres) = &postgres {
            addresses.database = postgres.url();
            loaded.settings.database.url = url(postgres.socket_url().unwrap_or_else(|| postgres.url()))?;
        }
        let shared = |server| Arc::new(Mutex::new(server));
        let postgres = postgres.map(|server| Arc::new(Mutex::new(server)));
        Ok(Self { redis: redis.map(shared), postgres, addresses })
    }

    /// Where they are, those that a URL was given for included.
    pub(crate) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Restarts a server that dies, on the port it had.
    pub(crate) fn watch(&self, supervisor: &Supervisor) {
        if let Some(redis) = self.redis.clone() {
            let kind = TaskKind::new("redis-watch", OnError::Stop, OnCancel::Abort);
            supervisor.spawn(kind, watch(redis, "Redis"));
        }
        if let Some(postgres) = self.postgres.clone() {
            let kind = TaskKind::new("postgres-watch", OnError::Stop, OnCancel::Abort);
            supervisor.spawn(kind, watch(postgres, "Postgres"));
        }
    }

    /// Stops them; nothing may use them any more. Those that take longer than `deadline` are killed.
    pub(crate) async fn stop(self, deadline: Duration) {
        // The watches are gone by now, so these are the last owners.
        let redis = self.redis.and_then(Arc::into_inner).map(|server| server.into_inner().stop(deadline));
        let postgres =
            self.postgres.and_then(Arc::into_inner).map(|server| server.into_inner().stop(deadline));
        let redis = async {
            if let Some(stop) = redis {
                stop.await
            }
        };
        let postgres = async {
            if let Some(stop) = postgres {
                stop.await
            }
        };
        tokio::join!(redis, postgres);
    }
}

fn postgres_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres")
}

/// What the watch needs of a server.
trait Restartable: Send {
    fn url(&self) -> String;
    fn ended(&self) -> impl Future<Output = ()> + Send + use<Self>;
    fn restart(&mut self) -> impl Future<Output = Result<(), LocalError>> + Send;
}

impl Restartable for RedisServer {
    fn url(&self) -> String {
        self.url()
    }

    fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.ended()
    }

    fn restart(&mut self) -> impl Future<Output = Result<(), LocalError>> + Send {
        self.restart()
    }
}

impl Restartable for PostgresServer {
    fn url(&self) -> String {
        self.url()
    }

    fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.ended()
    }

    fn restart(&mut self) -> impl Future<Output = Result<(), LocalError>> + Send {
        self.restart()
    }
}

async fn watch<S: Restartable>(server: Arc<Mutex<S>>, name: &'static str) -> anyhow::Result<()> {
    loop {
        let (ended, url) = {
            let server = server.lock().await;
            (server.ended(), server.url())
        };
        ended.await;
        tracing::warn!(server = name, "a private server died; starting it again");
        let mut pauses = backoff(MIN_PAUSE, MAX_PAUSE);
        let mut failures = 0;
        while let Err(fault) = server.lock().await.restart().await {
            failures += 1;
            anyhow::ensure!(failures < MAX_FAILURES, "{name} does not start any more: {fault}");
            tracing::error!(server = name, error = %fault, "a private server did not start; trying again");
            tokio::time::sleep(pauses.next().unwrap_or(MAX_PAUSE)).await;
        }
        // Everybody holds the URL of before.
        let unchanged = server.lock().await.url() == url;
        anyhow::ensure!(unchanged, "the port of {name} was taken by another program while it was down");
    }
}
