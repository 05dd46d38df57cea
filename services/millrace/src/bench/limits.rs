//! The physical limits: what the same Redis and Postgres can do at best, measured in the same run.

use std::time::Duration;

use serde::Serialize;

use crate::bench::stage::Stage;
use crate::bench::stats::Times;

const ROUNDS: usize = 400;
/// Commits wait for the disk: fewer do.
const COMMIT_ROUNDS: usize = 100;

/// One round trip of each kind, one at a time.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Limits {
    pub(crate) ping: Times,
    pub(crate) publish_to_subscriber: Times,
    pub(crate) append_to_blocked_reader: Times,
    /// None without the database's address.
    pub(crate) fsynced_commit: Option<Times>,
}

impl Limits {
    /// Measures them, on the idle instance.
    pub(crate) async fn measure(stage: &Stage) -> anyhow::Result<Self> {
        let mut pings: Vec<Duration> = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            pings.push(stage.bus.ping().await?);
        }
        let commits = match &stage.store {
            Some(store) => Some(Times::of(store.measure_commit(COMMIT_ROUNDS).await?)),
            None => None,
        };
        Ok(Self {
            ping: Times::of(pings),
            publish_to_subscriber: Times::of(stage.bus.measure_publish(ROUNDS).await?),
            append_to_blocked_reader: Times::of(stage.bus.measure_append(ROUNDS).await?),
            fsynced_commit: commits,
        })
    }

    /// With their names, as people read them.
    pub(crate) fn rows(&self) -> Vec<(&'static str, Times)> {
        let mut rows = vec![
            ("Redis PING", self.ping),
            ("Redis PUBLISH to subscriber", self.publish_to_subscriber),
            ("Redis XADD to blocked XREADGROUP", self.append_to_blocked_reader),
        ];
        rows.extend(self.fsynced_commit.map(|times| ("Postgres commit, fsynced", times)));
        rows
    }
}
