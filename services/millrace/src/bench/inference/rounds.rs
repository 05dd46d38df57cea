//! The comparison: bare loop, worker and whole system, turn by turn, at 8 and at 32 concurrent.

use std::time::{Duration, Instant};

use super::bare::THREADS;
use super::tally::{Tally, cost, ratio};
use super::{CONVNET, Scene, options};
use crate::bench::Bounds;
use crate::bench::api::Submission;
use crate::bench::cpu::Cpu;
use crate::bench::load::{Outcome, closed_loop};
use crate::bench::meter::{Cost, Meter};
use crate::bench::phase::Phase;

/// Turns of each way.
const ROUNDS: u32 = 3;
const CONCURRENT: [usize; 2] = [8, 32];

/// The phases, and lines that compare them.
pub(super) async fn play(scene: &mut Scene<'_>) -> anyhow::Result<(Vec<Phase>, Vec<String>)> {
    let bounds = Bounds { time: scene.stage.bounds.time / ROUNDS, ..scene.stage.bounds };
    let mut bare = Tally::default();
    let (mut workers, mut wholes) =
        ([Tally::default(), Tally::default()], [Tally::default(), Tally::default()]);
    // Every job takes the next picture, whoever asks for it.
    let mut first = 0;
    for _ in 0..ROUNDS {
        if scene.stage.stop.is_cancelled() {
            break;
        }
        let (outcome, cost) = bare_turn(scene, bounds.time).await?;
        bare.add(outcome, cost);
        for (at, in_flight) in CONCURRENT.into_iter().enumerate() {
            let (outcome, cost) = worker_turn(scene, bounds, (in_flight, first)).await;
            first += outcome.done.len() as u64;
            workers[at].add(outcome, cost);
            let (outcome, cost) = whole_turn(scene, bounds, (in_flight, first)).await?;
            first += outcome.done.len() as u64;
            wholes[at].add(outcome, cost);
        }
    }
    let mut notes = Vec::new();
    for (name, ways) in [("worker", &workers), ("whole", &wholes)] {
        for (in_flight, way) in CONCURRENT.into_iter().zip(ways) {
            let rate = ratio(way.rounds(), bare.rounds(), |round| round.per_second);
            let cpu = ratio(way.rounds(), bare.rounds(), |round| round.cpu_ms_each);
            notes.push(format!(
                "{name}, {in_flight} concurrent, against the bare loop: {rate:.2} × the pictures per second, {cpu:.2} × \
                 the CPU per picture"
            ));
        }
    }
    let mut phases = vec![bare.phase(&format!("bare, {THREADS} threads"), THREADS)];
    for (name, ways) in [("worker", workers), ("whole", wholes)] {
        let named = |(in_flight, way): (usize, Tally)| way.phase(&format!("{name}, {in_flight}"), in_flight);
        phases.extend(CONCURRENT.into_iter().zip(ways).map(named));
    }
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

async fn worker_turn(
    scene: &Scene<'_>,
    bounds: Bounds,
    (in_flight, first): (usize, u64),
) -> (Outcome<Duration>, Cost) {
    let (before, own) = (scene.desk.cpu(), Cpu::own_ms());
    let one =
        |number| async move { Ok(scene.desk.run(CONVNET, scene.picture(first + number)).await?.elapsed) };
    let outcome = closed_loop(bounds, in_flight, &scene.stage.stop, one).await;
    let cost = cost((&before, &scene.desk.cpu()), Cpu::own_ms() - own, outcome.done.len());
    (outcome, cost)
}

async fn whole_turn(
    scene: &Scene<'_>,
    bounds: Bounds,
    (in_flight, first): (usize, u64),
) -> anyhow::Result<(Outcome<Duration>, Cost)> {
    let meter = Meter::start(scene.stage).await?;
    let outcome =
        closed_loop(bounds, in_flight, &scene.stage.stop, |number| whole(scene, first + number)).await;
    let cost = meter.stop(scene.stage, outcome.done.len()).await?;
    Ok((outcome, cost))
}

/// One run, from before its submission to its terminal event at the client.
pub(super) async fn whole(scene: &Scene<'_>, number: u64) -> anyhow::Result<Duration> {
    let submission = Submission::new(&scene.runs, &options(scene.picture(number)));
    let begun = Instant::now();
    let (_, ended) = scene.stage.api.run_and_follow(&submission).await?;
    Ok(ended.saturating_duration_since(begun))
}
