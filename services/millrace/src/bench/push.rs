//! `push`: how long an event takes from its commit to a client. 50 clients each follow runs of their own, at a pace that
//! leaves the machine room.
//!
//! Rule: both ends are read from one clock. A subscription of our own to the same Redis tells when an event was published,
//! which the commit does; its way to us is about that of the physical limit, which stands above in the report.

use std::time::{Duration, Instant};

use millrace_contracts::{Event, UnixMillis};
use millrace_tasks::{OnCancel, OnError, TaskKind};

use super::dag::Scene;
use super::load::{Outcome, closed_loop};
use super::meter::Meter;
use super::phase::Phase;
use super::published::Published;
use super::report::Section;
use super::stage::{Scenario, Stage};
use super::stats::Times;

const CLIENTS: usize = 50;
/// Each client begins a run about so often.
const PAUSE: Duration = Duration::from_secs(1);

/// One event at one client.
struct Seen {
    /// Its id.
    event: String,
    /// When it came.
    at: Instant,
    /// Since the orchestrator gave it its time, milliseconds.
    since_time_ms: u64,
}

/// Plays the scenario.
pub(crate) async fn play(stage: &Stage) -> anyhow::Result<Section> {
    let scene = Scene::set(stage).await?;
    let published = Published::default();
    let kind = TaskKind::new("bench.published", OnError::Stop, OnCancel::Abort);
    scene.tasks.spawn(kind, published.clone().listen(stage.bus.clone()));
    let meter = Meter::start(stage).await?;
    let one = |number| follow_one(&scene, number);
    let outcome = closed_loop(stage.bounds, CLIENTS, &stage.stop, one).await;
    let runs = outcome.done.len();
    let cost = meter.stop(stage, runs).await?;
    scene.tasks.drain(Duration::from_secs(2)).await?;

    let seen: Vec<Seen> = outcome.done.into_iter().flatten().collect();
    let latencies = published.latencies(seen.iter().map(|seen| (seen.event.as_str(), seen.at)));
    let since_time = Times::of(seen.iter().map(|seen| Duration::from_millis(seen.since_time_ms)).collect());
    let notes = vec![
        format!("{runs} runs; {} events, {} of them timed", seen.len(), latencies.len()),
        format!(
            "from the event's own time, given before the commit and rounded down to 1 ms: p50 {} ms, p99 {} ms",
            since_time.p50_ms, since_time.p99_ms
        ),
    ];
    let (errors, first_error, elapsed) = (outcome.errors, outcome.first_error, outcome.elapsed);
    let outcome = Outcome { done: latencies, errors, first_error, elapsed };
    let mut phase = Phase::new(format!("{CLIENTS} clients"), CLIENTS, outcome, cost);
    phase.per_second = seen.len() as f64 / elapsed.as_secs_f64().max(f64::EPSILON);
    let what = "one row per event, not per run: from the arrival of its PUBLISH at a plain Redis subscriber to its arrival \
                at the client's event stream; each of 50 clients follows a run of its own about once a second. An upper \
                bound: events from before the stream was open are replayed and count too (costs are per run)";
    Ok(Section { scenario: Scenario::Push, what: what.to_owned(), phases: vec![phase], faults: 0, notes })
}

/// A pause of its own length, then one run, followed live.
async fn follow_one(scene: &Scene<'_>, number: u64) -> anyhow::Result<Vec<Seen>> {
    // Spread over the pause by the golden ratio, so that clients do not march in step.
    let share = (number as f64 * 0.618_034).fract();
    tokio::time::sleep(PAUSE.mul_f64(0.5 + share)).await;
    let run = scene.stage.api.submit(&scene.submission).await?;
    let mut seen = Vec::new();
    scene
        .stage
        .api
        .follow(run, |message| {
            let (at, now) = (Instant::now(), UnixMillis::now());
            // Durable events alone; the parser repeats the last id for messages that have none.
            if let Ok(event) = serde_json::from_str::<Event>(&message.data)
                && event.seq.is_some()
            {
                seen.push(Seen { event: event.id, at, since_time_ms: now.since(event.time) });
            }
        })
        .await?;
    Ok(seen)
}
