//! `streams`: 10,000 clients at one api process, each on the event stream of a run of its own. First nothing happens, and they
//! are weighed; then the runs are cancelled one after the other, and every client is to see its run end.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::stream::FuturesUnordered;
use futures::{StreamExt, TryStreamExt, stream};
use millrace_contracts::{Event, ExecutionId};
use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind};
use serde_json::json;

use super::api::is_terminal;
use super::cpu::resident_bytes;
use super::load::Outcome;
use super::meter::Cost;
use super::phase::Phase;
use super::published::Published;
use super::report::Section;
use super::stage::{Scenario, Stage};
use super::{Bounds, definitions};
use crate::client::EventStream;

const CLIENTS: u64 = 10_000;
const RUNS_PER_CALL: usize = 1_000;
/// Streams that are opened at once.
const OPENED_AT_ONCE: usize = 128;
/// Runs that are cancelled in each tick; each says so in two events, which makes 1,000 in a second.
const ENDS_PER_TICK: usize = 5;
const TICK: Duration = Duration::from_millis(10);
/// What was needed to open the streams is given back meanwhile.
const IDLE: Duration = Duration::from_secs(3);
/// For the runs to begin and come to rest, and for the last one to end.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);
const GRACE: Duration = Duration::from_secs(2);
/// The promises: memory of an idle client, bytes, and the way of an event, 99 of 100.
const MOST_BYTES: f64 = 20.0 * 1024.0;
const MOST_MS: f64 = 50.0;

/// One event at one client.
struct Seen {
    event: String,
    seq: u64,
    at: Instant,
}

/// Plays the scenario.
pub(crate) async fn play(stage: &Stage) -> anyhow::Result<Section> {
    let Bounds { count, .. } = stage.bounds;
    let runs = rest(stage, count.min(CLIENTS)).await?;
    let memory = || stage.process.map_or(0, |pid| resident_bytes(&pid.to_string()));
    let (before, begun) = (memory(), Instant::now());
    let clients = open(stage, &runs).await?;
    let opened = begun.elapsed();
    tokio::time::sleep(IDLE).await;
    let bytes_each = memory().saturating_sub(before) as f64 / clients.len().max(1) as f64;

    let (tasks, published) = (Supervisor::under(&stage.stop), Published::default());
    let kind = TaskKind::new("bench.published", OnError::Stop, OnCancel::Abort);
    tasks.spawn(kind, published.clone().listen(stage.bus.clone()));
    let outcome = end_all(stage, &runs, clients).await?;
    tasks.drain(GRACE).await?;

    let Outcome { done, errors, first_error, elapsed } = outcome;
    let incomplete = done.iter().filter(|seen| !is_gapless(seen)).count() as u64;
    let events: usize = done.iter().map(Vec::len).sum();
    let latencies = published.latencies(done.iter().flatten().map(|seen| (seen.event.as_str(), seen.at)));
    let timed = latencies.len();
    let outcome = Outcome { done: latencies, errors, first_error, elapsed };
    let mut phase = Phase::new(format!("{} clients", runs.len()), runs.len(), outcome, Cost::default());
    phase.per_second = timed as f64 / elapsed.as_secs_f64().max(f64::EPSILON);
    let kept = if bytes_each <= MOST_BYTES && phase.times.p99_ms <= MOST_MS { "kept" } else { "NOT kept" };
    let notes = vec![
        format!(
            "{} streams opened in {:.1} s; the process of the api, orchestrator and writer grew by {:.1} KiB for each",
            runs.len(),
            opened.as_secs_f64(),
            bytes_each / 1024.0
        ),
        format!("{events} events at the clients, {timed} of them timed; {incomplete} clients missed one"),
        format!(
            "at most {MOST_MS} ms for 99 of 100 events and {} KiB for a client: {kept}",
            MOST_BYTES / 1024.0
        ),
    ];
    let what = "one row per event, not per run: from the arrival of its PUBLISH at a plain Redis subscriber to its arrival at the \
                client's event stream; all clients are tasks of this process, on the same cores";
    Ok(Section {
        scenario: Scenario::Streams,
        what: what.to_owned(),
        phases: vec![phase],
        faults: incomplete,
        notes,
    })
}

/// Runs that have begun and wait for time alone.
async fn rest(stage: &Stage, count: u64) -> anyhow::Result<Vec<ExecutionId>> {
    let url = stage.api.save(&definitions::rest()).await?;
    let (mut runs, count) = (Vec::new(), usize::try_from(count)?);
    while runs.len() < count {
        let inputs = vec![json!({}); RUNS_PER_CALL.min(count - runs.len())];
        runs.extend(stage.api.submit_batch(&url, &json!({"inputs": inputs})).await?);
    }
    let resting = async {
        while stage.bus.line(1).await?.waiting > 0 {
            tokio::time::sleep(POLL).await;
        }
        stage.settle().await
    };
    tokio::time::timeout(PATIENCE, resting).await.context("the runs did not come to rest")??;
    Ok(runs)
}

/// A stream for each run, past the snapshot that it begins with.
async fn open(stage: &Stage, runs: &[ExecutionId]) -> anyhow::Result<Vec<EventStream>> {
    let opened = stream::iter(runs).map(async |run| {
        let mut stream = stage.api.events(&format!("/executions/{run}/events")).await?;
        stream.next().await.context("a stream ended before it began")??;
        anyhow::Ok(stream)
    });
    opened.buffer_unordered(OPENED_AT_ONCE).try_collect().await
}

/// Cancels the runs at their pace, until every client has seen its run end.
async fn end_all(
    stage: &Stage,
    runs: &[ExecutionId],
    clients: Vec<EventStream>,
) -> anyhow::Result<Outcome<Vec<Seen>>> {
    let begun = Instant::now();
    let cancel = async {
        let mut ticks = tokio::time::interval(TICK);
        for some in runs.chunks(ENDS_PER_TICK) {
            ticks.tick().await;
            for run in some {
                stage.bus.cancel(*run, "bench").await?;
            }
        }
        anyhow::Ok(())
    };
    let watch = async {
        let mut outcome = Outcome::default();
        let mut watching: FuturesUnordered<_> = clients.into_iter().map(watch).collect();
        while let Some(seen) = watching.next().await {
            outcome.note(seen);
        }
        anyhow::Ok(outcome)
    };
    let ended = tokio::time::timeout(PATIENCE, async { tokio::try_join!(cancel, watch) });
    let ((), outcome) = ended.await.context("the runs did not end")??;
    Ok(Outcome { elapsed: begun.elapsed(), ..outcome })
}

/// What a client sees until its run has ended.
async fn watch(mut stream: EventStream) -> anyhow::Result<Vec<Seen>> {
    let mut seen = Vec::new();
    while let Some(message) = stream.next().await {
        let (message, at) = (message?, Instant::now());
        // Durable events alone have a number.
        if let Ok(Event { id, seq: Some(seq), .. }) = serde_json::from_str(&message.data) {
            seen.push(Seen { event: id, seq, at });
        }
        if is_terminal(&message.event) {
            return Ok(seen);
        }
    }
    anyhow::bail!("a stream ended before its run")
}

fn is_gapless(seen: &[Seen]) -> bool {
    !seen.is_empty() && seen.windows(2).all(|pair| pair[1].seq == pair[0].seq + 1)
}
