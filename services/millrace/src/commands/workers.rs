//! `millrace workers`: who is there, and who is to go.

use clap::Subcommand;
use serde_json::Value;

use crate::client::{Client, ClientArgs};
use crate::commands::executions::items;
use crate::context::Context;
use crate::exit::Exit;
use crate::render::{Table, field};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  millrace workers list
  millrace workers drain worker-0193c5d2…")]
pub(crate) enum Args {
    /// List the workers that gave a sign of life lately.
    #[command(after_help = "\
Examples:
  millrace workers list
  millrace workers list --json | jq -r '.workers[].health_listen'

HEALTH is where a worker serves /healthz, /readyz and /metrics, as its own machine calls the place; it is shown where there is one
(worker.health_listen; each worker of `millrace up` has one).")]
    List {
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Tell a worker to take no more jobs, finish those in hand, and end.
    #[command(after_help = "Examples:\n  millrace workers drain worker-0193c5d2…\n\n\
A worker of `millrace up` stays away until the next start; elsewhere its supervisor may start another.")]
    Drain {
        /// Its id, as `millrace workers list` shows it.
        #[arg(value_name = "ID")]
        worker: String,
        #[command(flatten)]
        client: ClientArgs,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    match args {
        Args::List { client } => list(&client, context).await,
        Args::Drain { worker, client } => drain(&worker, &client, context).await,
    }
}

async fn list(client: &ClientArgs, context: &Context) -> anyhow::Result<Exit> {
    let found = Client::find(client)?.get("/workers", &[]).await?;
    if client.json {
        context.out.json(&found)?;
        return Ok(Exit::Done);
    }
    let workers = items(&found);
    // Most fleets have the same one everywhere, or none.
    let with_health = workers.iter().any(|worker| worker["health_listen"].is_string());
    let mut headings = vec![
        "worker", "alive", "state", "pools", "running", "capacity", "memory", "pressure", "models",
        "devices", "version",
    ];
    headings.extend(with_health.then_some("health"));
    let mut table = Table::new(&headings);
    for worker in workers {
        let cells =
            ["worker_id", "alive", "state", "pools", "running", "capacity"].map(|name| field(&worker, name));
        let memory = &worker["memory"];
        let mut row = cells.to_vec();
        row.extend([of_budget(memory), field(memory, "pressure")]);
        row.extend(["models", "devices", "version"].map(|name| field(&worker, name)));
        row.extend(with_health.then(|| field(&worker, "health_listen")));
        table.row(row);
    }
    if table.is_empty() {
        context.out.line("no workers")?
    } else {
        context.out.line(table)?
    }
    Ok(Exit::Done)
}

/// `120 of 2048 MiB`.
fn of_budget(memory: &Value) -> String {
    let mib = |name: &str| memory[name].as_u64().map(|bytes| bytes >> 20);
    match (mib("used_bytes"), mib("budget_bytes")) {
        (Some(used), Some(budget)) => format!("{used} of {budget} MiB"),
        _ => String::new(),
    }
}

async fn drain(worker: &str, client: &ClientArgs, context: &Context) -> anyhow::Result<Exit> {
    let told = Client::find(client)?.post(&format!("/workers/{worker}/drain")).await?;
    if client.json {
        context.out.json(&told)?;
    } else {
        context.out.line(format_args!("{worker} takes no more jobs; {} in hand", field(&told, "running")))?;
    }
    Ok(Exit::Done)
}
