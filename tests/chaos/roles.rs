//! One process per role, so that one of them can die alone.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use millrace_testkit::{TestPostgres, TestRedis, eventually, test_folder};
use tempfile::TempDir;

use crate::client::Client;

const READY_DEADLINE: Duration = Duration::from_secs(60);

/// Servers, and where the roles find each other.
pub(crate) struct Site {
    pub(crate) redis: TestRedis,
    pub(crate) postgres: TestPostgres,
    folder: TempDir,
    listen: SocketAddr,
}

/// A role that runs; dropping it kills it.
pub(crate) struct Role(Child);

impl Site {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::with(TestPostgres::start().await?).await
    }

    /// One whose Postgres may be killed.
    pub(crate) async fn with_a_postgres_of_its_own() -> anyhow::Result<Self> {
        Self::with(TestPostgres::start_alone().await?).await
    }

    async fn with(postgres: TestPostgres) -> anyhow::Result<Self> {
        let site = Self {
            redis: TestRedis::start().await?,
            postgres,
            folder: test_folder()?,
            listen: free_address()?,
        };
        let migrated = site.command(&["migrate"]).status()?;
        anyhow::ensure!(migrated.success(), "migrate: {migrated}");
        Ok(site)
    }

    /// A client of an api that has come up.
    pub(crate) async fn client(&self) -> anyhow::Result<Client> {
        let client = Client::new(&format!("http://{}", self.listen));
        eventually(READY_DEADLINE, "the api is ready", async || {
            let answer = client.get("/blocks").await;
            anyhow::Ok(answer.ok().filter(|answer| answer.status().is_success()).map(drop))
        })
        .await?;
        Ok(client)
    }

    pub(crate) fn api(&self) -> anyhow::Result<Role> {
        self.spawn(&["api", "--listen", &self.listen.to_string()])
    }

    pub(crate) fn orchestrator(&self) -> anyhow::Result<Role> {
        self.spawn(&["orchestrator"])
    }

    pub(crate) fn writer(&self) -> anyhow::Result<Role> {
        self.spawn(&["writer"])
    }

    pub(crate) fn worker(&self) -> anyhow::Result<Role> {
        self.spawn(&["worker"])
    }

    /// Where the api listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listen
    }

    fn spawn(&self, arguments: &[&str]) -> anyhow::Result<Role> {
        let role = self.command(arguments).spawn().with_context(|| format!("start {arguments:?}"))?;
        Ok(Role(role))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("REDIS_URL", self.redis.url())
            .env("DATABASE_URL", self.postgres.url())
            .env("MILLRACE__BLOBS__URL", self.folder.path().join("blobs"))
            .env("MILLRACE__MODELS__DIR", root().join("models"))
            .env(
                "MILLRACE__TELEMETRY__LOG",
                std::env::var("MILLRACE_CHAOS_LOG").unwrap_or_else(|_| "error".to_owned()),
            )
            .stdout(Stdio::null());
        if let Ok(library) = millrace_testkit::ort_library() {
            command.env("ORT_DYLIB_PATH", library);
        }
        command
    }
}

impl Role {
    /// Memory of its own, bytes: without what it shares with the disk, such as its code.
    pub(crate) fn memory_bytes(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("no RssAnon")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }

    /// kill -9, and the wait for the end.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let reaped = self.0.kill().and_then(|()| self.0.wait());
        assert!(reaped.is_ok() || std::thread::panicking(), "role {} could not be reaped", self.0.id());
    }
}

/// An address that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The root of the repository: tests run in the folder of their package.
pub(crate) fn root() -> PathBuf {
    std::path::absolute("../..").expect("there is a working folder")
}
