//! `millrace migrate`: brings the tables up to date.

use anyhow::Context as _;
use clap::Args as ClapArgs;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::roles;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace migrate
  DATABASE_URL=postgres://millrace@db/millrace millrace migrate

Safe to run again, from several places at once, and while an older version serves.")]
pub(crate) struct Args {
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let loaded = context.load(Vec::new())?;
    let store = roles::store(&loaded.settings, "migrate")?;
    let url = &loaded.settings.database.url;
    store.migrate().await.with_context(|| format!("the tables at {url} are not brought up to date"))?;
    if args.json {
        context.out.json(&json!({"migrated": true}))?;
    } else {
        context.out.line(format_args!("the tables at {url} are up to date"))?;
    }
    Ok(Exit::Done)
}
