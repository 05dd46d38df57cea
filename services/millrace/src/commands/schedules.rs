//! `millrace schedules`: runs by the clock.

use clap::{Subcommand, ValueEnum};
use millrace_contracts::{ScheduleId, WorkflowId};
use serde_json::{Map, Value, json};

use crate::client::{Client, ClientArgs};
use crate::commands::executions::items;
use crate::context::{Context, Out};
use crate::exit::{Exit, Misuse};
use crate::render::{Table, field, time};

/// What a change may set; the rest of an answer is the server's.
const SETTABLE: [&str; 11] = [
    "cron",
    "timezone",
    "overlap",
    "version",
    "input",
    "priority",
    "pool",
    "labels",
    "timeout_ms",
    "jitter_ms",
    "enabled",
];

/// What a firing does while an earlier run goes on.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Overlap {
    /// Nothing.
    Skip,
    /// It waits; at most one does.
    Queue,
    /// It starts a run all the same.
    Allow,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  millrace schedules create 0199b5a2-… '0 6 * * MON-FRI' --timezone Europe/Berlin
  millrace schedules list 0199b5a2-…")]
pub(crate) enum Args {
    /// List the schedules of a workflow.
    #[command(
        after_help = "Examples:\n  millrace schedules list 0199b5a2-…\n  millrace schedules list 0199b5a2-… --json"
    )]
    List {
        /// The workflow.
        workflow: WorkflowId,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Run a workflow by the clock.
    // Its --version is the workflow's.
    #[command(
        disable_version_flag = true,
        after_help = "\
Examples:
  millrace schedules create 0199b5a2-… '0 6 * * MON-FRI' --timezone Europe/Berlin
  millrace schedules create 0199b5a2-… @hourly --overlap queue --input '{\"photo\": \"blob:…\"}'"
    )]
    Create {
        /// The workflow.
        workflow: WorkflowId,
        /// `minute hour day month weekday`, with seconds in front if need be, or @hourly, @daily, …
        cron: String,
        /// IANA name of the time zone.
        #[arg(long, default_value = "UTC")]
        timezone: String,
        /// What a firing does while an earlier run goes on.
        #[arg(long, value_enum, default_value = "skip")]
        overlap: Overlap,
        /// The runs' input, as JSON.
        #[arg(long, value_name = "JSON", default_value = "{}")]
        input: String,
        /// The workflow's version; the newest at each firing when none.
        #[arg(long, value_name = "N")]
        version: Option<u32>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Delete a schedule; its runs stay.
    #[command(after_help = "Example:\n  millrace schedules delete 0199b5a2-…")]
    Delete {
        /// The schedule.
        id: ScheduleId,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Let a schedule fire again, from now on.
    #[command(after_help = "Example:\n  millrace schedules enable 0199b5a2-…")]
    Enable {
        /// The schedule.
        id: ScheduleId,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Keep a schedule and let it rest.
    #[command(after_help = "Example:\n  millrace schedules disable 0199b5a2-…")]
    Disable {
        /// The schedule.
        id: ScheduleId,
        #[command(flatten)]
        client: ClientArgs,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let out = context.out;
    match args {
        Args::List { workflow, client } => {
            let found = Client::find(&client)?.get(&format!("/workflows/{workflow}/schedules"), &[]).await?;
            if client.json { out.json(&found)? } else { list(&found, out)? }
        }
        Args::Create { workflow, cron, timezone, overlap, input, version, client } => {
            let input: Map<String, Value> = serde_json::from_str(&input)
                .map_err(|error| Misuse(format!("--input is a JSON object: {error}")))?;
            let overlap = overlap.to_possible_value().map(|value| value.get_name().to_owned());
            let body = json!({"cron": cron, "timezone": timezone, "overlap": overlap, "input": input, "version": version});
            let made =
                Client::find(&client)?.post_json(&format!("/workflows/{workflow}/schedules"), &body).await?;
            if client.json { out.json(&made)? } else { list(&json!([made]), out)? }
        }
        Args::Delete { id, client } => {
            Client::find(&client)?.delete(&format!("/schedules/{id}")).await?;
            if client.json {
                out.json(&json!({"deleted": id}))?
            } else {
                out.line(format_args!("deleted: {id}"))?
            }
        }
        Args::Enable { id, client } => switch(id, true, &client, out).await?,
        Args::Disable { id, client } => switch(id, false, &client, out).await?,
    }
    Ok(Exit::Done)
}

async fn switch(id: ScheduleId, enabled: bool, client: &ClientArgs, out: Out) -> anyhow::Result<()> {
    let (api, path) = (Client::find(client)?, format!("/schedules/{id}"));
    let mut schedule = api.get(&path, &[]).await?;
    let revision = schedule["revision"].clone();
    let fields = schedule.as_object_mut().map(std::mem::take).unwrap_or_default();
    let mut body: Map<String, Value> =
        fields.into_iter().filter(|(name, _)| SETTABLE.contains(&name.as_str())).collect();
    body.insert("enabled".to_owned(), json!(enabled));
    let changed = api.put_json(&path, &Value::Object(body), &format!("\"{revision}\"")).await?;
    if client.json { out.json(&changed) } else { list(&json!([changed]), out) }
}

fn list(found: &Value, out: Out) -> anyhow::Result<()> {
    let mut table = Table::new(&["id", "cron", "timezone", "overlap", "next", "last"]);
    for schedule in items(found) {
        let next =
            if schedule["enabled"] == false { "disabled".to_owned() } else { time(&schedule, "next_at") };
        let [id, cron, zone, overlap] =
            ["id", "cron", "timezone", "overlap"].map(|name| field(&schedule, name));
        table.row(vec![id, cron, zone, overlap, next, field(&schedule["last"], "outcome")]);
    }
    if table.is_empty() { out.line("no schedules") } else { out.line(table) }
}
