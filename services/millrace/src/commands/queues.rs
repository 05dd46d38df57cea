//! `millrace queues`: what waits, where, and for how long.

use clap::Args as ClapArgs;
use serde_json::Value;

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
    let found = Client::find(&args.client)?.get("/queues", &[]).await?;
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
    show_line(&found["admission"], context)?;
    Ok(Exit::Done)
}

/// Runs under way and in line, and whose they are.
fn show_line(line: &Value, context: &Context) -> anyhow::Result<()> {
    let oldest =
        line["oldest_ms"].as_u64().map(|ms| format!(", the first for {}", duration(ms))).unwrap_or_default();
    context.out.line(format!(
        "\nruns: {} under way of {}, {} in line{oldest}",
        field(line, "running"),
        field(line, "limit"),
        field(line, "waiting")
    ))?;
    let mut table = Table::new(&["workflow", "priority", "in line", "under way"]);
    for flow in line["flows"].as_array().into_iter().flatten() {
        table.row(["flow", "priority", "waiting", "running"].map(|name| field(flow, name)).into());
    }
    if !table.is_empty() {
        context.out.line(table)?;
    }
    Ok(())
}
