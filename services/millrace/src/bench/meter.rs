//! What a phase cost the instance: CPU by part, and the servers' own counts.

use std::collections::BTreeMap;

use super::cpu::Cpu;
use super::stage::Stage;

/// Counts at one moment.
struct Reading {
    cpu: Cpu,
    own_ms: f64,
    counts: BTreeMap<String, f64>,
}

/// A phase that is being measured.
pub(crate) struct Meter {
    before: Reading,
}

/// What each of the phase's runs cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost {
    pub(crate) cpu: Cpu,
    pub(crate) own_ms: f64,
    pub(crate) counts: BTreeMap<String, f64>,
}

impl Meter {
    /// Begins on an idle instance.
    pub(crate) async fn start(stage: &Stage) -> anyhow::Result<Self> {
        stage.settle().await?;
        Ok(Self { before: read(stage).await? })
    }

    /// Waits until everything is done and recorded, and divides the cost by `runs`.
    pub(crate) async fn stop(self, stage: &Stage, runs: usize) -> anyhow::Result<Cost> {
        let own_ms = Cpu::own_ms();
        stage.settle().await?;
        let after = read(stage).await?;
        let each = |total: f64| total / runs.max(1) as f64;
        let since = |(name, value): (String, f64)| {
            let more = value - self.before.counts.get(&name).copied().unwrap_or_default();
            (more > 0.0).then(|| (name, each(more)))
        };
        Ok(Cost {
            cpu: after.cpu.each_since(&self.before.cpu, runs),
            own_ms: each(own_ms - self.before.own_ms),
            counts: after.counts.into_iter().filter_map(since).collect(),
        })
    }
}

async fn read(stage: &Stage) -> anyhow::Result<Reading> {
    let mut counts: BTreeMap<String, f64> = stage.api.metrics().await.into_iter().collect();
    let redis = stage.bus.server_counters().await?;
    counts.insert("redis.bytes_in".to_owned(), redis.net_input_bytes as f64);
    counts.insert("redis.bytes_out".to_owned(), redis.net_output_bytes as f64);
    for (command, count) in redis.commands {
        counts.insert(format!("redis.calls.{command}"), count.calls as f64);
        counts.insert(format!("redis.us.{command}"), count.microseconds as f64);
    }
    if let Some(store) = &stage.store {
        let postgres = store.server_counters().await?;
        counts.insert("postgres.commits".to_owned(), postgres.commits as f64);
        counts.insert("postgres.wal_bytes".to_owned(), postgres.wal_bytes as f64);
    }
    Ok(Reading { cpu: Cpu::of(&stage.roots), own_ms: Cpu::own_ms(), counts })
}
