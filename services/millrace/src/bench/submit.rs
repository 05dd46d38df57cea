//! `submit`: how many durable acceptances per second, of runs that are nothing but an input and an output.

use std::time::Instant;

use serde_json::json;

use super::definitions;
use super::load::closed_loop;
use super::meter::Meter;
use super::phase::Phase;
use super::report::Section;
use super::stage::{Scenario, Stage};

const IN_FLIGHT: [usize; 3] = [1, 32, 128];

/// Plays the scenario.
pub(crate) async fn play(stage: &Stage) -> anyhow::Result<Section> {
    let submission = stage.api.prepare(&definitions::nothing(), &json!({"input": {"number": 7}})).await?;
    let one = |_| async {
        let begun = Instant::now();
        stage.api.submit(&submission).await?;
        Ok(begun.elapsed())
    };
    let mut phases = Vec::new();
    for in_flight in IN_FLIGHT {
        if stage.stop.is_cancelled() {
            break;
        }
        let meter = Meter::start(stage).await?;
        let outcome = closed_loop(stage.bounds, in_flight, &stage.stop, one).await;
        let cost = meter.stop(stage, outcome.done.len()).await?;
        phases.push(Phase::new(format!("{in_flight} in flight"), in_flight, outcome, cost));
    }
    let what = "POST …/run of an input and an output; timed to the 202, which waits for the commit (the costs hold the \
                runs' whole walk and record)";
    Ok(Section { scenario: Scenario::Submit, what: what.to_owned(), phases, faults: 0, notes: Vec::new() })
}
