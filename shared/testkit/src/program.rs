//! Programs as a stranger starts them.

use std::process::Command;

/// A command that has of its environment only what programs need: none of the settings of whoever runs the tests.
#[must_use]
pub fn program(file: &str) -> Command {
    let keep = ["PATH", "HOME", "TMPDIR"].map(|name| (name, std::env::var_os(name).unwrap_or_default()));
    let mut command = Command::new(file);
    command.env_clear().envs(keep);
    command
}
