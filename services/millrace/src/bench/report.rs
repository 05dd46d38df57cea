//! The report: for people as tables, for programs as JSON.

use std::fmt;

use serde::Serialize;

use super::limits::Limits;
use super::machine::Machine;
use super::phase::Phase;
use super::stage::{Scenario, Stage};
use super::stats::Times;
use crate::render::Table;

/// Everything that was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) limits: Limits,
    pub(crate) sections: Vec<Section>,
    /// Whether it was stopped before its end.
    pub(crate) interrupted: bool,
}

/// One scenario's part.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Section {
    pub(crate) scenario: Scenario,
    /// What one run is, and between which moments it was timed.
    pub(crate) what: String,
    pub(crate) phases: Vec<Phase>,
    /// Promises found broken, beside the errors of the phases.
    pub(crate) faults: u64,
    /// What else was found.
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// A report without sections yet; the limits are measured now.
    pub(crate) async fn begin(stage: &Stage) -> anyhow::Result<Self> {
        let machine = Machine::of(stage).await?;
        Ok(Self { machine, limits: Limits::measure(stage).await?, sections: Vec::new(), interrupted: false })
    }

    /// Whether every run of every phase completed, and every promise that was looked at was kept.
    pub(crate) fn is_clean(&self) -> bool {
        let is_clean =
            |section: &Section| section.faults == 0 && section.phases.iter().all(|phase| phase.errors == 0);
        self.sections.iter().all(is_clean)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(
            f,
            "{}, {} cores, {} MiB, Linux {}",
            machine.cpu, machine.cores, machine.memory_mib, machine.kernel
        )?;
        writeln!(
            f,
            "Millrace {} ({}), Redis {}, Postgres {}; load average {}",
            machine.millrace, machine.build, machine.redis, machine.postgres, machine.load_average
        )?;
        if machine.build == "debug" {
            writeln!(f, "This is a debug build: its figures say nothing about speed.")?;
        }
        writeln!(f, "\nPhysical limits, one at a time\n{}", limits_table(&self.limits))?;
        for section in &self.sections {
            writeln!(f, "\n{section}")?;
        }
        if self.interrupted {
            writeln!(f, "\nInterrupted: what is missing was not measured.")?;
        }
        Ok(())
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{:?}", self.scenario).to_lowercase();
        writeln!(f, "{name}: {}", self.what)?;
        writeln!(f, "{}", phases_table(&self.phases))?;
        writeln!(f, "\nPer run\n{}", costs_table(&self.phases))?;
        for fault in self.phases.iter().filter_map(|phase| phase.first_error.as_ref()) {
            writeln!(f, "first error: {fault}")?;
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        Ok(())
    }
}

fn limits_table(limits: &Limits) -> Table {
    let mut table = Table::new(&["", "p50 ms", "p90 ms", "p99 ms", "mean ms"]);
    for (name, times) in limits.rows() {
        let figures = [times.p50_ms, times.p90_ms, times.p99_ms, times.mean_ms].map(|ms| format!("{ms:.3}"));
        table.row(std::iter::once(name.to_owned()).chain(figures).collect());
    }
    table
}

fn phases_table(phases: &[Phase]) -> Table {
    let mut table =
        Table::new(&["phase", "runs", "errors", "per second", "p50 ms", "p99 ms", "max ms", "load"]);
    for phase in phases {
        let Times { count, p50_ms, p99_ms, max_ms, .. } = phase.times;
        let load = phase.load_average.split(' ').next().unwrap_or_default().to_owned();
        let counts = [phase.name.clone(), count.to_string(), phase.errors.to_string()];
        let figures = [format!("{:.1}", phase.per_second), fine(p50_ms), fine(p99_ms), fine(max_ms), load];
        table.row(counts.into_iter().chain(figures).collect());
    }
    table
}

fn costs_table(phases: &[Phase]) -> Table {
    let mut table = Table::new(&[
        "phase",
        "cpu ms",
        "control plane",
        "redis",
        "postgres",
        "workers",
        "bench cpu",
        "redis calls",
        "redis kB in/out",
        "steps",
        "pg commits",
        "events per commit",
        "wal kB",
    ]);
    // A phase that ran beside other load has no cost of its own.
    for phase in phases.iter().filter(|phase| !phase.cpu_ms_each_by_part.0.is_empty()) {
        let part =
            |name| phase.cpu_ms_each_by_part.0.get(name).map_or_else(|| "-".to_owned(), |ms| fine(*ms));
        let count = |name| phase.count(name).map_or_else(|| "-".to_owned(), fine);
        let kilobytes =
            |name| phase.count(name).map_or_else(|| "-".to_owned(), |bytes| format!("{:.1}", bytes / 1e3));
        table.row(vec![
            phase.name.clone(),
            fine(phase.cpu_ms_each),
            part("control plane"),
            part("redis"),
            part("postgres"),
            part("workers"),
            fine(phase.bench_cpu_ms_each),
            phase.redis_calls().map_or_else(|| "-".to_owned(), |calls| format!("{calls:.0}")),
            format!("{}/{}", kilobytes("redis.bytes_in"), kilobytes("redis.bytes_out")),
            count("millrace_orchestrator_commits_total"),
            count("postgres.commits"),
            phase.events_per_transaction().map_or_else(|| "-".to_owned(), fine),
            kilobytes("postgres.wal_bytes"),
        ]);
    }
    table
}

/// Three digits that matter, more or less.
fn fine(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::bench::load::Outcome;
    use crate::bench::meter::Cost;

    fn phase(errors: u64) -> Phase {
        let done = vec![Duration::from_millis(4), Duration::from_millis(8)];
        let first_error = (errors > 0).then(|| "it broke".to_owned());
        let outcome = Outcome { done, errors, first_error, elapsed: Duration::from_millis(500) };
        let cpu = crate::bench::cpu::Cpu(BTreeMap::from([("redis", 0.25), ("control plane", 1.5)]));
        let counts =
            BTreeMap::from([("redis.calls.xadd".to_owned(), 30.0), ("redis.calls.xack".to_owned(), 12.0)]);
        Phase::new("one alone", 1, outcome, Cost { cpu, own_ms: 2.0, counts })
    }

    #[test]
    fn a_section_shows_rates_times_costs_and_the_first_error() {
        let section = Section {
            scenario: Scenario::Dag,
            what: "ten steps".to_owned(),
            phases: vec![phase(1)],
            faults: 0,
            notes: vec!["gapless: 20 of 20".to_owned()],
        };
        let shown = section.to_string();
        for wanted in
            ["dag: ten steps", "4.0", "8.00", "1.75", "42", "first error: it broke", "gapless: 20 of 20"]
        {
            assert!(shown.contains(wanted), "{wanted} is not in\n{shown}");
        }
    }

    #[test]
    fn calls_that_were_not_counted_are_no_number() {
        let calls = |phase: Phase| {
            let table = costs_table(&[phase]).to_string();
            let cells =
                table.lines().last().unwrap().split("  ").map(str::trim).filter(|cell| !cell.is_empty());
            cells.map(str::to_owned).nth(7).unwrap()
        };
        assert_eq!(calls(phase(0)), "42");
        let uncounted = Phase { counts_each: BTreeMap::new(), ..phase(0) };
        assert_eq!(calls(uncounted), "-", "not -0 either");
    }

    #[test]
    fn figures_keep_the_digits_that_matter() {
        assert_eq!([fine(0.123), fine(12.34), fine(1234.5)], ["0.12", "12.3", "1234"]);
    }
}
