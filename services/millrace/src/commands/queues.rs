//! `millrace queues`: what waits, where, and for how long.

use clap::Args as ClapArgs;

use crate::client::{Client, ClientArgs};
use crate::commands::executions::items;
use crate::context::Context;
use crate::exit::Exit;
use crate::render::{Table, duration, field};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  millrace queues\n  millrace queues --json")]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let found = Client::find(args.client.url.as_deref())?.get("/queues", &[]).await?;
    if args.client.json {
        context.out.json(&found)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["pool", "model", "priority", "waiting", "in hand", "oldest"]);
    for queue in items(&found) {
        let oldest = queue["oldest_ms"].as_u64().map(duration).unwrap_or_default();
        let cells = ["pool", "model", "priority", "waiting", "pending"].map(|name| field(&queue, name));
        table.row(cells.into_iter().chain([oldest]).collect());
    }
    if table.is_empty() {
        context.out.line("no queues")?
    } else {
        context.out.line(table)?
    }
    Ok(Exit::Done)
}
