//! `inference`: one small model on many pictures, against a bare loop of the same work in one process.
//!
//! Rule: the ways that are compared take turns within one run, and every job decodes a picture of its own.

mod alone;
mod bare;
pub(crate) mod bare_loop;
mod budget;
mod cold;
mod desk;
mod kit;
mod rounds;
mod tally;
mod ways;

use std::time::Duration;

use anyhow::Context as _;
use millrace_contracts::values::ImageValue;

use self::bare::BareLoop;
use self::desk::Desk;
pub(crate) use self::kit::{BLOCK, CONVNET, Kit, config};
use self::ways::{Routes, Way};
use super::report::Section;
use super::stage::{Scenario, Stage};

const WARM_UP: usize = 32;

/// Everything the phases need.
struct Scene<'a> {
    stage: &'a Stage,
    pictures: Vec<ImageValue>,
    routes: Routes,
    desk: Desk,
    bare: BareLoop,
}

impl Scene<'_> {
    fn picture(&self, number: u64) -> &ImageValue {
        &self.pictures[usize::try_from(number).unwrap_or(0) % self.pictures.len()]
    }
}

/// Plays the scenario.
pub(crate) async fn play(stage: &Stage) -> anyhow::Result<Section> {
    let kit = stage.kit.as_ref().context("`inference` needs a private instance")?;
    let pictures = kit.pictures(stage.bounds).await?;
    let alone = alone::measure(kit, stage, &pictures).await?;
    let desk = Desk::open(kit, &stage.redis_url, "throughput", &[]).await?;
    let routes = Routes::save(&stage.api).await?;
    let mut scene = Scene { stage, pictures, routes, desk, bare: BareLoop::start(kit).await? };
    warm_up(&scene).await?;
    let (mut phases, mut notes) = rounds::play(&mut scene).await?;
    let memory = scene.desk.resident_bytes().saturating_sub(scene.bare.session_bytes);
    notes.push(format!(
        "memory of the worker after the load, beyond what the model takes in the bare loop ({:.0} MiB): {:.0} MiB",
        mib(scene.bare.session_bytes),
        mib(memory)
    ));
    notes.extend(alone.notes());
    let Scene { desk, bare, pictures, .. } = scene;
    drop(bare);
    desk.close().await?;
    phases.push(alone.phase);
    for (more, said) in
        [cold::measure(kit, stage, &pictures).await?, budget::measure(kit, stage, &pictures).await?]
    {
        phases.extend(more);
        notes.extend(said);
    }
    let what = "a ResNet-18 of width 16 that classifies JPEGs of 640 × 480, each decoded anew; bare: file + decode + prepare + \
                run + read over the same files in one process of two threads; worker: jobs put on the queue by this process; whole: REST → run → the \
                terminal event of the run's own event stream; reduced_decode: the same, with JPEGs decoded at half their size, which the \
                bare loop does not do";
    Ok(Section { scenario: Scenario::Inference, what: what.to_owned(), phases, faults: 0, notes })
}

/// Loads the model everywhere.
async fn warm_up(scene: &Scene<'_>) -> anyhow::Result<()> {
    for number in 0..WARM_UP as u64 {
        Way::warm_up(scene, number).await?;
    }
    Ok(())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn ms(duration: Duration) -> String {
    format!("{:.1} ms", super::stats::millis(duration))
}
