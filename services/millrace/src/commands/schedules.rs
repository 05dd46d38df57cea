//! `millrace schedules`: runs by the clock.

mod create;

use clap::Subcommand;
use millrace_contracts::{ScheduleId, WorkflowId};
use serde_json::{Map, Value, json};

use crate::client::{Client, ClientArgs};
use crate::commands::executions::items;
use crate::context::{Context, Out};
use crate::exit::Exit;
use crate::render::{Table, field, time};

/// What a change may set; the rest of an answer is the server's.
const SETTABLE: [&str; 12] = [
    "cron",
    "timezone",
    "overlap",
    "version",
    "input",
    "priority",
    "pool",
    "labels",
    "timeout_ms",
    "callback_url",
    "jitter_ms",
    "enabled",
];

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
    Create(create::Args),
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
        Args::Create(args) => create::create(args, out).await?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_the_api_takes_is_kept_by_a_change() {
        let api: Value = serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap();
        let part = |part: &Value| match part["$ref"].as_str() {
            Some(name) => api.pointer(name.trim_start_matches('#')).unwrap().clone(),
            None => part.clone(),
        };
        let parts = api["components"]["schemas"]["ScheduleRequest"]["allOf"].as_array().unwrap();
        let fields = parts.iter().map(part).map(|part| part["properties"].as_object().unwrap().clone());
        let mut taken: Vec<String> =
            fields.flat_map(|fields| fields.into_iter().map(|(name, _)| name)).collect();
        let mut settable = SETTABLE;
        taken.sort_unstable();
        settable.sort_unstable();
        assert_eq!(settable[..], taken);
    }
}
