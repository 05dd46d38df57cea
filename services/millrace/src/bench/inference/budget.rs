//! Two models in use at once, and room for one: every load of one unloads the other. What counts is that nothing fails,
//! and how few loads there are.

use millrace_contracts::values::ImageValue;

use super::desk::{Desk, Done};
use super::kit::{Kit, RIVALS};
use super::tally::cost;
use crate::bench::Bounds;
use crate::bench::cpu::Cpu;
use crate::bench::load::{Outcome, closed_loop};
use crate::bench::phase::Phase;
use crate::bench::stage::Stage;

const IN_FLIGHT: usize = 16;

/// One phase, half its jobs for either model, and how often they were loaded.
pub(super) async fn measure(
    kit: &Kit,
    stage: &Stage,
    pictures: &[ImageValue],
) -> anyhow::Result<(Vec<Phase>, Vec<String>)> {
    let desk = Desk::open(kit, &stage.redis_url, "budget", &[("MILLRACE__MODELS__MAX_LOADED", "1")]).await?;
    let bounds = Bounds { time: stage.bounds.time / 2, ..stage.bounds };
    let (before, own) = (desk.cpu(), Cpu::own_ms());
    let desk_ref = &desk;
    let one = |number: u64| {
        let number = usize::try_from(number).unwrap_or(0);
        let (model, picture) = (RIVALS[number % RIVALS.len()], &pictures[number % pictures.len()]);
        async move { desk_ref.run(model, picture).await }
    };
    let Outcome { done, errors, first_error, elapsed } =
        closed_loop(bounds, IN_FLIGHT, &stage.stop, one).await;
    let cost = cost((&before, &desk.cpu()), Cpu::own_ms() - own, done.len());
    desk.close().await?;
    let waited = done.iter().filter(|one: &&Done| one.metrics.model_load_time_ms > 0.0).count();
    // They alternate: taken strictly one by one, each but the first needs the other's place.
    let note = format!(
        "two models, room for one: {waited} of {} jobs waited for a load, {errors} failed; their order, taken one by one, forces {} \
         loads at least",
        done.len(),
        done.len()
    );
    let outcome =
        Outcome { done: done.into_iter().map(|one| one.elapsed).collect(), errors, first_error, elapsed };
    Ok((vec![Phase::new("two models, room for one", IN_FLIGHT, outcome, cost)], vec![note]))
}
