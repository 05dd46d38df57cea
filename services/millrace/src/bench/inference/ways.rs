//! The ways of having pictures looked at that are compared with the bare loop.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::tally::cost;
use super::{BLOCK, CONVNET, Scene, config};
use crate::bench::api::{Api, Submission};
use crate::bench::cpu::Cpu;
use crate::bench::load::{Outcome, closed_loop};
use crate::bench::meter::{Cost, Meter};
use crate::bench::{Bounds, definitions};

/// All of them.
pub(super) const WAYS: [Way; 7] = [
    Way { name: "worker, 8", in_flight: 8, how: How::Job { reduced: false } },
    Way { name: "worker, 32", in_flight: 32, how: How::Job { reduced: false } },
    Way { name: "worker, 32, reduced_decode", in_flight: 32, how: How::Job { reduced: true } },
    Way { name: "whole, 8", in_flight: 8, how: How::Run(Route::Whole) },
    Way { name: "whole, 32", in_flight: 32, how: How::Run(Route::Whole) },
    Way { name: "whole, 32, reduced_decode", in_flight: 32, how: How::Run(Route::Reduced) },
    Way { name: "whole, 2 runs of 32 pictures", in_flight: 2, how: How::Run(Route::Each) },
];

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) name: &'static str,
    /// Jobs or runs under way.
    pub(super) in_flight: usize,
    how: How,
}

#[derive(Debug, Clone, Copy)]
enum How {
    /// A job, put on the queue by this process.
    Job { reduced: bool },
    /// A run: REST, the terminal event of its own stream.
    Run(Route),
}

/// What is run.
#[derive(Debug, Clone, Copy)]
enum Route {
    /// One picture.
    Whole,
    /// One picture, decoded at less than its size.
    Reduced,
    /// A loop over pictures.
    Each,
}

/// Where runs are submitted.
pub(super) struct Routes {
    whole: String,
    reduced: String,
    each: String,
}

impl Routes {
    /// Saves the workflows.
    pub(super) async fn save(api: &Api) -> anyhow::Result<Self> {
        Ok(Self {
            whole: api.save(&definitions::inference(BLOCK, &config(CONVNET))).await?,
            reduced: api.save(&definitions::inference(BLOCK, &reduced(CONVNET))).await?,
            each: api.save(&definitions::inference_of_each(BLOCK, &config(CONVNET))).await?,
        })
    }

    fn of(&self, route: Route) -> &str {
        match route {
            Route::Whole => &self.whole,
            Route::Reduced => &self.reduced,
            Route::Each => &self.each,
        }
    }
}

impl Route {
    /// Of one run.
    fn pictures(self) -> u64 {
        match self {
            Self::Whole | Self::Reduced => 1,
            Self::Each => 32,
        }
    }

    /// Of a run of the pictures from the `first` on.
    fn input(self, scene: &Scene<'_>, first: u64) -> Value {
        let mut photos =
            (first..first + self.pictures()).map(|number| format!("blob:{}", scene.picture(number).blob));
        match self {
            Self::Whole | Self::Reduced => json!({"photo": photos.next()}),
            Self::Each => json!({"photos": photos.collect::<Vec<_>>()}),
        }
    }
}

impl Way {
    /// Keeps it busy within `bounds`, with pictures from the `first` on; what was done, for each picture, and what each cost.
    pub(super) async fn turn(
        self,
        scene: &Scene<'_>,
        bounds: Bounds,
        first: u64,
    ) -> anyhow::Result<(Outcome<Duration>, Cost)> {
        match self.how {
            How::Job { reduced } => {
                let (before, own) = (scene.desk.cpu(), Cpu::own_ms());
                let outcome = self.play(scene, bounds, |number| job(scene, first + number, reduced)).await;
                let used = Cpu::own_ms() - own;
                let cost = cost((&before, &scene.desk.cpu()), used, outcome.done.len());
                Ok((outcome, cost))
            }
            How::Run(route) => {
                let meter = Meter::start(scene.stage).await?;
                let pictures = route.pictures();
                let one = |number| run(scene, route, first + number * pictures);
                let mut outcome = self.play(scene, bounds, one).await;
                let of_each = |took| (0..pictures).map(move |_| took);
                outcome.done = outcome.done.into_iter().flat_map(of_each).collect();
                let cost = meter.stop(scene.stage, outcome.done.len()).await?;
                Ok((outcome, cost))
            }
        }
    }

    /// One picture each way that loads something.
    pub(super) async fn warm_up(scene: &Scene<'_>, number: u64) -> anyhow::Result<()> {
        job(scene, number, false).await?;
        run(scene, Route::Whole, number).await?;
        Ok(())
    }

    async fn play<F>(self, scene: &Scene<'_>, bounds: Bounds, one: impl FnMut(u64) -> F) -> Outcome<Duration>
    where
        F: Future<Output = anyhow::Result<Duration>>,
    {
        closed_loop(bounds, self.in_flight, &scene.stage.stop, one).await
    }
}

/// Configuration of the block that decodes at less than the picture's size.
fn reduced(model: &str) -> Value {
    let mut config = config(model);
    config["reduced_decode"] = json!(true);
    config
}

/// From before it was queued to its report.
async fn job(scene: &Scene<'_>, number: u64, is_reduced: bool) -> anyhow::Result<Duration> {
    let config = if is_reduced { reduced(CONVNET) } else { config(CONVNET) };
    Ok(scene.desk.run_as(CONVNET, config, scene.picture(number)).await?.elapsed)
}

/// From before its submission to its terminal event at the client.
async fn run(scene: &Scene<'_>, route: Route, first: u64) -> anyhow::Result<Duration> {
    let submission = Submission::new(scene.routes.of(route), &json!({"input": route.input(scene, first)}));
    let begun = Instant::now();
    let (_, ended) = scene.stage.api.run_and_follow(&submission).await?;
    Ok(ended.saturating_duration_since(begun))
}
