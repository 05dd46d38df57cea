//! A 200 MB model is loaded while a small one is in use: what the users of the small one notice.

use std::time::{Duration, Instant};

use millrace_contracts::values::ImageValue;

use super::desk::Desk;
use super::kit::{CONVNET, HEAVY, Kit};
use super::ms;
use super::tally::cost;
use crate::bench::Bounds;
use crate::bench::cpu::Cpu;
use crate::bench::load::{Outcome, closed_loop};
use crate::bench::phase::Phase;
use crate::bench::stage::Stage;

/// Jobs of the small model under way; few, so that waiting is not queueing.
const IN_FLIGHT: usize = 2;

/// Two phases, without and with loads beside them, and what the loads took.
pub(super) async fn measure(
    kit: &Kit,
    stage: &Stage,
    pictures: &[ImageValue],
) -> anyhow::Result<(Vec<Phase>, Vec<String>)> {
    kit.write_heavy_model()?;
    let desk = Desk::open(kit, &stage.redis_url, "cold", &[]).await?;
    desk.run(CONVNET, &pictures[0]).await?;
    let quiet = phase(&desk, stage, pictures, "hot model alone").await;
    let loads = async {
        let mut took = Vec::new();
        for heavy in HEAVY {
            let begun = Instant::now();
            let done = desk.run(heavy, &pictures[0]).await?;
            took.push((begun.elapsed(), done.metrics.model_load_time_ms));
        }
        anyhow::Ok(took)
    };
    let (busy, loads) = tokio::join!(phase(&desk, stage, pictures, "hot model, loads beside"), loads);
    let loads = loads?;
    desk.close().await?;
    let bytes = kit.model_bytes(HEAVY[0])?;
    let longest = loads.iter().map(|(took, _)| *took).max().unwrap_or_default();
    let loading: Vec<String> = loads.iter().map(|(_, ms)| format!("{ms:.0}")).collect();
    let note = format!(
        "cold loads of a model of {:.0} MB, each by a first job: {} ms of loading, {} at most from queued to done; the hot \
         model's p99 went from {:.1} to {:.1} ms",
        bytes as f64 / 1e6,
        loading.join(", "),
        ms(longest),
        quiet.times.p99_ms,
        busy.times.p99_ms
    );
    Ok((vec![quiet, busy], vec![note]))
}

async fn phase(desk: &Desk, stage: &Stage, pictures: &[ImageValue], name: &str) -> Phase {
    let bounds = Bounds { time: stage.bounds.time / 2, ..stage.bounds };
    let (before, own) = (desk.cpu(), Cpu::own_ms());
    let one = |number: u64| {
        let picture = &pictures[usize::try_from(number).unwrap_or(0) % pictures.len()];
        async move { Ok(desk.run(CONVNET, picture).await?.elapsed) }
    };
    let outcome: Outcome<Duration> = closed_loop(bounds, IN_FLIGHT, &stage.stop, one).await;
    let cost = cost((&before, &desk.cpu()), Cpu::own_ms() - own, outcome.done.len());
    Phase::new(name, IN_FLIGHT, outcome, cost)
}
