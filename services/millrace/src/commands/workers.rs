//! `millrace workers`: who is there.

use clap::Subcommand;

use crate::client::{Client, ClientArgs};
use crate::commands::executions::items;
use crate::context::Context;
use crate::exit::Exit;
use crate::render::{Table, field};

#[derive(Debug, Subcommand)]
pub(crate) enum Args {
    /// The workers that gave a sign of life lately.
    #[command(after_help = "Examples:\n  millrace workers list\n  millrace workers list --json")]
    List {
        #[command(flatten)]
        client: ClientArgs,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args::List { client } = args;
    let found = Client::find(client.url.as_deref())?.get("/workers", &[]).await?;
    if client.json {
        context.out.json(&found)?;
        return Ok(Exit::Done);
    }
    let mut table =
        Table::new(&["worker", "alive", "pools", "running", "capacity", "models", "devices", "version"]);
    for worker in items(&found) {
        let id = [field(&worker, "worker_id"), field(&worker, "id")].concat();
        let rest = ["alive", "pools", "running", "capacity", "models", "devices", "version"];
        table.row(std::iter::once(id).chain(rest.map(|name| field(&worker, name))).collect());
    }
    if table.is_empty() {
        context.out.line("no workers")?
    } else {
        context.out.line(table)?
    }
    Ok(Exit::Done)
}
