//! The stage of a benchmark: the instance from all its sides, and the scenarios played on it.

use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use millrace_bus::{Bus, BusSettings};
use millrace_config::Settings;
use millrace_store::{Store, StoreSettings};
use millrace_tasks::CancellationToken;
use serde::Serialize;

use super::api::Api;
use super::cpu::Roots;
use super::inference::Kit;
use super::report::Section;
use super::{Bounds, Place, chain, dag, detect, fairness, inference, push, streams, submit};
use crate::roles;

/// A queue that does not empty in this time is said to be what it is.
const DRAIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scenario {
    /// Ten steps, 1 → 8 → 1, that do nothing: what orchestration costs.
    Dag,
    /// The demo workflow: pictures per second.
    Detect,
    /// Five transforms in a row, as one job and as five.
    Chain,
    /// Acceptance alone: durable submissions per second.
    Submit,
    /// From the commit of an event to 50 clients.
    Push,
    /// 10,000 event streams at once, and the ends of their runs.
    Streams,
    /// A lone run behind a batch of 10,000, and the end of a cancelled loop.
    Fairness,
    /// A small model on many pictures, against a bare loop of the same work.
    Inference,
}

/// An instance from all its sides.
pub(crate) struct Stage {
    pub(crate) api: Api,
    pub(crate) bus: Bus,
    pub(crate) store: Option<Store>,
    /// Whose CPU time counts.
    pub(crate) roots: Roots,
    pub(crate) redis_url: String,
    /// The process that serves the api, where it is known.
    pub(crate) process: Option<u32>,
    pub(crate) bounds: Bounds,
    /// What `inference` works with; there on a private instance that it is played on.
    pub(crate) kit: Option<Kit>,
    pub(crate) stop: CancellationToken,
}

impl Stage {
    /// Connects to all of `place`. The prefix and the partitions are those of `settings`.
    pub(crate) async fn connect(
        place: &Place,
        settings: &Settings,
        bounds: Bounds,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let bus = BusSettings { url: place.redis_url.clone(), ..roles::bus_settings(settings) };
        let bus = Bus::connect(bus).await;
        let bus = bus.context("cannot use the instance's Redis")?;
        let store = match &place.database_url {
            None => None,
            Some(url) => {
                let schema = Some(settings.database.schema.clone());
                let mut settings = StoreSettings::new(url.clone());
                (settings.max_connections, settings.schema) = (2, schema);
                "millrace-bench".clone_into(&mut settings.application_name);
                Some(Store::connect(&settings)?)
            }
        };
        let mut roots = Roots(place.process.into_iter().collect());
        roots.0.insert(bus.server_counters().await?.process_id);
        if let Some(store) = &store {
            roots.add_parent_of(store.server_counters().await?.backend_process_id);
        }
        let (api, redis_url) = (Api::new(&place.api)?, place.redis_url.clone());
        let process = place.process;
        Ok(Self { api, bus, store, roots, redis_url, process, bounds, kit: None, stop })
    }

    /// Plays one scenario.
    pub(crate) async fn play(&self, scenario: Scenario) -> anyhow::Result<Section> {
        match scenario {
            Scenario::Dag => Box::pin(dag::play(self)).await,
            Scenario::Detect => Box::pin(detect::play(self)).await,
            Scenario::Chain => Box::pin(chain::play(self)).await,
            Scenario::Submit => Box::pin(submit::play(self)).await,
            Scenario::Fairness => Box::pin(fairness::play(self)).await,
            Scenario::Push => Box::pin(push::play(self)).await,
            Scenario::Streams => Box::pin(streams::play(self)).await,
            Scenario::Inference => Box::pin(inference::play(self)).await,
        }
    }

    /// Waits until everything that was submitted is done and recorded, so that its cost is counted and the next phase
    /// begins on an idle instance.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        let settled = tokio::time::timeout(DRAIN, async {
            loop {
                if self.bus.inbox_depth().await? == 0 && self.bus.recorder_lag().await?.entries == 0 {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(POLL).await;
            }
        });
        settled.await.with_context(|| format!("the instance was not done with its work {DRAIN:?} later"))?
    }
}
