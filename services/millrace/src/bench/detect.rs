//! `detect`: the demo's workflow, decode → model → drawing, through the whole system.

use std::time::{Duration, Instant};

use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind};
use serde_json::json;

use super::ends::Ends;
use super::load::closed_loop;
use super::meter::Meter;
use super::phase::Phase;
use super::report::Section;
use super::stage::{Scenario, Stage};
use super::{Bounds, definitions};

const CONCURRENT: [usize; 4] = [1, 8, 32, 100];
/// Pictures before the first phase: the model is loaded with the first.
const WARM_UP: u64 = 16;
const GRACE: Duration = Duration::from_secs(2);

/// Plays the scenario.
pub(crate) async fn play(stage: &Stage) -> anyhow::Result<Section> {
    let picture = stage.api.upload(definitions::SCENE, "image/jpeg").await?;
    let options = json!({"input": {"photo": picture}});
    let submission = stage.api.prepare(&definitions::detect(), &options).await?;
    let tasks = Supervisor::under(&stage.stop);
    let (ends, feed) = (Ends::default(), Ends::open(&stage.bus).await?);
    tasks.spawn(TaskKind::new("bench.ends", OnError::Stop, OnCancel::Abort), ends.clone().read(feed));

    let one = |_| async {
        let begun = Instant::now();
        let run = stage.api.submit(&submission).await?;
        Ok(ends.completion(run).await?.saturating_duration_since(begun))
    };
    let warmed = closed_loop(Bounds { count: WARM_UP, ..stage.bounds }, 4, &stage.stop, one).await;
    anyhow::ensure!(warmed.errors == 0, "the first runs failed: {}", warmed.first_error.unwrap_or_default());
    let mut phases = Vec::new();
    for in_flight in CONCURRENT {
        if stage.stop.is_cancelled() {
            break;
        }
        let meter = Meter::start(stage).await?;
        let outcome = closed_loop(stage.bounds, in_flight, &stage.stop, one).await;
        let cost = meter.stop(stage, outcome.done.len()).await?;
        phases.push(Phase::new(format!("{in_flight} concurrent"), in_flight, outcome, cost));
    }
    tasks.drain(GRACE).await?;
    let what = "the demo workflow on its picture, by blob reference: detection and drawing; timed from before the \
                submission to the terminal event on the Redis channel; one run is one picture";
    Ok(Section { scenario: Scenario::Detect, what: what.to_owned(), phases, faults: 0, notes: Vec::new() })
}
