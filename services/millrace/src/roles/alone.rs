//! What a role that runs alone in its process has around it: telemetry, its end by signal, its health routes.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use millrace_bus::Bus;
use millrace_config::Loaded;
use millrace_store::Store;
use millrace_tasks::{CancellationToken, OnCancel, OnError, Supervisor, TaskKind, shutdown_signal};
use millrace_telemetry::{Health, MetricsHandle, Telemetry};
use millrace_worker::Phase;

use super::purge::give_memory_back;
use super::supervised::end_with_parent;

/// What surrounds a role that runs alone.
pub(crate) struct Alone {
    pub(crate) metrics: MetricsHandle,
    /// Cancelled by SIGINT, SIGTERM or SIGHUP.
    pub(crate) shutdown: CancellationToken,
    telemetry: Telemetry,
    /// What every process does beside its role.
    upkeep: Supervisor,
}

impl Alone {
    /// Sets up the process for `role`.
    pub(crate) fn new(loaded: &Loaded, role: &str) -> anyhow::Result<Self> {
        let telemetry = millrace_telemetry::init(&loaded.settings.telemetry, role)?;
        let metrics = MetricsHandle::install()?;
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let shutdown = shutdown_signal()?;
        let upkeep = Supervisor::under(&shutdown);
        upkeep.spawn(TaskKind::new("memory", OnError::Log, OnCancel::Abort), give_memory_back());
        Ok(Self { metrics, shutdown, telemetry, upkeep })
    }

    /// Ends this process when the one that started it is gone; the hard way where it has not ended after `patience`.
    pub(crate) fn end_with_parent(&self, patience: Duration) {
        // It outlives the shutdown on purpose: it is the one that enforces its end.
        let kind = TaskKind::new("parent-watch", OnError::Log, OnCancel::Wait);
        self.upkeep.spawn(kind, end_with_parent(self.shutdown.clone(), patience));
    }

    /// Sends what telemetry still holds, and gives the role's own result on.
    pub(crate) async fn end<E>(self, ended: Result<(), E>) -> anyhow::Result<()>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        // Blocks for as long as the collector takes, so not on a thread of the runtime.
        tokio::task::spawn_blocking(move || self.telemetry.shutdown()).await.context("the last spans")?;
        Ok(ended?)
    }
}

/// Serves `/healthz`, `/readyz` and `/metrics` on `listen`, if that is set, until `alone`'s end.
pub(crate) async fn serve_own_health(
    listen: Option<SocketAddr>,
    alone: &Alone,
    bus: &Bus,
    store: Option<&Store>,
) -> anyhow::Result<Supervisor> {
    let mut health = health_of(alone, bus);
    if let Some(store) = store.cloned() {
        health = health.check("postgres", move || {
            let store = store.clone();
            async move { store.ping().await.map(|_| ()).map_err(|fault| fault.to_string()) }
        });
    }
    serve(listen, alone, health).await
}

/// The same for a worker, which is ready once its models are.
pub(crate) async fn serve_worker_health(
    listen: Option<SocketAddr>,
    alone: &Alone,
    bus: &Bus,
    phase: Phase,
) -> anyhow::Result<Supervisor> {
    let health = health_of(alone, bus).check("jobs", move || {
        let phase = phase.clone();
        async move {
            if phase.is_ready() { Ok(()) } else { Err(format!("the worker is {}", phase.as_str())) }
        }
    });
    serve(listen, alone, health).await
}

fn health_of(alone: &Alone, bus: &Bus) -> Health {
    let bus = bus.clone();
    Health::new(Some(alone.metrics.clone())).check("redis", move || {
        let bus = bus.clone();
        async move { bus.ping().await.map(|_| ()).map_err(|fault| fault.to_string()) }
    })
}

async fn serve(listen: Option<SocketAddr>, alone: &Alone, health: Health) -> anyhow::Result<Supervisor> {
    let supervisor = Supervisor::under(&alone.shutdown);
    let Some(listen) = listen else { return Ok(supervisor) };
    let listener = tokio::net::TcpListener::bind(listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {listen} for health"))?;
    tracing::info!(health.listen = %listen, "health routes are up");
    let served = millrace_telemetry::serve_health(listener, health, supervisor.token());
    supervisor.spawn(TaskKind::new("health", OnError::Log, OnCancel::Abort), served);
    Ok(supervisor)
}
