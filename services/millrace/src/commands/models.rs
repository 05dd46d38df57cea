//! `millrace models`: what the repository holds.

use clap::Subcommand;

use crate::client::{Client, ClientArgs};
use crate::commands::executions::items;
use crate::context::Context;
use crate::exit::Exit;
use crate::render::{Table, field};

#[derive(Debug, Subcommand)]
pub(crate) enum Args {
    /// The models, and where they are warm.
    #[command(after_help = "Examples:\n  millrace models list\n  millrace models list --json")]
    List {
        #[command(flatten)]
        client: ClientArgs,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let Args::List { client } = args;
    let found = Client::find(&client)?.get("/models", &[]).await?;
    if client.json {
        context.out.json(&found)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["model", "task", "family", "source", "workers"]);
    for model in items(&found) {
        let id = [field(&model, "model_id"), field(&model, "id")].concat();
        let rest = ["task", "family", "source", "workers"].map(|name| field(&model, name));
        table.row(std::iter::once(id).chain(rest).collect());
    }
    if table.is_empty() {
        context.out.line("no models")?
    } else {
        context.out.line(table)?
    }
    Ok(Exit::Done)
}
