//! `millrace completions`: what a shell needs to complete commands and flags.

use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::{Shell, generate};

use crate::cli::Cli;
use crate::context::Context;
use crate::exit::Exit;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace completions bash > /etc/bash_completion.d/millrace
  millrace completions zsh > ~/.zfunc/_millrace
  millrace completions fish > ~/.config/fish/completions/millrace.fish")]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    generate(args.shell, &mut Cli::command(), "millrace", &mut text);
    context.out.bytes(&text)?;
    Ok(Exit::Done)
}
