//! `millrace api`, `orchestrator`, `worker`, `writer`: one role in this process, until a signal tells it to end.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use millrace_telemetry::Health;

use crate::context::Context;
use crate::exit::Exit;
use crate::roles::{self, Alone, Outside, look_for_models, serve_own_health, serve_worker_health};

/// How long a worker whose parent is gone may take over its grace period before it exits the hard way.
const ORPHAN_MARGIN: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  millrace api
  DATABASE_URL=postgres://… REDIS_URL=redis://… millrace api --listen 127.0.0.1:9000

The tables must be there: run `millrace migrate` first.")]
pub(crate) struct ApiArgs {
    /// Address and port; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

pub(crate) const ORCHESTRATOR_HELP: &str = "\
Examples:
  DATABASE_URL=postgres://… REDIS_URL=redis://… millrace orchestrator
  DATABASE_URL=postgres://… REDIS_URL=redis://… millrace orchestrator --health-listen 0.0.0.0:9090";

pub(crate) const WRITER_HELP: &str = "\
Examples:
  DATABASE_URL=postgres://… REDIS_URL=redis://… millrace writer
  DATABASE_URL=postgres://… REDIS_URL=redis://… millrace writer --health-listen 0.0.0.0:9090";

/// Of the orchestrator and of the writer.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// Serve /healthz, /readyz and /metrics here.
    #[arg(long, value_name = "ADDRESS")]
    health_listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  REDIS_URL=redis://… millrace worker
  REDIS_URL=redis://… millrace worker --pool fast,cpu --health-listen 0.0.0.0:9090")]
pub(crate) struct WorkerArgs {
    /// Take jobs of these pools only.
    #[arg(long, value_name = "POOLS")]
    pool: Option<String>,
    /// Serve /healthz, /readyz and /metrics here.
    #[arg(long, value_name = "ADDRESS")]
    health_listen: Option<SocketAddr>,
    /// End when standard input does: how `millrace up` and `millrace bench` take their workers along when they are killed.
    #[arg(long, hide = true)]
    supervised: bool,
}

fn flag<T: ToString>(key: &str, value: Option<T>) -> Option<(String, String)> {
    value.map(|value| (key.to_owned(), value.to_string()))
}

pub(crate) async fn api(args: ApiArgs, context: &Context) -> anyhow::Result<Exit> {
    let loaded = context.load(flag("api.listen", args.listen).into_iter().collect())?;
    let settings = &loaded.settings;
    let alone = Alone::new(&loaded, "api")?;
    roles::huge_pages(false);
    let listen = settings.api.listen;
    let listener = millrace_api::listen(listen);
    let listener =
        listener.with_context(|| format!("cannot listen on {listen}; --listen names another address"))?;
    let deps = millrace_api::Deps {
        settings: settings.api.clone(),
        auth: settings.auth.clone(),
        collections: settings.collections.clone(),
        max_model: settings.models.max_file,
        worker_key: None,
        bus: roles::bus(settings).await?,
        store: roles::store(settings, "api")?,
        blobs: roles::blobs(settings)?,
        health: Health::new(Some(alone.metrics.clone())),
    };
    let ended = millrace_api::run(deps, listener, alone.shutdown.clone()).await;
    alone.end(ended).await?;
    Ok(Exit::Done)
}

pub(crate) async fn orchestrator(args: HealthArgs, context: &Context) -> anyhow::Result<Exit> {
    let flags = flag("orchestrator.health_listen", args.health_listen).into_iter().collect();
    let loaded = context.load(flags)?;
    let settings = &loaded.settings;
    let alone = Alone::new(&loaded, "orchestrator")?;
    let bus = roles::bus(settings).await?;
    let (store, blobs) = (roles::store(settings, "orchestrator")?, roles::blobs(settings)?);
    let outside = Outside { bus: bus.clone(), blobs: blobs.clone() };
    let listen = settings.orchestrator.health_listen;
    let _health = serve_own_health(listen, &alone, outside, store.clone()).await?;
    let deps = millrace_orchestrator::Deps { bus, store, blobs };
    let ended = millrace_orchestrator::run(deps, settings.orchestrator.clone(), alone.shutdown.clone()).await;
    alone.end(ended).await?;
    Ok(Exit::Done)
}

pub(crate) async fn writer(args: HealthArgs, context: &Context) -> anyhow::Result<Exit> {
    let loaded = context.load(flag("writer.health_listen", args.health_listen).into_iter().collect())?;
    let settings = &loaded.settings;
    let alone = Alone::new(&loaded, "writer")?;
    let bus = roles::bus(settings).await?;
    let (store, blobs) = (roles::store(settings, "writer")?, roles::blobs(settings)?);
    let outside = Outside { bus: bus.clone(), blobs: blobs.clone() };
    let _health = serve_own_health(settings.writer.health_listen, &alone, outside, store.clone()).await?;
    let deps = millrace_writer::Deps { bus, store, blobs, retention: settings.retention.clone() };
    let ended = millrace_writer::run(deps, settings.writer.clone(), alone.shutdown.clone()).await;
    alone.end(ended).await?;
    Ok(Exit::Done)
}

pub(crate) async fn worker(args: WorkerArgs, context: &Context) -> anyhow::Result<Exit> {
    let flags = [flag("worker.pools", args.pool), flag("worker.health_listen", args.health_listen)];
    let loaded = context.load(flags.into_iter().flatten().collect())?;
    let settings = &loaded.settings;
    let alone = Alone::new(&loaded, "worker")?;
    // Those of `millrace up`, which has none, are inherited.
    roles::huge_pages(true);
    let library = roles::library(settings, &loaded.places)?;
    let bus = roles::bus(settings).await?;
    let (blobs, objects) = (roles::blobs(settings)?, settings.objects.clone());
    let phase = millrace_worker::Phase::default();
    let folder = millrace_worker::models_folder(&settings.worker, &settings.models);
    if let Some(folder) = folder
        && let Err(missing) = look_for_models(folder).await
    {
        tracing::warn!("{missing}; until then jobs with its models fail");
    }
    let ready = (phase.clone(), folder.map(ToOwned::to_owned));
    let outside = Outside { bus: bus.clone(), blobs: blobs.clone() };
    let health = serve_worker_health(settings.worker.health_listen, &alone, outside, ready).await?;
    let (_health, health_listen) = health;
    if args.supervised {
        alone.end_with_parent(settings.worker.grace + ORPHAN_MARGIN);
    }
    let deps = millrace_worker::Deps { bus, blobs, library, objects, phase, health_listen };
    let millrace_config::Settings { worker, models, io, .. } = settings.clone();
    let ended = millrace_worker::run(deps, worker, models, io, alone.shutdown.clone()).await;
    alone.end(ended).await?;
    Ok(Exit::Done)
}
