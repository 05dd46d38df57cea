//! How fast a writer empties full streams: from Redis to four tables of Postgres, as after an outage.
//!
//! `cargo bench -p millrace-writer` uses a private Redis, and a private Postgres without fsync; `DATABASE_URL` names another
//! database, which must be empty.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a bench waits for its tasks itself")]

use std::time::{Duration, Instant};

use anyhow::Result;
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_bus::{Bus, BusSettings};
use millrace_config::{Retention, Writer};
use millrace_contracts::message::Accepted;
use millrace_contracts::{Event, UnixMillis};
use millrace_store::{AcceptedRun, RecordBatch, Store, StoreSettings};
use millrace_tasks::CancellationToken;
use millrace_testkit::{TestPostgres, TestRedis, accepted_run, interleaved_events, test_folder};
use millrace_writer::Deps;

/// The product's: a batch is tens of thousands of small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 5_000;
/// Runs that are under way at the same time: their events come interleaved.
const IN_FLIGHT: usize = 50;
/// Events of one call, when the streams are filled.
const FILLED_AT_ONCE: usize = 1_000;
/// Seldom: a look asks for the length of every stream.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const DEADLINE: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> Result<()> {
    let (redis, folder) = (TestRedis::start().await?, test_folder()?);
    let private =
        if std::env::var_os("DATABASE_URL").is_none() { Some(TestPostgres::start().await?) } else { None };
    let url = private.as_ref().map_or_else(|| std::env::var("DATABASE_URL"), |server| Ok(server.url()))?;
    let store = Store::connect(&StoreSettings::new(&url))?;
    store.migrate().await?;
    store.events().ensure_partitions(UnixMillis::now().to_utc().date_naive(), 2).await?;
    let deps = Deps {
        bus: Bus::connect(BusSettings::new(redis.url())).await?,
        blobs: Blobs::open(&BlobsSettings::new(folder.path().display().to_string()))?,
        retention: Retention::default(),
        store,
    };
    let settings = Writer::default();
    println!(
        "{RUNS} runs of ten jobs; {} lanes, at most {} entries each",
        settings.lanes, settings.batch_size
    );

    let events = accept(&deps.store).await?;
    for some in events.chunks(FILLED_AT_ONCE) {
        deps.bus.note(some).await?;
    }
    let begun = Instant::now();
    let stop = CancellationToken::new();
    let writer = tokio::spawn(millrace_writer::run(deps.clone(), settings.clone(), stop.clone()));
    while deps.bus.recorder_lag().await?.entries > 0 {
        anyhow::ensure!(begun.elapsed() < DEADLINE, "the streams were not emptied");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    rate("from the streams of Redis", &events, begun.elapsed());
    stop.cancel();
    writer.await??;

    let events = accept(&deps.store).await?;
    let batches = events.chunks(settings.batch_size).map(|some| RecordBatch { events: some.to_vec() });
    let batches: Vec<_> = batches.collect();
    let begun = Instant::now();
    for batch in &batches {
        deps.store.record(batch).await?;
    }
    rate("limit: from memory, one lane", &events, begun.elapsed());
    Ok(())
}

/// Runs that the database knows of, and all that is to be recorded of them.
async fn accept(store: &Store) -> Result<Vec<Event>> {
    let runs: Vec<Accepted> = (0..RUNS).map(|_| accepted_run()).collect();
    for some in runs.chunks(IN_FLIGHT) {
        let some: Vec<_> = some.iter().cloned().map(AcceptedRun::new).collect();
        store.accept(&some).await?;
    }
    Ok(runs.chunks(IN_FLIGHT).flat_map(interleaved_events).collect())
}

fn rate(what: &str, events: &[Event], took: Duration) {
    let durable = events.iter().filter(|event| event.seq.is_some()).count();
    let per_second = |count: usize| count as f64 / took.as_secs_f64();
    println!(
        "{what:<30} {:>9.0} durable events/s {:>9.0} entries/s",
        per_second(durable),
        per_second(events.len())
    );
}
