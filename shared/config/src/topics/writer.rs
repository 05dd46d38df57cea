//! `[writer]`: the role that records events in Postgres.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The role that records events in Postgres.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Writer {
    /// Loops that record side by side; partitions are dealt out among them.
    pub lanes: usize,
    /// Most events in one transaction.
    pub batch_size: usize,
    /// How long a batch that is not full waits for more.
    #[serde(with = "crate::span")]
    pub batch_delay: Duration,
    /// Events taken and not recorded for so long are claimed by another replica.
    #[serde(with = "crate::span")]
    pub lease: Duration,
    /// Daily partitions of the event table made ahead.
    pub partitions_ahead_days: u32,
    /// Pause between rounds of upkeep: partitions made ahead, old things deleted.
    #[serde(with = "crate::span")]
    pub upkeep_interval: Duration,
    /// Pause between looks at the fleet, for the record of how it spends its time.
    #[serde(with = "crate::span")]
    pub fleet_interval: Duration,
    /// How long a batch in hand may finish once the role is told to stop.
    #[serde(with = "crate::span")]
    pub grace: Duration,
    /// Serve /healthz, /readyz and /metrics here; nowhere when absent.
    pub health_listen: Option<SocketAddr>,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            lanes: 2,
            batch_size: 2000,
            batch_delay: Duration::from_millis(100),
            lease: Duration::from_secs(6),
            partitions_ahead_days: 3,
            upkeep_interval: Duration::from_secs(3600),
            fleet_interval: Duration::from_secs(10),
            grace: Duration::from_secs(5),
            health_listen: None,
        }
    }
}
