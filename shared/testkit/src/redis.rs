//! A Redis of a test's own.

use millrace_config::Places;
use millrace_local::{RedisServer, ServerOptions};
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
        let mut redis = redis::Client::open(self.url())?.get_multiplexed_async_connection().await?;
        Ok(redis::cmd("FLUSHALL").exec_async(&mut redis).await?)
    }

    /// The server itself, to be killed and restarted.
    pub fn server(&mut self) -> &mut RedisServer {
        &mut self.server
    }
}
