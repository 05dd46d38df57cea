//! The rounds of one phase, added up.

use std::time::Duration;

use crate::bench::cpu::Cpu;
use crate::bench::load::Outcome;
use crate::bench::meter::Cost;
use crate::bench::phase::Phase;

/// One way of getting pictures looked at, over all rounds.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    outcome: Outcome<Duration>,
    cost: Cost,
    rounds: Vec<Round>,
}

/// One round's figures, for ratios that are taken round by round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) per_second: f64,
    pub(crate) cpu_ms_each: f64,
}

impl Tally {
    /// Adds a round; `cost` is per run.
    pub(crate) fn add(&mut self, outcome: Outcome<Duration>, cost: Cost) {
        let runs = outcome.done.len();
        let seconds = outcome.elapsed.as_secs_f64().max(f64::EPSILON);
        self.rounds.push(Round { per_second: runs as f64 / seconds, cpu_ms_each: cost.cpu.total_ms() });
        let before = self.outcome.done.len();
        let share =
            |old: f64, new: f64| (old * before as f64 + new * runs as f64) / ((before + runs).max(1) as f64);
        for (part, ms) in &cost.cpu.0 {
            let old = self.cost.cpu.0.entry(part).or_insert(0.0);
            *old = share(*old, *ms);
        }
        for (name, count) in cost.counts {
            let old = self.cost.counts.entry(name).or_insert(0.0);
            *old = share(*old, count);
        }
        self.cost.own_ms = share(self.cost.own_ms, cost.own_ms);
        self.outcome.done.extend(outcome.done);
        self.outcome.errors += outcome.errors;
        self.outcome.elapsed += outcome.elapsed;
        if self.outcome.first_error.is_none() {
            self.outcome.first_error = outcome.first_error;
        }
    }

    pub(crate) fn rounds(&self) -> &[Round] {
        &self.rounds
    }

    pub(crate) fn phase(self, name: &str, in_flight: usize) -> Phase {
        Phase::new(name, in_flight, self.outcome, self.cost)
    }
}

/// What `used` comes to for each of `runs`.
pub(crate) fn cost(used: (&Cpu, &Cpu), own_ms: f64, runs: usize) -> Cost {
    let (before, after) = used;
    Cost { cpu: after.each_since(before, runs), own_ms: own_ms / runs.max(1) as f64, ..Cost::default() }
}

/// The median over rounds of `of(ours) / of(theirs)`: rounds stand side by side in time, so that a machine that is slow
/// for a while is slow for both.
pub(crate) fn ratio(ours: &[Round], theirs: &[Round], of: fn(&Round) -> f64) -> f64 {
    let mut ratios: Vec<f64> = ours
        .iter()
        .zip(theirs)
        .filter(|(_, theirs)| of(theirs) > 0.0)
        .map(|(ours, theirs)| of(ours) / of(theirs))
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_add_up_by_their_runs_and_ratios_are_medians() {
        let outcome = |runs: usize| Outcome {
            done: vec![Duration::from_millis(1); runs],
            elapsed: Duration::from_secs(1),
            ..Outcome::default()
        };
        let cost = |ms: f64| Cost { cpu: Cpu([("redis", ms)].into()), ..Cost::default() };
        let mut ours = Tally::default();
        ours.add(outcome(10), cost(2.0));
        ours.add(outcome(30), cost(6.0));
        let mut theirs = Tally::default();
        theirs.add(outcome(20), cost(1.0));
        theirs.add(outcome(20), cost(2.0));
        assert!((ratio(ours.rounds(), theirs.rounds(), |round| round.per_second) - 1.5).abs() < 1e-9);
        let phase = ours.phase("ours", 1);
        assert_eq!((phase.times.count, phase.per_second), (40, 20.0));
        assert!((phase.cpu_ms_each - 5.0).abs() < 1e-9, "{}", phase.cpu_ms_each);
    }
}
