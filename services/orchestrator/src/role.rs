//! The role: what it needs, the tasks it is made of, and its orderly end.

use std::collections::BTreeSet;
use std::sync::Arc;

use millrace_blobs::Blobs;
use millrace_bus::Bus;
use millrace_config::Orchestrator;
use millrace_store::Store;
use millrace_tasks::{CancellationToken, OnCancel, OnError, Supervisor, TaskKind};
use tokio::sync::watch;

use crate::alarms::Alarms;
use crate::foresight::Foresight;
use crate::plans::Plans;
use crate::reuse::{self, Copies};
use crate::schedules::{self, Desk};
use crate::{OrchestratorError, alarms, callbacks, fleet, lane, line, membership, sweeper};

/// What the orchestrator works with.
#[derive(Clone)]
pub struct Deps {
    /// Redis.
    pub bus: Bus,
    /// Postgres: asked by the sweeper and for rebuilding lost runs, never on a run's way.
    pub store: Store,
    /// Definitions and large values.
    pub blobs: Blobs,
}

/// What all tasks of the role share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) bus: Bus,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) plans: Plans,
    pub(crate) alarms: Alarms,
    /// Which copies of models the fleet has.
    pub(crate) copies: Copies,
    /// Which models workers were told to expect.
    pub(crate) foresight: Arc<Foresight>,
    /// Where lanes leave the cues of schedules.
    pub(crate) desk: Desk,
    pub(crate) settings: Arc<Orchestrator>,
    /// This process among the replicas; new with every start, so that it cannot be taken for a dead predecessor.
    pub(crate) replica: Arc<str>,
}

/// Walks workflows until `shutdown`; then finishes the batches in hand and gives its partitions back.
///
/// # Errors
/// A task that the role cannot live without failed.
pub async fn run(
    deps: Deps,
    settings: Orchestrator,
    shutdown: CancellationToken,
) -> Result<(), OrchestratorError> {
    let Deps { bus, store, blobs } = deps;
    let grace = settings.grace;
    let lanes = settings.lanes.max(1);
    let (desk, cues) = schedules::desk();
    let shared = Shared {
        plans: Plans::new(blobs.clone(), settings.cached_plans),
        bus,
        store,
        blobs,
        alarms: Alarms::default(),
        copies: Copies::default(),
        foresight: Arc::default(),
        desk,
        settings: Arc::new(settings),
        replica: format!("orchestrator-{}", uuid::Uuid::new_v4().simple()).into(),
    };
    let supervisor = Supervisor::under(&shutdown);
    let stop = supervisor.token();
    let (sender, owned) = watch::channel(BTreeSet::new());
    // Each of their steps may be repeated, so that none is worth waiting for: without Redis it would be long.
    let looks_after = |name| TaskKind::new(name, OnError::Stop, OnCancel::Abort);
    supervisor.spawn(looks_after("orchestrator.membership"), membership::run(shared.clone(), sender));
    supervisor.spawn(looks_after("orchestrator.alarms"), alarms::run(shared.clone(), owned.clone()));
    supervisor.spawn(looks_after("orchestrator.sweeper"), sweeper::run(shared.clone(), owned.clone()));
    let reconciler = schedules::reconcile(shared.clone(), owned.clone());
    supervisor.spawn(looks_after("orchestrator.reconciler"), reconciler);
    let callbacks = callbacks::reconcile(shared.clone(), owned.clone());
    supervisor.spawn(looks_after("orchestrator.callbacks"), callbacks);
    supervisor.spawn(looks_after("orchestrator.line"), line::run(shared.clone()));
    supervisor.spawn(looks_after("orchestrator.fleet"), fleet::run(shared.clone()));
    if shared.settings.cache_results {
        supervisor.spawn(looks_after("orchestrator.copies"), reuse::watch(shared.clone()));
    }
    let must_end = |name| TaskKind::new(name, OnError::Stop, OnCancel::Wait);
    supervisor.spawn(must_end("orchestrator.schedules"), schedules::run(shared.clone(), cues, stop.clone()));
    for number in 0..lanes {
        let lane = lane::run(shared.clone(), number, owned.clone(), stop.clone());
        supervisor.spawn(must_end("orchestrator.lane"), lane);
    }
    tracing::info!(replica = %shared.replica, lanes, "the orchestrator is ready");
    let ended = supervisor.run(shutdown, grace).await;
    let partitions = owned.borrow().clone();
    membership::leave(&shared, &partitions).await;
    Ok(ended?)
}
