//! From the engine's effects to a commit, and to the commands that follow it.

use std::time::Duration;

use millrace_bus::{Abandon, Bus, Commit};
use millrace_config::Orchestrator;
use millrace_contracts::message::{Message, Timer};
use millrace_contracts::schedule::Cue;
use millrace_contracts::{Event, ExecutionId, Job, UnixMillis};
use millrace_engine::Effects;

use crate::OrchestratorError;
use crate::held::Held;

/// Commands of one or more runs, to be sent after their commits.
#[derive(Default)]
pub(crate) struct Outbox {
    jobs: Vec<Job>,
    queued: Vec<Event>,
    abandoned: Vec<Abandon>,
    /// Runs that ended while jobs of theirs were with the queues, or may have been.
    dropped: Vec<ExecutionId>,
    cues: Vec<Cue>,
    /// Jobs that tell of runs' ends. Nothing is recorded of them as jobs, so they are not announced either.
    callbacks: Vec<Job>,
    /// Runs to look at once more, behind the messages that wait for them.
    wakes: Vec<ExecutionId>,
}

impl Outbox {
    /// Adds the commands of one run.
    pub(crate) fn add(&mut self, held: &Held, effects: Effects) {
        let execution_id = held.run.accepted().execution_id;
        for (job, event) in effects.jobs {
            self.jobs.push(job);
            self.queued.push(event);
        }
        if effects.abandon.is_empty() && !effects.abandon_all {
            return;
        }
        if held.run.is_terminal() {
            self.take_back(execution_id);
        } else {
            self.abandoned.push(Abandon { execution_id, job_ids: effects.abandon });
        }
    }

    /// Adds news for a schedule.
    pub(crate) fn tell(&mut self, cue: Cue) {
        self.cues.push(cue);
    }

    /// Adds the news of a run's end.
    pub(crate) fn call_back(&mut self, callback: Option<Job>) {
        self.callbacks.extend(callback);
    }

    /// Says again what whoever had the run's messages before may not have sent: a run that has ended has its jobs taken back; one
    /// that goes on is looked at once more, when all that is in its inbox by now was handled.
    pub(crate) fn say_again(&mut self, held: &Held) {
        let execution_id = held.run.accepted().execution_id;
        if held.run.is_terminal() {
            self.take_back(execution_id);
        } else {
            self.wakes.push(execution_id);
        }
    }

    /// No job of the run is wanted any more.
    fn take_back(&mut self, execution_id: ExecutionId) {
        self.dropped.push(execution_id);
        self.abandoned.push(Abandon { execution_id, job_ids: Vec::new() });
    }

    /// Sends everything.
    pub(crate) async fn send(mut self, bus: &Bus) -> Result<(), OrchestratorError> {
        self.jobs.append(&mut self.callbacks);
        if !self.jobs.is_empty() {
            bus.enqueue(&self.jobs, &self.queued).await?;
        }
        // The queues first: what is not given out any more cannot be missed by those who have it in hand.
        bus.drop_runs(&self.dropped).await?;
        bus.abandon(&self.abandoned).await?;
        for cue in self.cues {
            bus.post(&Message::Schedule(cue)).await?;
        }
        bus.wake_all(&self.wakes).await?;
        Ok(())
    }
}

/// What stays of runs that have ended.
pub(crate) struct KeepFinished {
    /// For how long.
    time: Duration,
    /// How much, per partition.
    most: u64,
}

impl KeepFinished {
    pub(crate) fn of(settings: &Orchestrator, partitions: u16) -> Self {
        let most = settings.max_finished_runs.div_ceil(u64::from(partitions.max(1)));
        Self { time: settings.keep_finished, most }
    }
}

/// The commit that stores what a step changed.
pub(crate) fn commit(bus: &Bus, held: &Held, effects: &mut Effects, keep: &KeepFinished) -> Commit {
    let run = held.run.accepted().execution_id;
    let mut commit = Commit::new(run, bus.partition_of(run), held.version);
    if held.version == 0 {
        commit.new_version = first_version();
    }
    commit.set = held.run.changed_fields(effects);
    let removed = std::mem::take(&mut effects.removed);
    // Before the first commit nothing is stored.
    commit.delete = if held.version == 0 { Vec::new() } else { removed };
    commit.durable = std::mem::take(&mut effects.durable);
    let known = commit.durable.first().and_then(|event| event.seq).map_or(u64::MAX, |first| first - 1);
    let place = |(seq, event): (u64, Event)| (seq.saturating_sub(known) as usize, event);
    commit.live = std::mem::take(&mut effects.live).into_iter().map(place).collect();
    // The writer learns of queued jobs from these; their end is told by the node events.
    commit.records = effects.jobs.iter().map(|(_, event)| event.clone()).collect();
    commit.set_timers = std::mem::take(&mut effects.set_timers);
    commit.set_timers.append(&mut effects.renew_timers);
    commit.clear_timers = std::mem::take(&mut effects.clear_timers);
    commit.expire_after = held.run.is_terminal().then_some(keep.time);
    commit.keep_finished = keep.most;
    commit
}

/// A commit that leaves the run as it is, and fails like any other when the stored run is not the remembered one. `timers` are
/// set again: they may be lost.
pub(crate) fn comparison(bus: &Bus, held: &Held, timers: Vec<(UnixMillis, Timer)>) -> Commit {
    let run = held.run.accepted().execution_id;
    let same = Commit::new(run, bus.partition_of(run), held.version);
    Commit { new_version: held.version, set_timers: timers, ..same }
}

/// The version a run begins with. Versions are never used twice, not even after the loss of Redis: a memory of the lost
/// state must not pass for one of the rebuilt state. Milliseconds, with room for a million steps in each.
fn first_version() -> u64 {
    (UnixMillis::now().0.unsigned_abs() << 20) | 1
}
