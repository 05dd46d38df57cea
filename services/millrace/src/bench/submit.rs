//! `submit`: how many durable acceptances per second, of runs that are nothing but an input and an output; and how long one takes
//! at half of that.

use std::time::Instant;

use serde_json::json;

use super::api::Submission;
use super::definitions;
use super::load::{MOST_UNDER_WAY, closed_loop, open_loop};
use super::meter::Meter;
use super::phase::Phase;
use super::report::Section;
use super::stage::{Scenario, Stage};

const IN_FLIGHT: [usize; 3] = [1, 32, 128];
/// What an acceptance should take at most at half of the best rate, 99 of 100 times.
const TARGET_P99_MS: f64 = 50.0;

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
    let mut notes = Vec::new();
    if let Some(paced) = paced(stage, &phases, &submission).await? {
        notes.push(format!(
            "at half of the best rate 99 of 100 were accepted within {:.1} ms of the moment at which they were due (target: \
             {TARGET_P99_MS} ms)",
            paced.times.p99_ms
        ));
        phases.push(paced);
    }
    let what = "POST …/run of an input and an output; timed to the 202, which waits for the commit (the costs hold the \
                runs' whole walk and record)";
    Ok(Section { scenario: Scenario::Submit, what: what.to_owned(), phases, faults: 0, notes })
}

/// Half of the best rate of `phases`, on schedule; none when nothing was accepted, or time is up.
async fn paced(stage: &Stage, phases: &[Phase], submission: &Submission) -> anyhow::Result<Option<Phase>> {
    let best = phases.iter().map(|phase| phase.per_second).fold(0.0, f64::max);
    if best <= 0.0 || stage.stop.is_cancelled() {
        return Ok(None);
    }
    let rate = best / 2.0;
    let one = |due: Instant| async move {
        stage.api.submit(submission).await?;
        Ok(due.elapsed())
    };
    let meter = Meter::start(stage).await?;
    let outcome = open_loop(stage.bounds, rate, &stage.stop, one).await;
    let cost = meter.stop(stage, outcome.done.len()).await?;
    Ok(Some(Phase::new(format!("{rate:.0} per second"), MOST_UNDER_WAY, outcome, cost)))
}
