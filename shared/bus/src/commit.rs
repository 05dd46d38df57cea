//! The one way a run changes: a script per run that compares the version and then writes state, log, record, live view
//! and timers together. Many runs travel in one pipeline.

use std::time::Duration;

use millrace_contracts::message::Timer;
use millrace_contracts::{Event, ExecutionId, Partition, UnixMillis};
use redis::{Cmd, Value};

use crate::publish::event_json;
use crate::{Bus, BusError, EntryId, reply, scripts};

/// One step of one run: what changes when the stored version is the expected one.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The run.
    pub run: ExecutionId,
    /// Its shard, [`Bus::partition_of`].
    pub partition: Partition,
    /// The version the step was made from; 0 when the run must not exist yet.
    pub expected_version: u64,
    /// The message that the step is made from, where it must not have been dealt with yet, nor lost: that of a run's first
    /// step. Whoever read it before a loss of Redis must not begin the run beside the life that is begun after it.
    pub because: Option<EntryId>,
    /// The version afterwards.
    pub new_version: u64,
    /// Fields to write.
    pub set: Vec<(String, Vec<u8>)>,
    /// Fields to remove.
    pub delete: Vec<String>,
    /// Events with `epoch` and `seq`, rising: to the log, to the writer, and published.
    pub durable: Vec<Event>,
    /// Entries for the writer alone.
    pub records: Vec<Event>,
    /// Events that are only published, each with how many of the durable ones are published before it; in that order.
    pub live: Vec<(usize, Event)>,
    /// Timers to set, or to move, with their due times.
    pub set_timers: Vec<(UnixMillis, Timer)>,
    /// Timers to clear; one that is not set is no fault.
    pub clear_timers: Vec<Timer>,
    /// On the run's end: how long its state and log stay.
    pub expire_after: Option<Duration>,
    /// On the run's end: how much of its partition's runs that have ended stays, where it is more. A run counts once for every ten
    /// fields of its state. The oldest go first, and none that the writer has yet to record.
    pub keep_finished: u64,
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// Written, all of it.
    Committed,
    /// The stored version is another, or the message is gone; nothing was written. Load and step again.
    Conflict,
    /// It can never be written, and nothing was: its durable events have no rising positions, or the log is already
    /// past them. Repeating it is no use.
    Rejected(String),
}

impl Commit {
    /// A step of `run` from `expected_version` to the next, which changes nothing yet.
    #[must_use]
    pub fn new(run: ExecutionId, partition: Partition, expected_version: u64) -> Self {
        Self {
            run,
            partition,
            expected_version,
            because: None,
            new_version: expected_version + 1,
            set: Vec::new(),
            delete: Vec::new(),
            durable: Vec::new(),
            records: Vec::new(),
            live: Vec::new(),
            set_timers: Vec::new(),
            clear_timers: Vec::new(),
            expire_after: None,
            keep_finished: u64::MAX,
        }
    }
}

impl Bus {
    /// Commits steps of different runs in one round trip; the outcomes are in the order of `commits`. Runs do not
    /// affect each other: one that conflicts leaves the rest alone.
    ///
    /// # Errors
    /// Redis could not be reached or refused: any of the commits may have been written, and repeating those gives
    /// [`CommitOutcome::Conflict`].
    pub async fn commit(&self, commits: &[Commit]) -> Result<Vec<CommitOutcome>, BusError> {
        let mut outcomes = vec![CommitOutcome::Conflict; commits.len()];
        let mut commands = Vec::with_capacity(commits.len());
        let mut sent = Vec::with_capacity(commits.len());
        for (at, commit) in commits.iter().enumerate() {
            match self.commit_command(commit)? {
                Ok(command) => {
                    commands.push(command);
                    sent.push(at);
                }
                Err(reason) => outcomes[at] = CommitOutcome::Rejected(reason),
            }
        }
        let replies = self.send("commit a step", commands).await?;
        for (at, reply) in sent.into_iter().zip(replies) {
            outcomes[at] = outcome(&commits[at], reply)?;
        }
        Ok(outcomes)
    }

