//! `millrace executions`: list, show, follow, cancel, delete, rerun.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use millrace_contracts::{ExecutionId, ExecutionStatus};
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs};
use crate::commands::run::{Watched, pictures};
use crate::context::{Context, Out};
use crate::exit::Exit;
use crate::render::{Table, duration, field, time, tone_of, unserved};

/// The most that the api gives at once.
const NODES_PER_PAGE: u32 = 5_000;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  millrace executions list --status failed
  millrace executions show 0199b5a2-…
  millrace executions follow 0199b5a2-… --out results
  millrace executions rerun 0199b5a2-… --follow")]
pub(crate) enum Args {
    /// List the newest executions.
    #[command(after_help = "\
Examples:
  millrace executions list --status failed
  millrace executions list --label team=vision
  millrace executions list --schedule 0199b5a2-…
  millrace executions list --limit 100 --json | jq -r '.executions[].execution_id'")]
    List {
        /// Only of this status.
        #[arg(long, value_parser = status())]
        status: Option<ExecutionStatus>,
        /// Only of this saved workflow.
        #[arg(long, value_name = "ID")]
        workflow: Option<millrace_contracts::WorkflowId>,
        /// Only those with this label.
        #[arg(long, value_name = "KEY=VALUE")]
        label: Option<String>,
        /// Only those that this schedule started.
        #[arg(long, value_name = "ID")]
        schedule: Option<millrace_contracts::ScheduleId>,
        /// Only those that repeat this execution.
        #[arg(long, value_name = "ID")]
        rerun_of: Option<ExecutionId>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show an execution with its nodes.
    #[command(after_help = "\
Examples:
  millrace executions show 0199b5a2-…
  millrace executions show 0199b5a2-… --json | jq .outputs")]
    Show {
        /// The execution.
        id: ExecutionId,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Watch an execution to its end, node by node, and save its pictures.
    #[command(after_help = "\
Examples:
  millrace executions follow 0199b5a2-…
  millrace executions follow 0199b5a2-… --out results
  millrace executions follow 0199b5a2-… --json | jq .outputs

One that has ended is told from its beginning. Exit code 0 when the run completed, 1 when it failed, was cancelled or timed out.
Ctrl-C ends the command alone, with exit code 130: the run goes on.")]
    Follow {
        /// The execution.
        id: ExecutionId,
        /// Save the pictures among the outputs in this folder.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// End an execution early.
    #[command(after_help = "Example:\n  millrace executions cancel 0199b5a2-…")]
    Cancel {
        /// The execution.
        id: ExecutionId,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Delete an execution that has ended, with its events and node runs.
    #[command(after_help = "Example:\n  millrace executions delete 0199b5a2-…")]
    Delete {
        /// The execution.
        id: ExecutionId,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Run an execution that has ended once more, as a whole or from one of its nodes on.
    #[command(after_help = "\
Examples:
  millrace executions rerun 0199b5a2-… --follow
  millrace executions rerun 0199b5a2-… --from detect
  millrace executions rerun 0199b5a2-… --from count/detect --follow --json | jq .outputs

With --from, results of nodes that do not depend on that node are taken over. A call of a workflow may be named, or a node
inside it, as CALL/NODE. With --follow, exit code 0 when the run completed, 1 when it failed, was cancelled or timed out.")]
    Rerun {
        /// The execution.
        id: ExecutionId,
        /// The node to begin at.
        #[arg(long, value_name = "NODE")]
        from: Option<String>,
        /// Watch it to its end.
        #[arg(long)]
        follow: bool,
        #[command(flatten)]
        client: ClientArgs,
    },
}

/// One of the statuses there are; a word that is none is told which.
fn status() -> impl TypedValueParser<Value = ExecutionStatus> {
    use ExecutionStatus::{Cancelled, Completed, Failed, Pending, Running, TimedOut};
    let all = [Pending, Running, Completed, Failed, Cancelled, TimedOut];
    PossibleValuesParser::new(all.map(ExecutionStatus::as_str))
        .try_map(|word| word.parse::<ExecutionStatus>())
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let out = context.out;
    match args {
        Args::List { status, workflow, label, schedule, rerun_of, limit, client } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(status.map(|status| ("status", status.to_string())));
            query.extend(workflow.map(|workflow| ("workflow_id", workflow.to_string())));
            query.extend(label.map(|label| ("label", label)));
            query.extend(schedule.map(|schedule| ("schedule_id", schedule.to_string())));
            query.extend(rerun_of.map(|earlier| ("rerun_of", earlier.to_string())));
            let found = Client::find(&client)?.get("/executions", &query).await?;
            if client.json { out.json(&found)? } else { list(&found, out)? }
        }
        Args::Show { id, client } => {
            let api = Client::find(&client)?;
            let mut run = api.get(&format!("/executions/{id}"), &[]).await?;
            let nodes = all_nodes(&api, id).await?;
            if client.json {
                run["nodes"] = nodes;
                out.json(&run)?;
            } else {
                show(&run, &nodes, out)?;
            }
        }
        Args::Follow { id, out, client } => return follow((id, out), &client, context).await,
        Args::Cancel { id, client } => {
            let answer = Client::find(&client)?.post(&format!("/executions/{id}/cancel")).await?;
            if client.json { out.json(&answer)? } else { out.line(format_args!("cancel asked for: {id}"))? }
        }
        Args::Delete { id, client } => {
            Client::find(&client)?.delete(&format!("/executions/{id}")).await?;
            if client.json {
                out.json(&json!({"deleted": id}))?
            } else {
                out.line(format_args!("deleted: {id}"))?
            }
        }
        Args::Rerun { id, from, follow, client } => return rerun((id, from), follow, client, context).await,
    }
    Ok(Exit::Done)
}

/// The node runs of a run, however many pages they are, as one page.
async fn all_nodes(api: &Client, id: ExecutionId) -> anyhow::Result<Value> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let mut query = vec![("limit", NODES_PER_PAGE.to_string())];
        query.extend(after.map(|after| ("after", after)));
        let mut page = api.get(&format!("/executions/{id}/nodes"), &query).await?;
        all.extend(items(&page));
        after = page["next_after"].as_str().map(ToOwned::to_owned);
        if after.is_none() {
            page["nodes"] = all.into();
            return Ok(page);
        }
    }
}

async fn follow(
    (id, dir): (ExecutionId, Option<PathBuf>),
    client: &ClientArgs,
    context: &Context,
) -> anyhow::Result<Exit> {
    if let Some(dir) = &dir {
        pictures::make_room(dir)?;
    }
    let api = Client::find(client)?;
    // An api that is away, or does not know it, is told of at once: what loses sight of a run tries for longer.
    api.get(&format!("/executions/{id}"), &[]).await?;
    let run = Watched { id, dir: dir.as_deref(), replayed: false };
    super::run::follow(&api, run, (client.json, context)).await
}

async fn rerun(
    (earlier, from): (ExecutionId, Option<String>),
    follow: bool,
    client: ClientArgs,
    context: &Context,
) -> anyhow::Result<Exit> {
    let api = Client::find(&client)?;
    let body = from.map_or_else(|| json!({}), |from| json!({"from": from}));
    let answer = api.post_json(&format!("/executions/{earlier}/rerun"), &body).await?;
    let id = answer["execution_id"].as_str().context("the api's answer holds no execution_id")?;
    let id: ExecutionId = id.parse()?;
    if client.json && !follow {
        context.out.json(&answer)?;
    } else if !client.json {
        context.out.line(format_args!("execution {id}"))?;
    }
    if !follow {
        return Ok(Exit::Done);
    }
    super::run::follow(&api, Watched { id, dir: None, replayed: false }, (client.json, context)).await
}

/// The items of a list answer, be it a bare list or a page.
pub(crate) fn items(answer: &Value) -> Vec<Value> {
    let list = answer.as_array().or_else(|| answer.as_object()?.values().find_map(Value::as_array));
    list.cloned().unwrap_or_default()
}

fn list(found: &Value, out: Out) -> anyhow::Result<()> {
    let mut table = Table::new(&["id", "status", "created", "took", "error"]);
    for run in items(found) {
        let id = [field(&run, "id"), field(&run, "execution_id")].concat();
        let took = run["duration_ms"].as_u64().map(duration).unwrap_or_default();
        let error: String = field(&run, "error_message").chars().take(60).collect();
        table.row(vec![id, field(&run, "status"), time(&run, "created_at"), took, error]);
    }
    if table.is_empty() { out.line("no executions") } else { out.line(table) }
}

fn show(run: &Value, nodes: &Value, out: Out) -> anyhow::Result<()> {
    let status = field(run, "status");
    out.line(format_args!(
        "{}  {}",
        [field(run, "id"), field(run, "execution_id")].concat(),
        out.paint(tone_of(&status), &status)
    ))?;
    for name in ["workflow_id", "created_at", "started_at", "completed_at", "trace_id"] {
        let text = if name.ends_with("_at") { time(run, name) } else { field(run, name) };
        if !text.is_empty() {
            out.line(format_args!("  {name:<14}{text}"))?;
        }
    }
    if let Some(labels) = labels(&run["labels"]) {
        out.line(format_args!("  labels        {labels}"))?;
    }
    let error = field(&run["error"], "message");
    if !error.is_empty() {
        out.line(format_args!("  error         {}: {error}", field(&run["error"], "kind")))?;
    }
    if let Some(reason) = unserved(run) {
        out.line(format_args!("  waits         {reason}"))?;
    }
    if let Some(callback) = callback(&run["callback"]) {
        out.line(format_args!("  callback      {callback}"))?;
    }
    let mut table = Table::new(&["node", "block", "status", "attempt", "error"]);
    for node in items(nodes) {
        let label = format!("{}{}", field(&node, "node_id"), field(&node, "path"));
        let error = field(&node["error"], "message");
        table.row(vec![label, field(&node, "block"), field(&node, "status"), field(&node, "attempt"), error]);
    }
    out.line(table)
}

/// `stage=night, team=vision`; none where there are none.
fn labels(labels: &Value) -> Option<String> {
    let labels = labels.as_object().filter(|labels| !labels.is_empty())?;
    let told: Vec<_> =
        labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    Some(told.join(", "))
}

/// What came of telling somebody of the end; none where nobody is told.
fn callback(told: &Value) -> Option<String> {
    let status = told["status"].as_str()?;
    let sent = match told["attempts"].as_u64() {
        Some(1) => ", sent once".to_owned(),
        Some(times) => format!(", sent {times} times"),
        None => String::new(),
    };
    let error = told["error"].as_str().map(|error| format!(": {error}")).unwrap_or_default();
    Some(format!("{status}{sent}{error}"))
}
