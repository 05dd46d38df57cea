//! `[orchestrator]`: the role that walks the workflows.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The role that walks the workflows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Orchestrator {
    /// Tasks that step runs side by side; partitions are dealt out among them.
    pub lanes: usize,
    /// Runs under way at once; more wait in line, and workflows take turns. Workflows with none under way may go beyond it
    /// by an eighth.
    pub max_running_runs: u64,
    /// Most inbox messages taken at once.
    pub batch_size: usize,
    /// How long a read waits for messages.
    #[serde(with = "crate::span")]
    pub block: Duration,
    /// A message taken and not done for so long is claimed by another replica; so is the partition.
    #[serde(with = "crate::span")]
    pub lease: Duration,
    /// Pause between sweeps for what dead replicas left and for runs that stand still.
    #[serde(with = "crate::span")]
    pub sweep_interval: Duration,
    /// An unfinished run without news for so long is looked at again.
    #[serde(with = "crate::span")]
    pub stalled_after: Duration,
    /// Pause between comparisons of schedules with their timers, the way back after a loss of Redis or an outage of Postgres.
    #[serde(with = "crate::span")]
    pub schedule_sweep: Duration,
    /// Most timers fired at once per partition.
    pub timer_batch: usize,
    /// Live runs kept in memory.
    pub cached_runs: u64,
    /// Compiled workflows kept in memory.
    pub cached_plans: u64,
    /// Most items one `for_each` may walk.
    pub max_items: usize,
    /// Most node runs one run may have, its loops' items included.
    pub max_node_runs: u64,
    /// Transforms in a row that go to a worker as one job, 1 to 16; with 1 every node is a job of its own.
    pub chain_nodes: usize,
    /// Whether results of pure blocks are reused by content. A node says no for itself with `cache: off`.
    pub cache_results: bool,
    /// How long a result is kept after it was made.
    #[serde(with = "crate::span")]
    pub cache_ttl: Duration,
    /// Most results kept in Redis, at most 32 KiB each and mostly 1 to 4; the oldest make room.
    pub cache_entries: u64,
    /// How long a finished run's live state and log stay in Redis; at least three times `stalled_after`.
    #[serde(with = "crate::span")]
    pub keep_finished: Duration,
    /// Of finished runs, most that stay there as long; beyond that the oldest go, once they are recorded. A run counts once for
    /// every ten of its node runs.
    pub max_finished_runs: u64,
    /// How often a run's `callback_url` is tried before it is given up, at most 100 times; pauses grow from half a second to
    /// half a minute.
    pub callback_attempts: u32,
    /// How long one attempt to call back may take, at most 60 s.
    #[serde(with = "crate::span")]
    pub callback_timeout: Duration,
    /// The secret of `io.secrets` that call-backs are signed with, after Standard Webhooks; not signed when absent.
    pub callback_signing_secret: Option<String>,
    /// How long messages in hand may finish once the role is told to stop.
    #[serde(with = "crate::span")]
    pub grace: Duration,
    /// Serve /healthz, /readyz and /metrics here; nowhere when absent.
    pub health_listen: Option<SocketAddr>,
}

impl Default for Orchestrator {
    fn default() -> Self {
        Self {
            lanes: 2,
            max_running_runs: 256,
            batch_size: 256,
            block: Duration::from_secs(1),
            lease: Duration::from_secs(6),
            sweep_interval: Duration::from_secs(2),
            stalled_after: Duration::from_secs(10),
            schedule_sweep: Duration::from_secs(10),
            timer_batch: 512,
            cached_runs: 10_000,
            cached_plans: 1000,
            max_items: 20_000,
            max_node_runs: 200_000,
            chain_nodes: 16,
            cache_results: true,
            cache_ttl: Duration::from_secs(24 * 3600),
            cache_entries: 100_000,
            keep_finished: Duration::from_secs(3600),
            max_finished_runs: 10_000,
            callback_attempts: 10,
            callback_timeout: Duration::from_secs(10),
            callback_signing_secret: None,
            grace: Duration::from_secs(5),
            health_listen: None,
        }
    }
}
