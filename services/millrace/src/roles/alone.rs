//! What a role that runs alone in its process has around it: telemetry, and its end by signal.

use std::time::Duration;

use anyhow::Context as _;
use millrace_config::Loaded;
use millrace_tasks::{CancellationToken, OnCancel, OnError, Supervisor, TaskKind, shutdown_signal};
use millrace_telemetry::{MetricsHandle, Telemetry};

use super::purge::give_memory_back;
use super::supervised::end_with_parent;

/// The roles that `up` has in its own process.
const IN_UP: [&str; 3] = ["api", "orchestrator", "writer"];

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
    /// Sets up the process for `role`, or for `up`, which has several.
    pub(crate) fn new(loaded: &Loaded, role: &str) -> anyhow::Result<Self> {
        let telemetry = millrace_telemetry::init(&loaded.settings.telemetry, role)?;
        let metrics =
            MetricsHandle::install(if role == "up" { &IN_UP } else { std::slice::from_ref(&role) })?;
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
