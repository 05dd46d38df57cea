//! `millrace`: every role and every tool in one binary. Parses, runs one command, maps its end to an exit code.

mod bench;
mod cli;
mod client;
mod commands;
mod context;
mod exit;
mod fault;
mod progress;
mod render;
mod roles;
mod up;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::context::Context;
use crate::exit::Exit;

/// Many small allocations on many threads: measurably faster than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // Two providers may be linked in; without a choice rustls panics at the first connection.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return report(&anyhow::anyhow!("a TLS provider is installed already"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().on_thread_start(prompt).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(fault) => return report(&anyhow::Error::new(fault).context("cannot start the async runtime")),
    };
    let context = Context::new(cli.config);
    let ended = runtime.block_on(commands::dispatch(cli.command, &context));
    // Blocking work that is still under way (a decode, a name lookup) must not hold the exit up.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit.into(),
        Err(fault) => report(&fault),
    }
}

/// The runtime's threads pass on what others compute: they are not to wait for a core behind those.
fn prompt() {
    if let Err(error) = millrace_prompt::answer_promptly() {
        tracing::debug!(%error, "a thread waits for its turns like all others");
    }
}

/// Says what went wrong, on standard error, and with which exit code the process ends.
fn report(fault: &anyhow::Error) -> ExitCode {
    let exit = Exit::of(fault);
    if exit != Exit::Quiet {
        // Nobody is left to tell when standard error is closed.
        _ = writeln!(std::io::stderr(), "error: {}", fault::told(fault));
    }
    exit.into()
}
