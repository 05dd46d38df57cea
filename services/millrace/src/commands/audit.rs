//! `millrace audit`: who changed what, when, and from where.

use clap::Args as ClapArgs;
use serde_json::Value;
use uuid::Uuid;

use crate::client::{Client, ClientArgs};
use crate::commands::executions::items;
use crate::context::Context;
use crate::exit::Exit;
use crate::render::{Table, field, time};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace audit
  millrace audit --action create_key --from 2026-01-31T00:00:00Z
  millrace audit --target models/shapes-detector --json

What was refused is not listed. A change without a status is one whose caller did not wait for the answer.")]
pub(crate) struct Args {
    /// Made with this api key, by its id.
    #[arg(long, value_name = "ID")]
    actor: Option<Uuid>,
    /// By this operation of the OpenAPI document.
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// To what has this address below /api/v1.
    #[arg(long, value_name = "ADDRESS")]
    target: Option<String>,
    /// Made then or later: RFC 3339, or milliseconds since the Unix epoch.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Made before then.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Changes at most.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    #[command(flatten)]
    client: ClientArgs,
}

impl Args {
    fn query(&self) -> Vec<(&'static str, String)> {
        let filters = [
            ("actor", self.actor.map(|id| id.to_string())),
            ("action", self.action.clone()),
            ("target", self.target.clone()),
            ("from", self.from.clone()),
            ("to", self.to.clone()),
            ("limit", Some(self.limit.to_string())),
        ];
        filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let found = Client::find(&args.client)?.get("/audit", &args.query()).await?;
    if args.client.json {
        context.out.json(&found)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["at", "who", "from", "what", "target", "status"]);
    for change in items(&found) {
        let [action, target, status] = ["action", "target", "status"].map(|name| field(&change, name));
        table.row(vec![time(&change, "at"), who(&change), field(&change, "address"), action, target, status]);
    }
    if table.is_empty() {
        context.out.line("no changes")?
    } else {
        context.out.line(table)?
    }
    Ok(Exit::Done)
}

/// The key, as it was called then.
fn who(change: &Value) -> String {
    if change["actor_id"].is_null() { "anybody".to_owned() } else { field(change, "actor") }
}
