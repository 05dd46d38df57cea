//! A server process, be it our child or one that an earlier process left behind.

use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;

/// How often a process that is not our child is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A running server. Dropping it ends the process unless it was stopped or released.
#[derive(Debug)]
pub(crate) struct Process {
    pid: u32,
    kind: Kind,
    /// Whether dropping ends it.
    guarded: bool,
    /// How dropping ends it.
    last_word: Signal,
}

#[derive(Debug, Clone)]
enum Kind {
    Child(watch::Receiver<Option<ExitStatus>>),
    /// Known by pid and by these parts of its command line, so that a reused pid is never taken for it.
    Adopted(Vec<String>),
}

impl Process {
    pub(crate) fn child(pid: u32, exit: watch::Receiver<Option<ExitStatus>>) -> Self {
        Self { pid, kind: Kind::Child(exit), guarded: true, last_word: Signal::SIGKILL }
    }

    /// The process `pid` if it runs and its command line contains all of `marks`.
    pub(crate) fn adopt(pid: u32, marks: &[&str]) -> Option<Self> {
        let marks: Vec<_> = marks.iter().map(|mark| (*mark).to_owned()).collect();
        let adopted =
            Self { pid, kind: Kind::Adopted(marks.clone()), guarded: true, last_word: Signal::SIGKILL };
        is_it(pid, &marks).then_some(adopted)
    }

    /// The same; dropping it sends `signal`, by which it ends at once and leaves nothing behind.
    pub(crate) fn ended_by(mut self, signal: Signal) -> Self {
        self.last_word = signal;
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn is_adopted(&self) -> bool {
        matches!(self.kind, Kind::Adopted(_))
    }

    pub(crate) fn is_alive(&self) -> bool {
        match &self.kind {
            Kind::Child(exit) => exit.borrow().is_none(),
            Kind::Adopted(marks) => is_it(self.pid, marks),
        }
    }

    /// A future that is done when the process is gone; it borrows nothing.
    pub(crate) fn gone(&self) -> impl Future<Output = ()> + Send + use<> {
        let (pid, kind) = (self.pid, self.kind.clone());
        async move {
            match kind {
                // An error means that the keeper is gone, and the child with it.
                Kind::Child(mut exit) => _ = exit.wait_for(Option::is_some).await,
                Kind::Adopted(marks) => {
                    while is_it(pid, &marks) {
                        tokio::time::sleep(POLL).await;
                    }
                }
            }
        }
    }

    /// Asks with `signal`, waits as long as `deadline`, then kills.
    pub(crate) async fn stop(&mut self, signal: Signal, deadline: Duration) {
        self.send(signal);
        if tokio::time::timeout(deadline, self.gone()).await.is_err() {
            tracing::warn!(
                process.pid = self.pid,
                deadline_ms = deadline.as_millis(),
                "killed a server that did not stop in time"
            );
            self.send(Signal::SIGKILL);
            self.gone().await;
        }
        self.guarded = false;
    }

    pub(crate) fn send(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).map(Pid::from_raw);
        if let (true, Ok(pid)) = (self.is_alive(), pid)
            && let Err(fault) = kill(pid, signal)
        {
            tracing::debug!(process.pid = self.pid, error = %fault, "could not signal a server");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.guarded {
            self.send(self.last_word);
        }
    }
}

/// Whether `pid` is alive, not a zombie, and its command line contains all of `marks`.
fn is_it(pid: u32, marks: &[String]) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // A zombie's command line is empty.
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    !line.is_empty() && marks.iter().all(|mark| line.contains(mark.as_str()))
}
