//! One phase of a scenario: a load, and what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::cpu::Cpu;
use super::load::Outcome;
use super::machine::load_average;
use super::meter::Cost;
use super::stats::Times;

/// The figures of one phase.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) in_flight: usize,
    pub(crate) errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_error: Option<String>,
    pub(crate) seconds: f64,
    pub(crate) per_second: f64,
    pub(crate) times: Times,
    /// Milliseconds per run, all processes of the system together.
    pub(crate) cpu_ms_each: f64,
    /// The same by part.
    pub(crate) cpu_ms_each_by_part: Cpu,
    /// Of the load generator, its workers included.
    pub(crate) bench_cpu_ms_each: f64,
    /// Counters of the instance and its servers, per run.
    pub(crate) counts_each: BTreeMap<String, f64>,
    /// At the end of the phase.
    pub(crate) load_average: String,
}

impl Phase {
    /// Of a loop whose requests each took one of `outcome.done`.
    pub(crate) fn new(
        name: impl Into<String>,
        in_flight: usize,
        outcome: Outcome<Duration>,
        cost: Cost,
    ) -> Self {
        let seconds = outcome.elapsed.as_secs_f64();
        let runs = outcome.done.len();
        Self {
            name: name.into(),
            in_flight,
            errors: outcome.errors,
            first_error: outcome.first_error,
            seconds,
            per_second: if seconds > 0.0 { runs as f64 / seconds } else { 0.0 },
            times: Times::of(outcome.done),
            cpu_ms_each: cost.cpu.total_ms(),
            cpu_ms_each_by_part: cost.cpu,
            bench_cpu_ms_each: cost.own_ms,
            counts_each: cost.counts,
            load_average: load_average(),
        }
    }

    /// A count per run; none when nothing was counted.
    pub(crate) fn count(&self, name: &str) -> Option<f64> {
        self.counts_each.get(name).copied()
    }

    /// Events that the writer recorded in one transaction, on average; none when it recorded none.
    pub(crate) fn events_per_transaction(&self) -> Option<f64> {
        Some(self.count("millrace_writer_events_total")? / self.count("millrace_writer_transactions_total")?)
    }

    /// Calls of all Redis commands per run, scripts counted with what they call; none when they were not counted.
    pub(crate) fn redis_calls(&self) -> Option<f64> {
        let calls = self.counts_each.iter().filter(|(name, _)| name.starts_with("redis.calls."));
        // Their sum would be -0 where there are none.
        calls.map(|(_, calls)| *calls).reduce(|sum, calls| sum + calls)
    }
}
