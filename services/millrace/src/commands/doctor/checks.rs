//! The checks. Each gives what it found, or the fault; the remedy stands beside it.

use std::time::Duration;

use futures::FutureExt;
use millrace_bus::{Bus, BusError, Flaw};
use millrace_config::{Loaded, Location, Settings};
use millrace_inference::{Chosen, Repository, Runtime};
use millrace_local::redis_server;
use millrace_store::Store;
use millrace_tasks::within;

use super::{blobs, clock, database};
use crate::fault::told;
use crate::roles;

/// How long a server may take to answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// What one check found.
pub(super) struct Finding {
    pub(super) what: &'static str,
    pub(super) result: Result<String, Fault>,
}

/// What is wrong, and what to do about it.
pub(super) struct Fault {
    pub(super) text: String,
    pub(super) remedy: &'static str,
}

impl Fault {
    /// Faults of any text that have this remedy.
    pub(super) fn with(remedy: &'static str) -> impl Fn(String) -> Self {
        move |text| Self { text, remedy }
    }
}

impl Finding {
    /// What was found of `what`; whatever is wrong has the same remedy.
    fn of(what: &'static str, result: Result<String, String>, remedy: &'static str) -> Self {
        Self { what, result: result.map_err(Fault::with(remedy)) }
    }
}

/// All checks, in the order a start needs them.
pub(super) async fn all(loaded: &Loaded) -> Vec<Finding> {
    let mut findings = servers(loaded).await;
    findings.extend(this_machine(loaded).await);
    findings
}

async fn servers(loaded: &Loaded) -> Vec<Finding> {
    let mut findings = vec![Finding { what: "redis", result: redis(loaded).await }];
    let store = match database_of_operator(loaded) {
        Ok(store) => store,
        Err(fault) => {
            let remedy = "set DATABASE_URL to postgres://user:password@host:port/database";
            findings.push(Finding::of("postgres", Err(fault), remedy));
            return findings;
        }
    };
    let postgres = database::postgres(loaded, store.as_ref()).await;
    let is_well = postgres.is_ok();
    findings.push(Finding { what: "postgres", result: postgres });
    // The tables of a private server are made when it starts.
    if let Some(store) = store.as_ref().filter(|_| is_well) {
        let remedy = "run `millrace migrate`; `millrace up` does so by itself";
        findings.push(Finding::of("tables", database::tables(store).await, remedy));
    }
    // A server that does not answer has a fault of its own.
    if store.is_none() || is_well {
        let vectors = database::vectors(loaded, store.as_ref()).await;
        findings.push(Finding::of("vectors", vectors, "run scripts/setup.sh --pgvector"));
    }
    let remedy = "set the machines' clocks; run a time service such as chrony on each";
    findings.push(Finding::of("clock", clock::clock(loaded, store.as_ref()).await, remedy));
    findings
}

async fn this_machine(loaded: &Loaded) -> Vec<Finding> {
    let settings = &loaded.settings;
    vec![
        Finding { what: "blob store", result: blobs::blobs(settings).await },
        Finding::of(
            "onnx runtime",
            onnx_runtime(loaded).await,
            "run scripts/setup.sh, or set ORT_DYLIB_PATH to libonnxruntime.so of version 1.24 or newer",
        ),
        Finding::of(
            "device",
            device(loaded).await,
            "install what is missing, or set worker.device to auto or cpu",
        ),
        Finding::of(
            "models",
            models(settings).await,
            "set models.dir to a folder with one sub-folder per model, or to a bucket, with its key in [objects]",
        ),
    ]
}

/// The operator's own database; none when a private one is meant.
fn database_of_operator(loaded: &Loaded) -> Result<Option<Store>, String> {
    let is_set = loaded.is_set("database.url");
    is_set.then(|| roles::store(&loaded.settings, "doctor")).transpose().map_err(|fault| told(&fault))
}

async fn redis(loaded: &Loaded) -> Result<String, Fault> {
    const START: &str = "start Redis and set REDIS_URL (docs/redis.md says what it needs), or install redis-server for a private one (scripts/setup.sh)";
    const LET_IN: &str = "put a user and a password that this Redis knows into REDIS_URL: redis://user:password@host:port/; who has set none is `default`";
    if !loaded.is_set("redis.url") {
        let program = redis_server(&loaded.places).map_err(|fault| Fault::with(START)(fault.to_string()))?;
        return Ok(format!("private server by {}", program.display()));
    }
    let (settings, url) = (roles::bus_settings(&loaded.settings), &loaded.settings.redis.url);
    let asked = async {
        Bus::reach(&settings).await?;
        let bus = Bus::connect(settings).await?;
        // Not every account may ask for that.
        Ok::<_, BusError>((bus.ping().await?, bus.flaws().await.unwrap_or_default()))
    };
    // Whether it answers, and what.
    let answered = within(TIMEOUT, asked.map(Ok::<_, String>)).await.map_err(Fault::with(START))?;
    let (took, flaws) = answered.map_err(|fault| {
        let remedy = if fault.is_refusal() { LET_IN } else { START };
        Fault::with(remedy)(format!("{url}: {fault}"))
    })?;
    if flaws.is_empty() {
        return Ok(format!("{url} answers in {took:.1?}"));
    }
    let flaws: Vec<String> = flaws.iter().map(Flaw::to_string).collect();
    Err(Fault::with(START)(format!("{url}: {}", flaws.join("; "))))
}

async fn onnx_runtime(loaded: &Loaded) -> Result<String, String> {
    let library = roles::library(&loaded.settings, &loaded.places).map_err(|fault| told(&fault))?;
    // Loads the library, which takes a moment and blocks.
    let loaded = tokio::task::spawn_blocking(move || Runtime::load(&library)).await;
    let runtime = loaded.map_err(|fault| fault.to_string())?.map_err(|fault| fault.to_string())?;
    let info = runtime.info();
    Ok(format!("{} ({})", info.library.display(), info.build))
}

async fn device(loaded: &Loaded) -> Result<String, String> {
    let library = roles::library(&loaded.settings, &loaded.places).map_err(|fault| told(&fault))?;
    let wanted = millrace_worker::wanted_device(loaded.settings.worker.device);
    let chosen = tokio::task::spawn_blocking(move || Chosen::of(&library, wanted)).await;
    let chosen = chosen.map_err(|fault| fault.to_string())?.map_err(|fault| fault.to_string())?;
    let cores = millrace_worker::ModelCores::of(&loaded.settings.worker, chosen.device);
    Ok(format!("models run on {chosen}; each in {cores}"))
}

async fn models(settings: &Settings) -> Result<String, String> {
    let found = match &settings.models.dir {
        Location::Folder(folder) if !folder.is_dir() => {
            return Err(format!("there is no folder {}", folder.display()));
        }
        Location::Folder(folder) => Repository::new(folder).list(),
        Location::Bucket(url) => {
            let found = millrace_worker::models_in_bucket(url, &settings.objects).await;
            found.map_err(|fault| fault.to_string())?
        }
    };
    let names: Vec<_> = found.iter().map(millrace_contracts::ModelId::as_str).collect();
    Ok(format!("{} in {}: {}", found.len(), settings.models.dir, names.join(", ")))
}
