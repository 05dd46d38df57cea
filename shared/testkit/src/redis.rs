//! A Redis of a test's own.

use anyhow::Context;
use millrace_config::Places;
use millrace_local::{RedisServer, ServerOptions};
use redis::FromRedisValue;
use tempfile::TempDir;

use crate::test_folder;

/// A fresh, empty Redis. Dropping it kills the server and removes its folder.
#[derive(Debug)]
pub struct TestRedis {
    // Declared before the folder, so that the server is gone before its files are.
    server: RedisServer,
    _folder: TempDir,
}

impl TestRedis {
    /// Starts one.
    ///
    /// # Errors
    /// When redis-server is missing or does not come up.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = test_folder()?;
        let server =
            RedisServer::start(folder.path(), &ServerOptions::for_tests(Places::from_process())).await?;
        Ok(Self { server, _folder: folder })
    }

    /// Where it is, password included.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Forgets everything, as after the loss of its disk.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn flush(&self) -> anyhow::Result<()> {
        self.tell(&["FLUSHALL"]).await
    }

    /// Lets whoever comes listen, and answers no question about what it holds: as one that has just come up and still loads.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn close_its_eyes(&self) -> anyhow::Result<()> {
        self.tell(&["CONFIG", "SET", "replica-serve-stale-data", "no"]).await?;
        // Of a server that nobody is.
        self.tell(&["REPLICAOF", "127.0.0.1", "1"]).await
    }

    /// Answers again.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn open_its_eyes(&self) -> anyhow::Result<()> {
        self.tell(&["REPLICAOF", "NO", "ONE"]).await
    }

    /// A command past everything that knows what it means.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub async fn tell(&self, words: &[&str]) -> anyhow::Result<()> {
        self.ask(words).await
    }

    /// As [`TestRedis::tell`], with its answer.
    ///
    /// # Errors
    /// It does not answer, refuses, or answers something else.
    pub async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> anyhow::Result<T> {
        let (name, arguments) = words.split_first().context("a command has a name")?;
        let mut redis = redis::Client::open(self.url())?.get_multiplexed_async_connection().await?;
        Ok(redis::cmd(name).arg(arguments).query_async(&mut redis).await?)
    }

    /// The server itself, to be killed and restarted.
    pub fn server(&mut self) -> &mut RedisServer {
        &mut self.server
    }
}
