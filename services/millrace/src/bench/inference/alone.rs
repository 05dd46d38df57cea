//! One worker from its start, one warm job at a time: what a job costs beside its decoding, preparing and inference.

use std::time::Duration;

use millrace_contracts::JobMetrics;
use millrace_contracts::values::ImageValue;

use super::desk::{Desk, Done};
use super::kit::{CONVNET, Kit};
use super::tally::cost;
use super::{mib, ms};
use crate::bench::Bounds;
use crate::bench::cpu::Cpu;
use crate::bench::load::{Outcome, closed_loop};
use crate::bench::phase::Phase;
use crate::bench::stage::Stage;
use crate::bench::stats::{Times, millis};

/// Jobs before the ones that count.
const WARM_UP: usize = 16;

/// What was found.
pub(super) struct Alone {
    pub(super) phase: Phase,
    start: Duration,
    load: Duration,
    idle_bytes: u64,
    loaded_bytes: u64,
    outside: Times,
    /// Means over all jobs, ms.
    stages: Vec<(&'static str, f64)>,
}

/// Starts a worker and gives it one job after the other.
pub(super) async fn measure(kit: &Kit, stage: &Stage, pictures: &[ImageValue]) -> anyhow::Result<Alone> {
    let desk = Desk::open(kit, &stage.redis_url, "alone", &[]).await?;
    let idle_bytes = desk.resident_bytes();
    let first = desk.run(CONVNET, &pictures[0]).await?;
    let loaded_bytes = desk.resident_bytes();
    for picture in pictures.iter().skip(1).take(WARM_UP) {
        desk.run(CONVNET, picture).await?;
    }
    // Half the time: one at a time needs no more.
    let bounds = Bounds { time: stage.bounds.time / 2, ..stage.bounds };
    let rest = &pictures[1 + WARM_UP..];
    let (before, own) = (desk.cpu(), Cpu::own_ms());
    let desk_ref = &desk;
    let one = |number: u64| {
        let picture = &rest[usize::try_from(number).unwrap_or(0) % rest.len()];
        async move { desk_ref.run(CONVNET, picture).await }
    };
    let Outcome { done, errors, first_error, elapsed } = closed_loop(bounds, 1, &stage.stop, one).await;
    let cost = cost((&before, &desk.cpu()), Cpu::own_ms() - own, done.len());
    let start = desk.start;
    desk.close().await?;
    let outside = Times::of(done.iter().map(outside).collect());
    let stages = stages(&done);
    let outcome =
        Outcome { done: done.iter().map(|one| one.elapsed).collect(), errors, first_error, elapsed };
    let load = Duration::from_secs_f64(first.metrics.model_load_time_ms.max(0.0) / 1_000.0);
    let phase = Phase::new("worker, 1", 1, outcome, cost);
    Ok(Alone { phase, start, load, idle_bytes, loaded_bytes, outside, stages })
}

/// The time of a job that is not spent on the picture itself.
fn outside(done: &Done) -> Duration {
    let JobMetrics { decode_ms, preprocess_ms, inference_time_ms, .. } = &done.metrics;
    let inside = (decode_ms + preprocess_ms + inference_time_ms).max(0.0);
    done.elapsed.saturating_sub(Duration::from_secs_f64(inside / 1_000.0))
}

fn stages(done: &[Done]) -> Vec<(&'static str, f64)> {
    let mean = |of: fn(&JobMetrics) -> f64| {
        done.iter().map(|one| of(&one.metrics)).sum::<f64>() / done.len().max(1) as f64
    };
    let elapsed = done.iter().map(|one| millis(one.elapsed)).sum::<f64>() / done.len().max(1) as f64;
    vec![
        ("queue wait", mean(|metrics| metrics.queue_wait_ms)),
        ("fetch", mean(|metrics| metrics.fetch_ms)),
        ("decode", mean(|metrics| metrics.decode_ms)),
        ("prepare", mean(|metrics| metrics.preprocess_ms)),
        ("batch wait", mean(|metrics| metrics.batch_wait_ms)),
        ("inference", mean(|metrics| metrics.inference_time_ms)),
        ("read", mean(|metrics| metrics.postprocess_ms)),
        ("taken to reported", mean(|metrics| metrics.total_time_ms)),
        ("queued to report read", elapsed),
    ]
}

impl Alone {
    pub(super) fn notes(&self) -> Vec<String> {
        let Times { p50_ms, p99_ms, mean_ms, .. } = self.outside;
        let stages = self.stages.iter().map(|(name, ms)| format!("{name} {ms:.2}"));
        vec![
            format!(
                "a warm job alone, outside decode, preparing and inference: p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, mean \
                 {mean_ms:.2} ms"
            ),
            format!("its stages, mean ms: {}", stages.collect::<Vec<_>>().join(", ")),
            format!(
                "a worker from start to registered: {}; its first job loaded the model in {}",
                ms(self.start),
                ms(self.load)
            ),
            format!(
                "memory of a worker: {:.0} MiB before its first model, {:.0} MiB with it",
                mib(self.idle_bytes),
                mib(self.loaded_bytes)
            ),
        ]
    }
}
