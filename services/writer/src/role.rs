//! The role: what it needs, the tasks it is made of, and its orderly end.

use std::sync::Arc;

use millrace_blobs::Blobs;
use millrace_bus::Bus;
use millrace_config::{Retention, Writer};
use millrace_store::Store;
use millrace_tasks::{CancellationToken, OnCancel, OnError, Supervisor, TaskKind};

use crate::{WriterError, fleet, lag, record, upkeep};

/// What the writer works with.
#[derive(Clone)]
pub struct Deps {
    /// Redis: where the events come from.
    pub bus: Bus,
    /// Postgres: where they go.
    pub store: Store,
    /// The blob store, which is kept tidy.
    pub blobs: Blobs,
    /// The `[retention]` settings: what is deleted when.
    pub retention: Retention,
}

/// What all tasks of the role share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) bus: Bus,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) settings: Arc<Writer>,
    pub(crate) retention: Arc<Retention>,
    /// This process among the replicas; new with every start, so that it cannot be taken for a dead predecessor.
    pub(crate) replica: Arc<str>,
}

/// Records events until `shutdown`; then finishes the batches in hand.
///
/// # Errors
/// Redis refuses the reader for a reason that waiting does not cure, or the batches in hand did not finish in time.
pub async fn run(deps: Deps, settings: Writer, shutdown: CancellationToken) -> Result<(), WriterError> {
    let grace = settings.grace;
    let shared = Shared {
        bus: deps.bus,
        store: deps.store,
        blobs: deps.blobs,
        settings: Arc::new(settings),
        retention: Arc::new(deps.retention),
        replica: format!("writer-{}", uuid::Uuid::new_v4().simple()).into(),
    };
    let supervisor = Supervisor::under(&shutdown);
    let stop = supervisor.token();
    // A lane without a partition would have nothing to read.
    for lane in 0..shared.settings.lanes.clamp(1, usize::from(shared.bus.partitions())) {
        let kind = TaskKind::new("writer.record", OnError::Stop, OnCancel::Wait);
        supervisor.spawn(kind, record::run(shared.clone(), lane, stop.clone()));
    }
    supervisor
        .spawn(TaskKind::new("writer.upkeep", OnError::Stop, OnCancel::Abort), upkeep::run(shared.clone()));
    let looks = TaskKind::new("writer.fleet", OnError::Stop, OnCancel::Abort);
    supervisor.spawn(looks, fleet::run(shared.clone()));
    supervisor.spawn(TaskKind::new("writer.lag", OnError::Stop, OnCancel::Abort), lag::run(shared.clone()));
    tracing::info!(replica = %shared.replica, "the writer is ready");
    Ok(supervisor.run(shutdown, grace).await?)
}
