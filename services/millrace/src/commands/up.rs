//! `millrace up`: everything on one machine. Private servers, the control plane in this process, workers beside it.
//!
//! Rule: what it starts it takes down, in the order of the flow: api and workers, then orchestrator and writer, then
//! the servers; within ten seconds in all.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args as ClapArgs;
use millrace_config::{Loaded, Location, Origin, Settings};
use millrace_local::DirLock;
use millrace_store::KeySecret;
use millrace_tasks::{CancellationToken, OnCancel, OnError, Supervisor, TaskKind};
use millrace_telemetry::Health;
use tokio::net::TcpListener;

use crate::context::Context;
use crate::exit::{Exit, Misuse};
use crate::roles::{self, Alone};
use crate::up::endpoints::Endpoints;
use crate::up::first_key::FirstKey;
use crate::up::servers::{Addresses, Servers};
use crate::up::workers::{self, WorkerPlan};
use crate::up::{readiness, share_nothing};

/// The ten seconds, divided.
const WORKERS_GRACE: Duration = Duration::from_millis(4_000);
const FRONT_GRACE: Duration = Duration::from_millis(4_500);
const BACK_GRACE: Duration = Duration::from_millis(2_500);
const SERVERS_GRACE: Duration = Duration::from_millis(2_500);
/// All of them. Who is still there after that, and whose parent is gone, ends the hard way.
const WHOLE_GRACE: Duration = Duration::from_secs(10);

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace up
  millrace up --data-dir /var/lib/millrace --listen 127.0.0.1:9000 --workers 2 --models ./models
  millrace up --redis-url redis://localhost --database-url postgres://localhost/millrace

Prints `ready on http://…` when it is, and writes the addresses to endpoints.json in the data folder.
Ctrl-C drains and stops everything it started; what was running goes on at the next `millrace up`.")]
pub(crate) struct Args {
    /// Where everything is kept: databases, blobs, addresses.
    #[arg(long, value_name = "DIR", default_value = ".millrace")]
    data_dir: PathBuf,
    /// Address and port of the api; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Worker processes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    workers: usize,
    /// Folder of the models, or s3://bucket/prefix.
    #[arg(long, value_name = "DIR")]
    models: Option<Location>,
    /// Use this Redis instead of a private one.
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,
    /// Use this Postgres instead of a private one.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// End when standard input does, and share nothing that only a file names: the private instance of `millrace bench`, which
    /// goes when that is killed, and whose load must not reach the servers of others.
    #[arg(long, hide = true)]
    supervised: bool,
}

