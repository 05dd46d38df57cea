//! The workers of `millrace up`: child processes, restarted with back-off when they die.
//!
//! Rule: a worker ends when we do, however we do (`roles::supervised`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use millrace_config::{LoadArgs, Loaded, Secret, Settings};
use millrace_store::KeySecret;
use millrace_tasks::{CancellationToken, OnCancel, OnError, Supervisor, TaskKind, backoff};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::roles::{self, NO_FILE};

const MIN_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(10);
/// A worker that lived so long was healthy: the next pause is short again.
const HEALTHY: Duration = Duration::from_secs(30);

/// What workers of `up` have that others have not, where it is not set: each tells how it fares at a port of its own, which
/// `millrace workers list` shows, and the `count` of them share the machine's cores.
pub(crate) fn settle(loaded: &mut Loaded, count: usize) {
    if !loaded.is_set("worker.health_listen") {
        loaded.settings.worker.health_listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    }
    if !loaded.is_set("worker.processes") {
        loaded.settings.worker.processes = count.max(1);
    }
}

/// The settings of workers beside the api at `api`: they search its collections, showing `key`, unless the operator has named
/// another api.
pub(crate) fn settings(settings: &Settings, api: SocketAddr, key: &KeySecret) -> Settings {
    let mut settings = settings.clone();
    if settings.io.collections_url.is_none() {
        let here = match api.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            named => named,
        };
        settings.io.collections_url = Some(format!("http://{}", SocketAddr::new(here, api.port())));
        settings.io.collections_key = Some(Secret::new(key.expose().to_owned()));
    }
    settings
}

/// How workers are started.
#[derive(Clone)]
pub(crate) struct WorkerPlan {
    program: PathBuf,
    /// Holds passwords: for the children's environment only.
    environment: Vec<(String, String)>,
    /// How long a worker may drain before it is killed.
    deadline: Duration,
}

impl WorkerPlan {
    /// Workers of this very program with these settings.
    pub(crate) fn new(settings: &Settings, deadline: Duration) -> anyhow::Result<Self> {
        Ok(Self { program: roles::this_program()?, environment: settings.to_environment(), deadline })
    }

    /// Keeps `count` workers running until the supervisor is told to stop.
    pub(crate) fn spawn(&self, supervisor: &Supervisor, count: usize) {
        for number in 0..count {
            let kind = TaskKind::new("worker-process", OnError::Stop, OnCancel::Wait);
            supervisor.spawn(kind, keep(self.clone(), number, supervisor.token()));
        }
    }

    fn command(&self) -> Command {
        let mut command = roles::supervised(&self.program, "worker", Some(NO_FILE.as_ref()));
        // What we were told by the environment is in the settings already, as what a file said is, and flags win over both.
        for name in LoadArgs::variables_of_process() {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.kill_on_drop(true);
        command
    }
}

async fn keep(plan: WorkerPlan, number: usize, stop: CancellationToken) -> anyhow::Result<()> {
    let mut pauses = backoff(MIN_PAUSE, MAX_PAUSE);
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let Some(status) = live(&plan, number, &stop).await? else { return Ok(()) };
        if begun.elapsed() > HEALTHY {
            pauses = backoff(MIN_PAUSE, MAX_PAUSE);
        }
        let pause = pauses.next().unwrap_or(MAX_PAUSE);
        tracing::warn!(worker.number = number, %status, pause_ms = pause.as_millis(), "a worker died; starting another");
        stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
    Ok(())
}

/// The life of one worker process; how it died, or none when it ended as it should and no other is wanted.
async fn live(
    plan: &WorkerPlan,
    number: usize,
    stop: &CancellationToken,
) -> anyhow::Result<Option<ExitStatus>> {
    let mut child = plan.command().spawn().context("cannot start a worker")?;
    // Taken out, because waiting for a child closes what is left in it.
    let lifeline = child.stdin.take();
    tracing::debug!(worker.number = number, process.pid = child.id(), "a worker process was started");
    let ended = tokio::select! {
        status = child.wait() => Some(status.context("cannot wait for a worker")?),
        () = stop.cancelled() => None,
    };
    match ended {
        None => drain(&mut child, plan.deadline).await,
        Some(status) if status.success() => {
            tracing::info!(
                worker.number = number,
                "a worker was drained; it stays away until the next start"
            );
        }
        Some(_) => {}
    }
    drop(lifeline);
    Ok(ended.filter(|status| !status.success()))
}

async fn drain(child: &mut Child, deadline: Duration) {
    ask_to_end(child);
    if tokio::time::timeout(deadline, child.wait()).await.is_ok() {
        return;
    }
    tracing::warn!(deadline_ms = deadline.as_millis(), "killed a worker that did not drain in time");
    if let Err(fault) = child.kill().await {
        tracing::warn!(error = %fault, "could not kill a worker");
    }
}

fn ask_to_end(child: &Child) {
    let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) else { return };
    if let Err(fault) = kill(Pid::from_raw(pid), Signal::SIGTERM) {
        tracing::debug!(error = %fault, "could not ask a worker to end; it has ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(count: usize, flags: &[(&str, &str)]) -> millrace_config::Worker {
        let flags = flags.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let mut loaded = Settings::load(&LoadArgs { flags, ..LoadArgs::default() }).unwrap();
        settle(&mut loaded, count);
        let environment = loaded.settings.to_environment().into_iter().collect();
        Settings::load(&LoadArgs { environment, ..LoadArgs::default() }).unwrap().settings.worker
    }

    #[test]
    fn workers_are_told_where_to_say_how_they_fare_and_among_how_many_they_are() {
        let told = |worker: millrace_config::Worker| {
            (worker.health_listen.map(|listen| listen.to_string()), worker.processes)
        };
        assert_eq!(told(settled(3, &[])), (Some("127.0.0.1:0".to_owned()), 3));
        assert_eq!(settled(0, &[]).processes, 1);
        let flags = [("worker.health_listen", "0.0.0.0:9090"), ("worker.processes", "8")];
        assert_eq!(told(settled(1, &flags)), (Some("0.0.0.0:9090".to_owned()), 8));
    }
}