    /// The script call, or why the commit can never be written.
    fn commit_command(&self, commit: &Commit) -> Result<Result<Cmd, String>, BusError> {
        let mut durable = Vec::with_capacity(commit.durable.len());
        let mut last = None;
        for event in &commit.durable {
            let Some(position) = event.log_position() else {
                return Ok(Err(format!("durable event {} has no epoch and seq", event.id)));
            };
            if last.is_some_and(|last| last >= position) {
                return Ok(Err(format!("durable event {} at {position} does not rise", event.id)));
            }
            last = Some(position);
            durable.push((position, event.kind.channel(), event_json(event)?));
        }
        let records = commit.records.iter().map(event_json).collect::<Result<Vec<_>, _>>()?;
        let live = commit.live.iter().map(|(_, event)| event_json(event)).collect::<Result<Vec<_>, _>>()?;
        let size = commit.set.iter().map(|(field, value)| field.len() + value.len()).sum::<usize>()
            + durable.iter().map(|(_, _, json)| json.len() + 64).sum::<usize>()
            + records.iter().chain(&live).map(|json| json.len() + 32).sum::<usize>()
            + 512;

        let mut command = self.commit_head(commit, size);
        for (field, value) in &commit.set {
            command.arg(field).arg(&value[..]);
        }
        for field in &commit.delete {
            command.arg(field);
        }
        for (position, channel, json) in &durable {
            command.arg(position.to_string()).arg(*channel).arg(&json[..]);
        }
        for json in &records {
            command.arg(&json[..]);
        }
        for ((behind, event), json) in commit.live.iter().zip(&live) {
            // One behind more than there are would never be told.
            command.arg((*behind).min(durable.len())).arg(event.kind.channel()).arg(&json[..]);
        }
        for (due, timer) in &commit.set_timers {
            command.arg(due.0).arg(timer.to_string());
        }
        for timer in &commit.clear_timers {
            command.arg(timer.to_string());
        }
        Ok(Ok(command))
    }

    /// Keys, versions, expiry and the counts of what follows.
    fn commit_head(&self, commit: &Commit, size: usize) -> Cmd {
        let keys = self.keys();
        let run = keys.run(commit.partition, commit.run);
        let log = keys.log(commit.partition, commit.run);
        let events = keys.events(commit.partition);
        let timers = keys.timers(commit.partition);
        let inbox = keys.inbox(commit.partition);
        let finished = keys.finished(commit.partition);
        let mut command = scripts::COMMIT.on(&[&run, &log, &events, &timers, &inbox, &finished], size);
        let expiry_ms = commit.expire_after.map_or(0, |after| after.as_millis().max(1));
        command.arg(commit.expected_version).arg(commit.new_version);
        command.arg(u64::try_from(expiry_ms).unwrap_or(u64::MAX));
        command.arg(commit.because.as_ref().map_or("", EntryId::as_str));
        for count in [
            commit.set.len(),
            commit.delete.len(),
            commit.durable.len(),
            commit.records.len(),
            commit.live.len(),
            commit.set_timers.len(),
            commit.clear_timers.len(),
        ] {
            command.arg(count);
        }
        command.arg(commit.keep_finished);
        command
    }
}

fn outcome(commit: &Commit, reply: Value) -> Result<CommitOutcome, BusError> {
    match reply::integer("commit a step", reply)? {
        1 => Ok(CommitOutcome::Committed),
        0 => Ok(CommitOutcome::Conflict),
        _ => {
            let first = commit.durable.first().and_then(Event::log_position);
            let first = first.map_or_else(String::new, |position| position.to_string());
            Ok(CommitOutcome::Rejected(format!(
                "the log of run {} is already at or past {first}",
                commit.run
            )))
        }
    }
}