impl Args {
    fn flags(&self) -> Vec<(String, String)> {
        let listen = self.listen.map(|listen| listen.to_string());
        let models = self.models.as_ref().map(ToString::to_string);
        let flags = [
            ("api.listen", listen),
            ("models.dir", models),
            ("redis.url", self.redis_url.clone()),
            ("database.url", self.database_url.clone()),
        ];
        flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let mut loaded = context.load(args.flags())?;
    if args.supervised {
        // What flags and the environment name is meant: whoever starts a supervised `up` chooses both.
        share_nothing(&mut loaded, |origin| !matches!(origin, Origin::File(_)));
    }
    check_health(&loaded.settings, args.workers)?;
    let alone = Alone::new(&loaded, "up")?;
    if args.supervised {
        alone.end_with_parent(WHOLE_GRACE);
    }
    roles::huge_pages(false);
    let _lock = DirLock::acquire(&args.data_dir)?;
    let data_dir = args.data_dir.canonicalize().context("the data folder")?;
    settle(&mut loaded, &data_dir, args.workers)?;
    // Bound first: a port that is taken is the likeliest fault, and the cheapest to find.
    let listen = loaded.settings.api.listen;
    let listener = millrace_api::listen(listen);
    let listener =
        listener.with_context(|| format!("cannot listen on {listen}; --listen names another address"))?;
    let has_database = loaded.is_set("database.url") || Servers::has_database(&data_dir);
    let first_key = FirstKey::new(listener.local_addr()?, &args.data_dir).before_servers(has_database)?;

    let stop = alone.shutdown.clone();
    let Some(servers) = stop.run_until_cancelled(Servers::start(&data_dir, &mut loaded)).await else {
        return Ok(Exit::Done);
    };
    let servers = servers?;
    let ended = Box::pin(serve(
        &args,
        context,
        &loaded.settings,
        &data_dir,
        Started { listener, servers: &servers, first_key, alone: &alone },
    ))
    .await;
    Endpoints::remove(&data_dir);
    servers.stop(SERVERS_GRACE).await;
    tracing::info!("everything is stopped");
    alone.end(Ok::<(), std::io::Error>(())).await?;
    ended.map(|()| Exit::Done)
}

/// Workers beside each other cannot listen at the same address: all but one would die, again and again.
fn check_health(settings: &Settings, workers: usize) -> Result<(), Misuse> {
    match settings.worker.health_listen {
        Some(listen) if workers > 1 && listen.port() != 0 => Err(Misuse(format!(
            "worker.health_listen is {listen}, and of {workers} workers only one can listen there; leave it out, or write port 0"
        ))),
        _ => Ok(()),
    }
}

/// Puts what has no other place into the data folder, makes paths absolute, since workers may run elsewhere, and fits the
/// grace periods into the ten seconds.
fn settle(loaded: &mut Loaded, data_dir: &Path, workers: usize) -> anyhow::Result<()> {
    if !loaded.is_set("blobs.url") {
        loaded.settings.blobs.url = data_dir.join("blobs").display().to_string();
    }
    if !loaded.is_set("models.downloads") {
        loaded.settings.models.downloads = data_dir.join("models");
    }
    let settings = &mut loaded.settings;
    if settings.models.memory_facts.is_none() {
        settings.models.memory_facts = Some(data_dir.join("models.json"));
    }
    if workers > 0 {
        // Asked for here, so that a missing library is one clear error and not a worker that dies again and again.
        settings.models.ort_library = Some(roles::library(settings, &loaded.places)?);
    }
    if let Location::Folder(folder) = &mut settings.models.dir {
        *folder = std::path::absolute(&*folder).context("the models folder")?;
        let shown = folder.display();
        anyhow::ensure!(folder.is_dir(), "there is no models folder {shown}; --models names another");
    }
    workers::settle(loaded, workers);
    let settings = &mut loaded.settings;
    settings.worker.grace = settings.worker.grace.min(WORKERS_GRACE - Duration::from_millis(500));
    settings.api.grace = settings.api.grace.min(FRONT_GRACE - Duration::from_millis(500));
    settings.orchestrator.grace = settings.orchestrator.grace.min(BACK_GRACE - Duration::from_millis(500));
    settings.writer.grace = settings.writer.grace.min(BACK_GRACE - Duration::from_millis(500));
    Ok(())
}

/// What is there before the roles are.
struct Started<'a> {
    listener: TcpListener,
    servers: &'a Servers,
    first_key: FirstKey,
    alone: &'a Alone,
}

/// Runs the roles on the servers until the end is asked for or something that must live does not.
async fn serve(
    args: &Args,
    context: &Context,
    settings: &Settings,
    data_dir: &Path,
    started: Started<'_>,
) -> anyhow::Result<()> {
    let Started { listener, servers, first_key, alone } = started;
    let stop = alone.shutdown.clone();
    let store = roles::store(settings, "up")?;
    let url = &settings.database.url;
    store.migrate().await.with_context(|| format!("the tables at {url} are not brought up to date"))?;
    first_key.before_roles(&store).await?;
    let bus = roles::bus(settings).await?;
    let api = format!("http://{}", listener.local_addr()?);

    // What takes work in ends first, what carries it on afterwards.
    let back_stop = CancellationToken::new();
    let (front, back) = (Supervisor::under(&stop), Supervisor::under(&back_stop));
    servers.watch(&back);
    let blobs = roles::blobs(settings)?;
    let must_live = |name| TaskKind::new(name, OnError::Stop, OnCancel::Wait);
    let deps = millrace_orchestrator::Deps { bus: bus.clone(), store: store.clone(), blobs: blobs.clone() };
    back.spawn(
        must_live("orchestrator"),
        millrace_orchestrator::run(deps, settings.orchestrator.clone(), back.token()),
    );
    let deps = millrace_writer::Deps {
        bus: bus.clone(),
        store: store.clone(),
        blobs: blobs.clone(),
        retention: settings.retention.clone(),
    };
    back.spawn(must_live("writer"), millrace_writer::run(deps, settings.writer.clone(), back.token()));
    let key = KeySecret::generate();
    let of_workers = workers::settings(settings, listener.local_addr()?, &key);
    let deps = millrace_api::Deps {
        settings: settings.api.clone(),
        auth: settings.auth.clone(),
        collections: settings.collections.clone(),
        max_model: settings.models.max_file,
        worker_key: Some(key.hash()),
        bus: bus.clone(),
        store: store.clone(),
        blobs,
        health: Health::new(Some(alone.metrics.clone())),
    };
    front.spawn(must_live("api"), millrace_api::run(deps, listener, front.token()));
    WorkerPlan::new(&of_workers, WORKERS_GRACE)?.spawn(&front, args.workers);

    let Addresses { redis, redis_socket, database } = servers.addresses().clone();
    let endpoints = Endpoints {
        api: api.clone(),
        redis_url: redis,
        redis_socket_url: redis_socket,
        database_url: database,
        pid: std::process::id(),
    };
    endpoints.write(data_dir)?;
    let (out, workers) = (context.out, args.workers);
    front.spawn(TaskKind::new("readiness", OnError::Stop, OnCancel::Abort), async move {
        readiness::wait(&api, &bus, workers).await?;
        out.line(format_args!("ready on {api}"))
    });

    let front_run = async {
        let ended = front.run(stop.clone(), FRONT_GRACE).await;
        back_stop.cancel();
        ended
    };
    let back_run = async {
        let ended = back.run(back_stop.clone(), BACK_GRACE).await;
        stop.cancel();
        ended
    };
    let (front_ended, back_ended) = tokio::join!(front_run, back_run);
    store.close().await;
    front_ended?;
    Ok(back_ended?)
}

