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
use crate::plans::Plans;
use crate::reuse::{self, Copies};
use crate::schedules::{self, Desk};
use crate::{OrchestratorError, alarms, callbacks, lane, line, membership, sweeper};

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
        desk,
        settings: Arc::new(settings),
        replica: format!("orchestrator-{}", uuid::Uuid::new_v4().simple()).into(),
    };
    let supervisor = Supervisor::under(&shutdown);
    let stop = supervisor.token();
    let (sender, owned) = watch::channel(BTreeSet::new());
    let must_live = |name| TaskKind::new(name, OnError::Stop, OnCancel::Wait);
    supervisor
        .spawn(must_live("orchestrator.membership"), membership::run(shared.clone(), sender, stop.clone()));
    supervisor
        .spawn(must_live("orchestrator.alarms"), alarms::run(shared.clone(), owned.clone(), stop.clone()));
    supervisor
        .spawn(must_live("orchestrator.sweeper"), sweeper::run(shared.clone(), owned.clone(), stop.clone()));
    supervisor.spawn(must_live("orchestrator.schedules"), schedules::run(shared.clone(), cues, stop.clone()));
    supervisor.spawn(
        must_live("orchestrator.reconciler"),
        schedules::reconcile(shared.clone(), owned.clone(), stop.clone()),
    );
    supervisor.spawn(
        must_live("orchestrator.callbacks"),
        callbacks::reconcile(shared.clone(), owned.clone(), stop.clone()),
    );
    supervisor.spawn(must_live("orchestrator.line"), line::run(shared.clone(), stop.clone()));
    if shared.settings.cache_results {
        let kind = TaskKind::new("orchestrator.copies", OnError::Log, OnCancel::Wait);
        supervisor.spawn(kind, reuse::watch_fleet(shared.clone(), stop.clone()));
    }
    for number in 0..lanes {
        let lane = lane::run(shared.clone(), number, owned.clone(), stop.clone());
        supervisor.spawn(must_live("orchestrator.lane"), lane);
    }
    tracing::info!(replica = %shared.replica, lanes, "the orchestrator is ready");
    let ended = supervisor.run(shutdown, grace).await;
    let partitions = owned.borrow().clone();
    if let Err(error) = membership::leave(&shared, &partitions).await {
        tracing::warn!(error = %error, "leases could not be given back; they end by themselves");
    }
    Ok(ended?)
}
