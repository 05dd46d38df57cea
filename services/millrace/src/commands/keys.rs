//! `millrace keys`: who may call the api. The first key is made where the server is, by the api or straight in the database.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use millrace_config::Settings;
use millrace_contracts::UnixMillis;
use millrace_contracts::audit::Change;
use millrace_store::{KeySecret, NewApiKey, RecordBatch};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Client, ClientArgs, DEFAULT_DATA_DIR};
use crate::commands::executions::items;
use crate::context::{Context, Tone};
use crate::exit::{Exit, Misuse};
use crate::render::{Table, field, time};
use crate::roles;
use crate::up::endpoints::Endpoints;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  millrace keys create ops --scope admin --direct
  millrace keys list")]
pub(crate) enum Args {
    /// Make a key and print it, this once.
    #[command(after_help = "\
Examples:
  millrace keys create ci --scope run
  millrace keys create ops --scope admin --direct
  export MILLRACE_API_KEY=$(millrace keys create me --scope admin --json | jq -r .key)

From the first key on, every caller of the api needs one, so the first should be an admin's. --direct makes it in the database,
for a server that others can reach: it does not start without a key. Where no database is configured, that is the one of the
`millrace up` that runs: start it on 127.0.0.1 for the first key, and on another address from then on.")]
    Create {
        /// Who or what it is for.
        name: String,
        /// What it may do; each includes the one before.
        #[arg(long, value_enum, default_value_t = Scope::Run)]
        scope: Scope,
        /// Make it in the database, and not through the api.
        #[arg(long)]
        direct: bool,
        /// The data folder of the `millrace up` in whose database it is made; where no database is configured, .millrace when
        /// none.
        #[arg(long, value_name = "DIR", requires = "direct")]
        data_dir: Option<PathBuf>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// List the keys, newest first, without their text.
    #[command(
        after_help = "Examples:\n  millrace keys list\n  millrace keys list --json | jq '.keys[].name'"
    )]
    List {
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Revoke a key.
    #[command(after_help = "Example:\n  millrace keys revoke 0199b5a2-…")]
    Revoke {
        /// Its id, as `millrace keys list` shows it.
        #[arg(value_parser = key_id)]
        id: Uuid,
        #[command(flatten)]
        client: ClientArgs,
    },
}

fn key_id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| format!("{text:?} is not a valid key id"))
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Look.
    Read,
    /// Submit runs, save workflows.
    Run,
    /// Everything.
    Admin,
}

impl Scope {
    fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Run => "run",
            Self::Admin => "admin",
        }
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    match args {
        Args::Create { name, scope, direct, data_dir, client } => {
            let made = if direct {
                create_direct(&name, scope, &settings(data_dir.as_deref(), context)?).await?
            } else {
                let wish = json!({"name": name, "scopes": [scope.as_str()]});
                Client::find(&client)?.post_json("/keys", &wish).await?
            };
            show_made(&made, client.json, context)?;
        }
        Args::List { client } => {
            let found = Client::find(&client)?.get("/keys", &[]).await?;
            if client.json { context.out.json(&found)? } else { list(&found, context)? }
        }
        Args::Revoke { id, client } => {
            Client::find(&client)?.delete(&format!("/keys/{id}")).await?;
            if client.json {
                context.out.json(&json!({"revoked": id}))?;
            } else {
                context.out.line(format_args!("revoked: {id}"))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// The settings, with the database of the `millrace up` of that folder; without one, of the usual folder where no database is
/// configured and one runs there.
fn settings(data_dir: Option<&Path>, context: &Context) -> anyhow::Result<Settings> {
    let mut loaded = context.load(Vec::new())?;
    let found = match data_dir {
        Some(data_dir) => {
            let nobody = || Misuse(format!("no `millrace up` runs in {}", data_dir.display()));
            Some(Endpoints::read(data_dir).ok_or_else(nobody)?)
        }
        None if loaded.is_set("database.url") => None,
        None => Endpoints::read(Path::new(DEFAULT_DATA_DIR)),
    };
    if let Some(Endpoints { database_url, .. }) = found {
        loaded.settings.database.url = database_url.parse().context("the address of the database")?;
    }
    Ok(loaded.settings)
}

async fn create_direct(name: &str, scope: Scope, settings: &Settings) -> anyhow::Result<Value> {
    let store = roles::store(settings, "keys")?;
    let secret = KeySecret::generate();
    let scopes = vec![scope.as_str().to_owned()];
    let new = NewApiKey {
        name: name.to_owned(),
        prefix: secret.prefix().to_owned(),
        hash: secret.hash(),
        scopes: scopes.clone(),
    };
    let id = store.api_keys().create(&new).await;
    let id = id.with_context(|| format!("no key is made in {}", settings.database.url))?;
    // There may be nobody to note it but us.
    let change = Change {
        id: Uuid::now_v7(),
        actor_id: None,
        actor: None,
        action: "create_key".to_owned(),
        target: format!("keys/{id}"),
        status: None,
        address: None,
        forwarded_for: None,
        request_id: Some("millrace keys create --direct".to_owned()),
    };
    store.record(&RecordBatch { events: vec![change.into_event(UnixMillis::now())] }).await?;
    Ok(json!({"id": id, "name": name, "scopes": scopes, "key": secret.expose()}))
}

fn show_made(made: &Value, as_json: bool, context: &Context) -> anyhow::Result<()> {
    if as_json {
        return context.out.json(made);
    }
    context.out.line(field(made, "key"))?;
    let note = format!("made {}; the key is not shown again", field(made, "id"));
    context.out.line(context.out.paint(Tone::Faint, note))
}

fn list(found: &Value, context: &Context) -> anyhow::Result<()> {
    let mut table = Table::new(&["id", "name", "begins", "scopes", "created", "last used", "revoked"]);
    for key in items(found) {
        let cells = ["id", "name", "prefix", "scopes"].map(|name| field(&key, name));
        let times = ["created_at", "last_used_at", "revoked_at"].map(|name| time(&key, name));
        table.row(cells.into_iter().chain(times).collect());
    }
    if table.is_empty() { context.out.line("no keys") } else { context.out.line(table) }
}
