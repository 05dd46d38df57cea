//! `millrace up` as a child process, on servers of the test's own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use millrace_testkit::{TestPostgres, TestRedis, test_folder};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::Client;

/// The longest an orderly end may take (the promise is ten seconds).
pub(crate) const STOP_DEADLINE: Duration = Duration::from_secs(10);
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// A running Millrace.
pub(crate) struct Stack {
    process: Process,
    pub(crate) api: String,
    pub(crate) servers: Servers,
}

/// What outlives a restart of Millrace: its servers and its data folder.
pub(crate) struct Servers {
    pub(crate) redis: TestRedis,
    pub(crate) postgres: TestPostgres,
    folder: TempDir,
}

impl Servers {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Ok(Self {
            redis: TestRedis::start().await?,
            postgres: TestPostgres::start().await?,
            folder: test_folder()?,
        })
    }
}

impl Stack {
    /// A Millrace with empty servers.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::on(Servers::start().await?)
    }

    /// A Millrace on these servers, ready to serve.
    pub(crate) fn on(servers: Servers) -> anyhow::Result<Self> {
        Self::with(servers, &[])
    }

    /// The same with settings, as variables of its environment.
    pub(crate) fn with(servers: Servers, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let models = root().join("models").display().to_string();
        Self::with_models(servers, &models, settings)
    }

    /// The same with its models elsewhere.
    pub(crate) fn with_models(
        servers: Servers,
        models: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let child = Command::new(env!("CARGO_BIN_EXE_millrace"))
            .args(["up", "--listen", "127.0.0.1:0", "--workers", "1"])
            .arg("--data-dir")
            .arg(servers.folder.path())
            .args(["--models", models])
            .args(["--redis-url", &servers.redis.url(), "--database-url", &servers.postgres.url()])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .context("start millrace up")?;
        let mut process = Process(child);
        let api = ready_line(&mut process.0)?;
        Ok(Self { process, api, servers })
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.api)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Ctrl-C, and the wait for the end; says how long it took. The servers stay for the next start.
    pub(crate) fn interrupt(mut self) -> anyhow::Result<(Duration, Servers)> {
        let begun = Instant::now();
        signal(&self.process.0, Signal::SIGINT)?;
        let patience = STOP_DEADLINE + Duration::from_secs(5);
        anyhow::ensure!(wait(&mut self.process.0, patience)?, "millrace did not stop");
        Ok((begun.elapsed(), self.servers))
    }

    /// kill -9, as the machine might.
    pub(crate) fn kill(mut self) -> anyhow::Result<Servers> {
        self.process.0.kill()?;
        self.process.0.wait()?;
        Ok(self.servers)
    }
}

/// A millrace that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // In order: asking lets it end its workers; a test that failed must not leave them behind.
        if signal(&self.0, Signal::SIGTERM).is_ok() && wait(&mut self.0, STOP_DEADLINE).unwrap_or(false) {
            return;
        }
        let reaped = self.0.kill().and_then(|()| self.0.wait());
        assert!(reaped.is_ok() || std::thread::panicking(), "millrace {} could not be reaped", self.0.id());
    }
}

fn signal(process: &Child, signal: Signal) -> anyhow::Result<()> {
    let pid = Pid::from_raw(i32::try_from(process.id())?);
    kill(pid, signal).context("signal millrace")
}

fn wait(process: &mut Child, deadline: Duration) -> anyhow::Result<bool> {
    let end = Instant::now() + deadline;
    while Instant::now() < end {
        if process.try_wait()?.is_some() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(false)
}

fn ready_line(process: &mut Child) -> anyhow::Result<String> {
    let stdout = process.stdout.take().context("millrace has no stdout")?;
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(url) = line.trim().strip_prefix("ready on ")
                && sender.send(url.to_owned()).is_err()
            {
                return;
            }
        }
    });
    receiver.recv_timeout(READY_DEADLINE).context("millrace did not get ready")
}

/// The root of the repository: tests run in the folder of their package.
pub(crate) fn root() -> PathBuf {
    std::path::absolute("../..").expect("there is a working folder")
}
