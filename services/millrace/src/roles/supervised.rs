//! Processes of this very program that end when the one that started them does, however that ends.
//!
//! Rule: a child's standard input is a pipe that its parent holds. The kernel closes it with the parent; the child sees the
//! end of its input, and ends.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use millrace_tasks::CancellationToken;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

/// The settings file of a child whose environment tells it all settings. One that has no value has no variable, and the child
/// would look for it in a file: `millrace.toml` where none is named.
pub(crate) const NO_FILE: &str = "/dev/null";

/// This program's own file. Asked for at the start: once an upgrade has replaced the file, its old name cannot be started.
pub(crate) fn this_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("cannot find this program's own file")
}

/// A command of `program`, with the settings file `config`, whose process lives no longer than this one. Waiting for a child
/// closes what it was given as input: who waits for one that is to go on takes its input out first.
pub(crate) fn supervised(program: &Path, role: &str, config: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    command.args([role, "--supervised"]);
    // A group of its own: Ctrl-C reaches only us, and we pass it on in order.
    command.stdin(Stdio::piped()).process_group(0);
    command
}

/// The other side: waits for the end of standard input, which is the end of the parent, then asks this process to end,
/// and ends it the hard way where it has not after `patience`.
pub(super) async fn end_with_parent(shutdown: CancellationToken, patience: Duration) -> std::io::Result<()> {
    let mut input = tokio::io::stdin();
    let mut scrap = [0u8; 64];
    while input.read(&mut scrap).await? > 0 {}
    tracing::info!("the process that started this one is gone or asks it to stop: ending");
    shutdown.cancel();
    tokio::time::sleep(patience).await;
    tracing::error!("what was in hand did not end in time: exiting");
    std::process::exit(1);
}
