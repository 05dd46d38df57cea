//! `chain`: five transforms in a row, as one job and as five. The two take turns within one run of the benchmark, so that what
//! the machine does besides hits both.

use std::time::{Duration, Instant};

use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind};
use serde_json::json;

use super::api::Submission;
use super::ends::Ends;
use super::load::{Outcome, closed_loop};
use super::meter::{Cost, Meter};
use super::phase::Phase;
use super::report::Section;
use super::stage::{Scenario, Stage};
use super::{Bounds, definitions};

/// Width and height that the first step makes and the others work on.
const SIZES: [(u32, u32); 2] = [(640, 480), (1920, 1080)];
const IN_FLIGHT: usize = 16;
const WARM_UP: u64 = 4;
const GRACE: Duration = Duration::from_secs(2);

/// The same five steps, both ways.
struct Ways {
    size: String,
    together: Submission,
    apart: Submission,
}

/// Plays the scenario.
pub(crate) async fn play(stage: &Stage) -> anyhow::Result<Section> {
    let picture = stage.api.upload(definitions::SCENE, "image/jpeg").await?;
    let options = json!({"input": {"photo": picture}});
    let tasks = Supervisor::under(&stage.stop);
    let (ends, feed) = (Ends::default(), Ends::open(&stage.bus).await?);
    tasks.spawn(TaskKind::new("bench.ends", OnError::Stop, OnCancel::Abort), ends.clone().read(feed));
    let (mut phases, mut notes) = (Vec::new(), Vec::new());
    for (width, height) in SIZES {
        let ways = Ways {
            size: format!("{width}x{height}"),
            together: stage.api.prepare(&definitions::row((width, height), true), &options).await?,
            apart: stage.api.prepare(&definitions::row((width, height), false), &options).await?,
        };
        let alone = alone(stage, &ends, &ways).await?;
        notes.push(ratio(&ways.size, "p50 alone", alone[0].times.p50_ms, alone[1].times.p50_ms));
        phases.extend(alone);
        let many = many(stage, &ends, &ways).await?;
        let cpu = |of: usize| many.iter().skip(of).step_by(2).map(|phase| phase.cpu_ms_each).sum::<f64>();
        notes.push(ratio(&ways.size, &format!("CPU at {IN_FLIGHT} in flight"), cpu(0), cpu(1)));
        phases.extend(many);
    }
    tasks.drain(GRACE).await?;
    let what = "five transforms in a row, from the submission to the terminal event on the Redis channel: together they \
                are one job, apart five";
    Ok(Section { scenario: Scenario::Chain, what: what.to_owned(), phases, faults: 0, notes })
}

/// One run at a time, the two ways by turns.
async fn alone(stage: &Stage, ends: &Ends, ways: &Ways) -> anyhow::Result<[Phase; 2]> {
    let bounds = Bounds { time: stage.bounds.time * 2, ..stage.bounds };
    let outcome = closed_loop(bounds, 1, &stage.stop, |number| async move {
        let together = number % 2 == 0;
        let took = one(stage, ends, if together { &ways.together } else { &ways.apart }).await?;
        Ok((number, together, took))
    })
    .await;
    let of = |wanted: bool| {
        let chosen =
            outcome.done.iter().filter(|(number, together, _)| *number >= WARM_UP && *together == wanted);
        let done: Vec<Duration> = chosen.map(|(_, _, took)| *took).collect();
        let elapsed = done.iter().sum();
        Outcome { done, errors: outcome.errors, first_error: outcome.first_error.clone(), elapsed }
    };
    let phase = |name: &str, wanted| {
        Phase::new(format!("{}, alone, {name}", ways.size), 1, of(wanted), Cost::default())
    };
    Ok([phase("together", true), phase("apart", false)])
}

/// Many at a time: together, apart, and once more.
async fn many(stage: &Stage, ends: &Ends, ways: &Ways) -> anyhow::Result<Vec<Phase>> {
    let mut phases = Vec::new();
    for (name, way) in [("together", &ways.together), ("apart", &ways.apart)].repeat(2) {
        let meter = Meter::start(stage).await?;
        let outcome = closed_loop(stage.bounds, IN_FLIGHT, &stage.stop, |_| one(stage, ends, way)).await;
        let cost = meter.stop(stage, outcome.done.len()).await?;
        phases.push(Phase::new(
            format!("{}, {IN_FLIGHT} in flight, {name}", ways.size),
            IN_FLIGHT,
            outcome,
            cost,
        ));
    }
    Ok(phases)
}

async fn one(stage: &Stage, ends: &Ends, way: &Submission) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let run = stage.api.submit(way).await?;
    Ok(ends.completion(run).await?.saturating_duration_since(begun))
}

fn ratio(size: &str, what: &str, together: f64, apart: f64) -> String {
    format!("{size}: {what}, together to apart: {:.2}", together / apart)
}
