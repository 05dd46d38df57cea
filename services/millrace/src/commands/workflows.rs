//! `millrace workflows`: the saved ones.

use std::path::PathBuf;

use clap::Subcommand;
use millrace_contracts::WorkflowId;
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs};
use crate::commands::executions::items;
use crate::commands::run::definition;
use crate::context::{Context, Out, Tone};
use crate::exit::Exit;
use crate::render::{Table, field, time};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  millrace workflows save flow.json --name plates
  millrace workflows list
  millrace run 0199b5a2-… --input photo=@cat.jpg   run a saved one")]
pub(crate) enum Args {
    /// List the saved workflows, newest first.
    #[command(after_help = "\
Examples:
  millrace workflows list
  millrace workflows list --name plates --json | jq -r '.workflows[].id'")]
    List {
        /// Only those whose name holds this text.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show a workflow with its nodes, or print its definition as it was saved.
    // Its --version is the workflow's.
    #[command(
        disable_version_flag = true,
        after_help = "\
Examples:
  millrace workflows show 0199b5a2-…
  millrace workflows show 0199b5a2-… --version 3 --definition > flow.json"
    )]
    Show {
        /// The workflow.
        id: WorkflowId,
        /// Which version; the newest when none.
        #[arg(long, value_name = "N")]
        version: Option<u32>,
        /// Print the definition alone, as `millrace run` and `save` read it.
        #[arg(long, conflicts_with = "json")]
        definition: bool,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Save a file as a new workflow, or as the next version of one.
    #[command(after_help = "\
Examples:
  millrace workflows save flow.json --name plates
  millrace workflows save flow.json --over 0199b5a2-…
  ID=$(millrace workflows save flow.json --json | jq -r .id)")]
    Save {
        /// The workflow, as JSON; `-` for standard input.
        file: PathBuf,
        /// Its name, instead of the one in the file.
        #[arg(long)]
        name: Option<String>,
        /// Make it the next version of this workflow.
        #[arg(long, value_name = "ID")]
        over: Option<WorkflowId>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Delete a workflow; its runs stay.
    #[command(after_help = "Example:\n  millrace workflows delete 0199b5a2-…")]
    Delete {
        /// The workflow.
        id: WorkflowId,
        #[command(flatten)]
        client: ClientArgs,
    },
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let out = context.out;
    match args {
        Args::List { name, limit, client } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(name.map(|name| ("name", name)));
            let found = Client::find(&client)?.get("/workflows", &query).await?;
            if client.json { out.json(&found)? } else { list(&found, out)? }
        }
        Args::Show { id, version, definition, client } => {
            let path = version.map_or_else(|| path(id), |version| format!("{}/versions/{version}", path(id)));
            let found = Client::find(&client)?.get(&path, &[]).await?;
            if definition {
                out.json(&found["definition"])?;
            } else if client.json {
                out.json(&found)?;
            } else {
                show(&found, out)?;
            }
        }
        Args::Save { file, name, over, client } => {
            let mut definition = definition::read(&file)?;
            if let Some(name) = name {
                definition["name"] = json!(name);
            }
            let saved = save(&Client::find(&client)?, &definition, over).await?;
            if client.json { out.json(&saved)? } else { list(&json!([saved]), out)? }
        }
        Args::Delete { id, client } => {
            Client::find(&client)?.delete(&path(id)).await?;
            if client.json {
                out.json(&json!({"deleted": id}))?
            } else {
                out.line(format_args!("deleted: {id}"))?
            }
        }
    }
    Ok(Exit::Done)
}

fn path(id: WorkflowId) -> String {
    format!("/workflows/{id}")
}

/// Saves `definition`, over the version of `over` that is the newest now: one that somebody saves meanwhile is not passed over.
async fn save(client: &Client, definition: &Value, over: Option<WorkflowId>) -> anyhow::Result<Value> {
    let Some(id) = over else {
        return client.post_json("/workflows", definition).await;
    };
    let newest = client.get(&path(id), &[]).await?["version"].take();
    client.put_json(&path(id), definition, &format!("\"{newest}\"")).await
}

fn list(found: &Value, out: Out) -> anyhow::Result<()> {
    let mut table = Table::new(&["id", "name", "version", "saved"]);
    for workflow in items(found) {
        let [id, name, version] = ["id", "name", "version"].map(|key| field(&workflow, key));
        table.row(vec![id, name, version, time(&workflow, "updated_at")]);
    }
    if table.is_empty() { out.line("no workflows") } else { out.line(table) }
}

fn show(found: &Value, out: Out) -> anyhow::Result<()> {
    let [id, name, version, latest] =
        ["id", "name", "version", "latest_version"].map(|key| field(found, key));
    out.line(format_args!("{id}  {}", out.paint(Tone::Strong, name)))?;
    out.line(format_args!("version {version} of {latest}, saved {}", time(found, "updated_at")))?;
    let mut table = Table::new(&["node", "block"]);
    for node in items(&found["definition"]["nodes"]) {
        table.row(vec![field(&node, "id"), field(&node, "type")]);
    }
    out.line(format_args!("\n{table}"))
}