#[cfg(test)]
mod tests {
    use millrace_config::LoadArgs;

    use super::*;

    fn settled(flags: &[(&str, &str)]) -> Settings {
        let flags = flags.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let mut loaded = Settings::load(&LoadArgs { flags, ..LoadArgs::default() }).unwrap();
        settle(&mut loaded, Path::new("/data"), 0).unwrap();
        loaded.settings
    }

    #[test]
    fn everything_that_is_kept_is_kept_in_the_data_folder() {
        let models = ("models.dir", ".");
        let settings = settled(&[models]);
        assert_eq!(settings.blobs.url, "/data/blobs");
        assert_eq!(settings.models.downloads, Path::new("/data/models"));
        assert_eq!(settings.models.memory_facts.as_deref(), Some(Path::new("/data/models.json")));
        let elsewhere = settled(&[models, ("models.downloads", "/cache"), ("blobs.url", "/blobs")]);
        assert_eq!(elsewhere.models.downloads, Path::new("/cache"));
        assert_eq!(elsewhere.blobs.url, "/blobs");
    }

    #[test]
    fn what_is_private_keeps_apart_from_what_a_file_names_and_its_workers_are_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("millrace.toml");
        let others = "[redis]\nurl = \"rediss://others/\"\nca_file = \"/ca.pem\"\nprefix = \"mine\"\n\
            [database]\nurl = \"postgres://others/x\"\n[blobs]\nurl = \"s3://others/blobs\"\n\
            [models]\ndir = \".\"\ndownloads = \"/others\"\nmemory_facts = \"/others.json\"\n\
            [worker]\nhealth_listen = \"127.0.0.1:9\"\n[telemetry]\notlp_endpoint = \"http://others/\"\n";
        std::fs::write(&file, others).unwrap();
        let environment = [("MILLRACE__BLOBS__URL".to_owned(), "/given".to_owned())].into();
        let arguments = LoadArgs { file: Some(file), environment, ..LoadArgs::default() };
        let mut loaded = Settings::load(&arguments).unwrap();
        share_nothing(&mut loaded, |origin| !matches!(origin, Origin::File(_)));
        settle(&mut loaded, Path::new("/data"), 0).unwrap();
        let told = loaded.settings.to_environment();
        assert!(!told.iter().any(|(_, text)| text.contains("others")), "{told:?}");
        let arguments = LoadArgs { environment: told.into_iter().collect(), ..LoadArgs::default() };
        let of_worker = Settings::load(&arguments).unwrap().settings;
        assert_eq!((of_worker.redis.prefix.as_str(), of_worker.redis.ca_file), ("mine", None));
        assert_eq!(of_worker.blobs.url, "/given");
        assert_eq!(of_worker.worker.health_listen, "127.0.0.1:0".parse().ok(), "a port of its own");
        assert_eq!(of_worker.models.memory_facts.as_deref(), Some(Path::new("/data/models.json")));
    }
}
