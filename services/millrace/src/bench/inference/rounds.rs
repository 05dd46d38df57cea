//! The comparison: the bare loop and the other ways, turn by turn.

use std::time::Duration;

use super::Scene;
use super::bare::THREADS;
use super::tally::{Tally, cost, ratio};
use super::ways::WAYS;
use crate::bench::Bounds;
use crate::bench::cpu::Cpu;
use crate::bench::load::Outcome;
use crate::bench::meter::Cost;
use crate::bench::phase::Phase;

/// Turns of each way.
const ROUNDS: u32 = 3;

/// The phases, and lines that compare them.
pub(super) async fn play(scene: &mut Scene<'_>) -> anyhow::Result<(Vec<Phase>, Vec<String>)> {
    let bounds = Bounds { time: scene.stage.bounds.time / ROUNDS, ..scene.stage.bounds };
    let mut bare = Tally::default();
    let mut tallies = WAYS.map(|way| (way, Tally::default()));
    // Every job takes the next picture, whoever asks for it.
    let mut first = 0;
    for _ in 0..ROUNDS {
        if scene.stage.stop.is_cancelled() {
            break;
        }
        let (outcome, cost) = bare_turn(scene, bounds.time).await?;
        bare.add(outcome, cost);
        for (way, tally) in &mut tallies {
            let (outcome, cost) = way.turn(scene, bounds, first).await?;
            first += outcome.done.len() as u64;
            tally.add(outcome, cost);
        }
    }
    let compared = tallies.iter().map(|(way, tally)| {
        let rate = ratio(tally.rounds(), bare.rounds(), |round| round.per_second);
        let cpu = ratio(tally.rounds(), bare.rounds(), |round| round.cpu_ms_each);
        format!(
            "{}, against the bare loop: {rate:.2} × the pictures per second, {cpu:.2} × the CPU per picture",
            way.name
        )
    });
    let notes = compared.collect();
    let mut phases = vec![bare.phase(&format!("bare, {THREADS} threads"), THREADS)];
    phases.extend(tallies.into_iter().map(|(way, tally)| tally.phase(way.name, way.in_flight)));
    Ok((phases, notes))
}

async fn bare_turn(scene: &mut Scene<'_>, time: Duration) -> anyhow::Result<(Outcome<Duration>, Cost)> {
    let turn = scene.bare.turn(time).await?;
    let runs = turn.microseconds.len();
    let done = turn.microseconds.into_iter().map(Duration::from_micros).collect();
    let outcome = Outcome { done, elapsed: Duration::from_secs_f64(turn.seconds), ..Outcome::default() };
    let cpu = Cpu([("bare loop", turn.cpu_ms)].into());
    Ok((outcome, cost((&Cpu::default(), &cpu), 0.0, runs)))
}
