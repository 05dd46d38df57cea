//! `fairness`: what a lone run feels of a batch of 10,000 of another workflow, and how quickly a run with many jobs ends
//! when it is cancelled.
//!
//! Rule: a lone run is the same work on both sides of a ratio, on a picture that nobody has decoded before.

mod batch;
mod cancel;
mod lone;

use std::time::Duration;

use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind};

use self::batch::Crowd;
use self::lone::Lone;
use super::ends::Ends;
use super::load::{Outcome, closed_loop};
use super::meter::{Cost, Meter};
use super::phase::Phase;
use super::report::Section;
use super::stage::{Scenario, Stage};
use super::{Bounds, definitions};

/// Lone runs of each phase, one after the other, unless the bounds end it before.
const LONE_RUNS: u64 = 40;
/// Runs before the first phase: the model is loaded with the first.
const WARM_UP: u64 = 5;
/// What a lone run behind a batch may take, as a multiple of what it takes on an idle instance.
const PROMISE: f64 = 2.0;
const GRACE: Duration = Duration::from_secs(2);

/// Plays the scenario.
pub(crate) async fn play(stage: &Stage) -> anyhow::Result<Section> {
    let tasks = Supervisor::under(&stage.stop);
    let (ends, feed) = (Ends::default(), Ends::open(&stage.bus).await?);
    tasks.spawn(TaskKind::new("bench.ends", OnError::Stop, OnCancel::Abort), ends.clone().read(feed));
    let lone = Lone::set(stage, &ends).await?;
    let bounds = Bounds { count: LONE_RUNS, ..stage.bounds };
    let warmed = closed_loop(Bounds { count: WARM_UP, ..stage.bounds }, 1, &stage.stop, |_| lone.run()).await;
    anyhow::ensure!(warmed.errors == 0, "the first runs failed: {}", warmed.first_error.unwrap_or_default());

    lone.spent();
    let meter = Meter::start(stage).await?;
    let outcome = closed_loop(bounds, 1, &stage.stop, |_| lone.run()).await;
    let cost = meter.stop(stage, outcome.done.len()).await?;
    let alone = Phase::new("one alone", 1, outcome, cost);

    let spent_alone = lone.spent();
    let cancelled = cancel::measure(stage).await?;
    let crowd = Crowd::submit(stage).await?;
    let before = crowd.look().await?;
    let outcome: Outcome<Duration> = closed_loop(bounds, 1, &stage.stop, |_| lone.run()).await;
    let after = crowd.look().await?;
    let behind = Phase::new("one behind a batch", 1, outcome, Cost::default());
    let spent_behind = lone.spent();
    let withdrawn = crowd.withdraw().await?;
    tasks.drain(GRACE).await?;

    let ratio = behind.times.p50_ms / alone.times.p50_ms;
    let ratio_p95 = behind.times.p95_ms / alone.times.p95_ms;
    let verdict = if ratio <= PROMISE { "kept" } else { "NOT kept" };
    let mut notes = vec![
        format!("p95 alone {:.1} ms, behind a batch {:.1} ms", alone.times.p95_ms, behind.times.p95_ms),
        format!(
            "behind a batch / alone: p50 {ratio:.2}, p95 {ratio_p95:.2}; at most {PROMISE} of p50 is {verdict}"
        ),
        format!("a run alone: {spent_alone}"),
        format!("a run behind a batch: {spent_behind}"),
        crowd.story(&before, &after),
        withdrawn,
    ];
    notes.push(cancelled.to_string());
    let what = "an image, a detection and a drawing, one run after the other, on an idle instance and behind 10,000 runs of \
                another workflow (resize, detection); timed from before the submission to the terminal event on the Redis \
                channel";
    let faults = cancelled.faults();
    Ok(Section {
        scenario: Scenario::Fairness,
        what: what.to_owned(),
        phases: vec![alone, behind],
        faults,
        notes,
    })
}

/// The scene with `number` behind its last byte: another blob, the same picture.
fn scene(number: u64) -> Vec<u8> {
    let mut bytes = definitions::SCENE.to_vec();
    bytes.extend(number.to_be_bytes());
    bytes
}
