//! Starts a server as a child. A thread of its own starts it, waits for it and reaps it: the parent-death signal
//! follows the *thread* that forked, so that thread must live as long as the child does.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use millrace_config::Places;
use tokio::sync::{oneshot, watch};

use crate::LocalError;
use crate::process::Process;
use crate::program::find_program;
use crate::run_as::RunAs;

/// What to start, and how.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// Standard output and error go to its end.
    pub(crate) log: &'a Path,
    pub(crate) run_as: Option<&'a RunAs>,
    /// The signal the system sends it when this process is gone, such as `INT`.
    pub(crate) on_parent_death: Option<&'static str>,
    pub(crate) places: &'a Places,
}

impl Launch<'_> {
    /// Starts it, in a process group of its own so that Ctrl-C reaches only us.
    pub(crate) async fn spawn(self) -> Result<Process, LocalError> {
        let log = File::options().create(true).append(true).open(self.log);
        let log = log.map_err(LocalError::io("open", self.log))?;
        let errors = log.try_clone().map_err(LocalError::io("open", self.log))?;
        let mut command = self.command();
        command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .env("LC_ALL", "C")
            .current_dir("/");

        let (started, pid) = oneshot::channel();
        let (ended, exit) = watch::channel(None);
        let keeper = std::thread::Builder::new().name("server-keeper".to_owned());
        let keep = move || keep(command, started, &ended);
        keeper.spawn(keep).map_err(LocalError::io("start a thread for", &self.program))?;
        let pid = pid.await.expect("the keeper thread always says how the start went");
        Ok(Process::child(pid.map_err(LocalError::io("start", &self.program))?, exit))
    }

    /// The command, wrapped in `setpriv` for what only it can do without unsafe code.
    fn command(&self) -> Command {
        let setpriv = self.on_parent_death.and_then(|_| find_program(self.places, "setpriv"));
        let Some(setpriv) = setpriv else {
            let mut command = Command::new(&self.program);
            command.args(&self.arguments);
            if let Some(user) = self.run_as {
                command.uid(user.uid).gid(user.gid);
            }
            return command;
        };
        let mut command = Command::new(setpriv);
        if let Some(user) = self.run_as {
            command
                .args([format!("--reuid={}", user.uid), format!("--regid={}", user.gid)])
                .arg("--clear-groups");
        }
        if let Some(signal) = self.on_parent_death {
            command.args(["--pdeathsig", signal]);
        }
        command.arg("--").arg(&self.program).args(&self.arguments);
        command
    }
}

fn keep(
    mut command: Command,
    started: oneshot::Sender<std::io::Result<u32>>,
    ended: &watch::Sender<Option<ExitStatus>>,
) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(fault) => {
            // Nobody waits any more: nothing was started, so nothing is lost.
            _ = started.send(Err(fault));
            return;
        }
    };
    if started.send(Ok(child.id())).is_err() {
        // The caller gave up between asking and the answer: no one else will ever stop it.
        _ = child.kill();
    }
    let status = child.wait().unwrap_or_default();
    ended.send_replace(Some(status));
}

/// Runs a helper such as `initdb` to its end.
pub(crate) async fn run_helper<A: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
    run_as: Option<&RunAs>,
    prepare: impl FnOnce(&mut tokio::process::Command),
) -> Result<(), LocalError> {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).env("LC_ALL", "C").current_dir("/").stdin(Stdio::null()).kill_on_drop(true);
    if let Some(user) = run_as {
        command.uid(user.uid).gid(user.gid);
    }
    prepare(&mut command);
    let output = command.output().await.map_err(LocalError::io("run", program))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<_> = said.lines().collect();
    Err(LocalError::Helper {
        program: program.display().to_string(),
        output: format!("{}: {}", output.status, lines[lines.len().saturating_sub(8)..].join("; ")),
    })
}
