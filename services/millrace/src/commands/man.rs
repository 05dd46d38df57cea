//! `millrace man`: the manual page, of the whole or of one command.

use clap::{Args as ClapArgs, Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::context::Context;
use crate::exit::{Exit, Misuse};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace man | man -l -
  millrace man executions rerun | man -l -
  millrace man > /usr/local/share/man/man1/millrace.1")]
pub(crate) struct Args {
    /// The command; the whole when none is named.
    #[arg(value_name = "COMMAND")]
    path: Vec<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let mut whole = Cli::command();
    whole.build();
    let command = find(&whole, &args.path).ok_or_else(|| {
        Misuse(format!("there is no command `{}`; see millrace --help", args.path.join(" ")))
    })?;
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    context.out.bytes(&page)?;
    Ok(Exit::Done)
}

fn find<'a>(command: &'a Command, path: &[String]) -> Option<&'a Command> {
    match path {
        [] => Some(command),
        [first, rest @ ..] => find(command.find_subcommand(first)?, rest),
    }
}
