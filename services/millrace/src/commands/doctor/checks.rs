//! The checks. Each gives what it found, or the fault; the remedy stands beside it.

use std::time::Duration;

use futures::TryFutureExt;
use millrace_bus::{Bus, BusError, Flaw};
use millrace_config::{Loaded, Location, Settings};
use millrace_contracts::UnixMillis;
use millrace_inference::{Chosen, Repository, Runtime};
use millrace_local::{PostgresPrograms, redis_server};
use millrace_tasks::within;

use crate::roles;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Clocks that differ by more than this disturb leases and deadlines.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);

/// What one check found.
pub(super) struct Finding {
    pub(super) what: &'static str,
    pub(super) result: Result<String, String>,
    pub(super) remedy: &'static str,
}

/// All checks, in the order a start needs them.
pub(super) async fn all(loaded: &Loaded) -> Vec<Finding> {
    let settings = &loaded.settings;
    vec![
        Finding {
            what: "redis",
            result: redis(loaded).await,
            remedy: "start Redis and set REDIS_URL (docs/redis.md says what it needs), or install redis-server for a private one (scripts/setup.sh)",
        },
        Finding {
            what: "postgres",
            result: postgres(loaded).await,
            remedy: "start Postgres and set DATABASE_URL, or install postgresql for a private one (scripts/setup.sh)",
        },
        Finding { what: "vectors", result: vectors(loaded), remedy: "run scripts/setup.sh --pgvector" },
        Finding {
            what: "blob store",
            result: blobs(settings).await,
            remedy: "set blobs.url to a folder that this user may write, or to a bucket, with its key in [objects]",
        },
        Finding {
            what: "onnx runtime",
            result: onnx_runtime(loaded).await,
            remedy: "run scripts/setup.sh, or set ORT_DYLIB_PATH to libonnxruntime.so of version 1.24 or newer",
        },
        Finding {
            what: "device",
            result: device(loaded).await,
            remedy: "install what is missing, or set worker.device to auto or cpu",
        },
        Finding {
            what: "models",
            result: models(settings).await,
            remedy: "set models.dir to a folder with one sub-folder per model, or to a bucket, with its key in [objects]",
        },
        Finding {
            what: "clock",
            result: clock(),
            remedy: "set the machine's clock; run a time service such as chrony",
        },
    ]
}

async fn redis(loaded: &Loaded) -> Result<String, String> {
    if !loaded.is_set("redis.url") {
        let program = redis_server(&loaded.places).map_err(|fault| fault.to_string())?;
        return Ok(format!("private server by {}", program.display()));
    }
    let (settings, url) = (roles::bus_settings(&loaded.settings), &loaded.settings.redis.url);
    let asked = async {
        Bus::reach(&settings).await?;
        let bus = Bus::connect(settings).await?;
        // Not every account may ask for that.
        Ok::<_, BusError>((bus.ping().await?, bus.flaws().await.unwrap_or_default()))
    };
    let (took, flaws) = within(TIMEOUT, asked.map_err(|fault| format!("{url}: {fault}"))).await?;
    if flaws.is_empty() {
        return Ok(format!("{url} answers in {took:.1?}"));
    }
    let flaws: Vec<String> = flaws.iter().map(Flaw::to_string).collect();
    Err(format!("{url}: {}", flaws.join("; ")))
}

async fn postgres(loaded: &Loaded) -> Result<String, String> {
    if !loaded.is_set("database.url") {
        let programs = PostgresPrograms::find(&loaded.places).map_err(|fault| fault.to_string())?;
        return Ok(format!("private server by {}", programs.program("postgres").display()));
    }
    let store = roles::store(&loaded.settings, "doctor").map_err(|fault| format!("{fault:#}"))?;
    let took = store.ping().await.map_err(|fault| fault.to_string())?;
    Ok(format!("{} answers in {took:.1?}", loaded.settings.database.url))
}

/// Collections work without pgvector, and take more time: its absence is no fault.
fn vectors(loaded: &Loaded) -> Result<String, String> {
    let says = if loaded.is_set("database.url") {
        "where the server has pgvector 0.8 or newer (a package such as postgresql-17-pgvector), collections get an index"
    } else if PostgresPrograms::find(&loaded.places).is_ok_and(|programs| programs.has_extension("vector")) {
        "the private server has pgvector: collections get an index"
    } else {
        "no pgvector: searches in collections look at every point; scripts/setup.sh --pgvector fetches a Postgres that has it"
    };
    Ok(says.to_owned())
}

/// Writes, reads and removes an object.
async fn blobs(settings: &Settings) -> Result<String, String> {
    let blobs = roles::blobs(settings).map_err(|fault| format!("{fault:#}"))?;
    blobs.check().await.map_err(|fault| fault.to_string())?;
    Ok(settings.blobs.url.clone())
}

async fn onnx_runtime(loaded: &Loaded) -> Result<String, String> {
    let library = roles::library(&loaded.settings, &loaded.places).map_err(|fault| format!("{fault:#}"))?;
    // Loads the library, which takes a moment and blocks.
    let loaded = tokio::task::spawn_blocking(move || Runtime::load(&library)).await;
    let runtime = loaded.map_err(|fault| fault.to_string())?.map_err(|fault| fault.to_string())?;
    let info = runtime.info();
    Ok(format!("{} ({})", info.library.display(), info.build))
}

async fn device(loaded: &Loaded) -> Result<String, String> {
    let library = roles::library(&loaded.settings, &loaded.places).map_err(|fault| format!("{fault:#}"))?;
    let wanted = millrace_worker::wanted_device(loaded.settings.worker.device);
    let chosen = tokio::task::spawn_blocking(move || Chosen::of(&library, wanted)).await;
    let chosen = chosen.map_err(|fault| fault.to_string())?.map_err(|fault| fault.to_string())?;
    Ok(format!("models run on {chosen}"))
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

/// The clock against the time this program was built: a clock before that is wrong for certain.
fn clock() -> Result<String, String> {
    let now = UnixMillis::now();
    let program = std::env::current_exe().and_then(std::fs::metadata).and_then(|meta| meta.modified());
    let built = program.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let ahead = built.unwrap_or_default().saturating_sub(Duration::from_millis(now.0.unsigned_abs()));
    if ahead > CLOCK_TOLERANCE {
        return Err(format!("it is {}, which is before this program was made", now.to_rfc3339()));
    }
    Ok(now.to_rfc3339())
}
