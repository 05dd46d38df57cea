//! What follows from a step: events, commands, and which records changed. The shell carries it out.

use std::collections::HashSet;

use millrace_contracts::message::Timer;
use millrace_contracts::{Event, EventType, Job, JobId, UnixMillis};
use serde_json::{Map, Value};

use crate::events::queued_id;
use crate::execution::RunKey;
use crate::reuse::{Ask, Made};

/// Everything one step asks for. Durable events and record changes are committed together; commands are sent after.
#[derive(Debug, Default)]
pub struct Effects {
    /// Events with a `seq`, in order.
    pub durable: Vec<Event>,
    /// Events for the live view only, each with the `seq` of the durable event that it comes behind; 0 behind none.
    pub live: Vec<(u64, Event)>,
    /// Jobs to hand to their queues, each with its `inference:queued` event.
    pub jobs: Vec<(Job, Event)>,
    /// Jobs that are not wanted any more.
    pub abandon: Vec<JobId>,
    /// Whether no job of the run is wanted any more, and nobody knows which there are.
    pub abandon_all: bool,
    /// Stored records to remove, since they do not read or are not needed any more.
    pub removed: Vec<String>,
    /// Jobs among those to send that may have been done before: look them up first, see [`crate::Input::Cached`].
    pub asks: Vec<Ask>,
    /// Results made now that others may use, to be stored after the commit.
    pub made: Vec<Made>,
    /// Work for the shell; its result comes back as [`crate::Input::Worked`].
    pub shell: Vec<ShellWork>,
    /// Alarms to set.
    pub set_timers: Vec<(UnixMillis, Timer)>,
    /// Alarms that should be set already, said again because they may be lost. They change nothing, and so need no commit of
    /// their own; but they are only true of this version of the run.
    pub renew_timers: Vec<(UnixMillis, Timer)>,
    /// Alarms that are not needed any more. One that is among those to set as well is to be cleared: apply these last.
    pub clear_timers: Vec<Timer>,
    /// Why the input changed nothing, if it did not.
    pub noop: Option<Noop>,
    pub(crate) changed_nodes: HashSet<RunKey>,
    pub(crate) opened_loops: Vec<RunKey>,
    pub(crate) first: bool,
}

impl Effects {
    /// Whether there is anything to store or publish. Commands alone need no commit.
    #[must_use]
    pub fn needs_commit(&self) -> bool {
        self.first
            || !self.durable.is_empty()
            || !self.live.is_empty()
            || !self.changed_nodes.is_empty()
            || !self.opened_loops.is_empty()
            || !self.set_timers.is_empty()
            || !self.clear_timers.is_empty()
    }

    /// Adds what is said again because of a wake-up, and is not among these effects anyway.
    pub fn append_unsent(&mut self, resent: Effects) {
        debug_assert!(
            !resent.needs_commit() && resent.shell.is_empty(),
            "what is said again changes nothing"
        );
        let sent: HashSet<JobId> = self.jobs.iter().map(|(job, _)| job.id).collect();
        self.jobs.extend(resent.jobs.into_iter().filter(|(job, _)| !sent.contains(&job.id)));
        self.renew_timers.extend(resent.renew_timers);
        self.noop = resent.noop.or(self.noop);
    }

    /// Adds what a later step of the same run asked for, so that both are committed at once.
    pub fn append(&mut self, later: Effects) {
        let given_up = self.take_unsent(&later.abandon);
        self.durable.extend(later.durable);
        self.live.extend(later.live);
        self.jobs.extend(later.jobs);
        self.abandon.extend(later.abandon.into_iter().filter(|id| !given_up.contains(id)));
        self.abandon_all |= later.abandon_all;
        self.removed.extend(later.removed);
        self.asks.extend(later.asks);
        self.made.extend(later.made);
        self.shell.extend(later.shell);
        self.set_timers.extend(later.set_timers);
        self.renew_timers.extend(later.renew_timers);
        self.clear_timers.extend(later.clear_timers);
        self.changed_nodes.extend(later.changed_nodes);
        self.opened_loops.extend(later.opened_loops);
        self.first |= later.first;
        self.noop = later.noop.or(self.noop);
    }

    /// Forgets jobs that were given up before anybody sent them; nobody has to be told to abandon those.
    pub(crate) fn drop_abandoned(&mut self) {
        let abandon = std::mem::take(&mut self.abandon);
        let given_up = self.take_unsent(&abandon);
        self.abandon = abandon.into_iter().filter(|id| !given_up.contains(id)).collect();
    }

    /// Takes those of `abandoned` out of the jobs to send; says which there were.
    fn take_unsent(&mut self, abandoned: &[JobId]) -> HashSet<JobId> {
        if abandoned.is_empty() || self.jobs.is_empty() {
            return HashSet::new();
        }
        let abandoned: HashSet<JobId> = abandoned.iter().copied().collect();
        let (mut unsent, mut told) = (HashSet::new(), HashSet::new());
        self.jobs.retain(|(job, _)| {
            if abandoned.contains(&job.id) {
                told.insert(queued_id(job));
                unsent.insert(job.id);
            }
            !abandoned.contains(&job.id)
        });
        // Who was never sent was never queued.
        self.live.retain(|(_, event)| event.kind != EventType::NodeQueued || !told.contains(&event.id));
        unsent
    }
}

/// A piece of work that needs the blob store, and so the shell.
#[derive(Debug, Clone, PartialEq)]
pub struct ShellWork {
    /// The node run it is for.
    pub key: RunKey,
    /// What to do.
    pub kind: ShellWorkKind,
}

/// What the shell is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub enum ShellWorkKind {
    /// Resolve the references inside, then evaluate the node's logic; store large results.
    Evaluate {
        /// Input ports.
        inputs: Map<String, Value>,
        /// Configuration.
        config: Map<String, Value>,
    },
    /// Store those of these finished ports that are too large to be inline.
    Store {
        /// Values by port.
        values: Map<String, Value>,
        /// Ports that were not taken.
        skipped: Vec<String>,
    },
    /// Resolve this list so that a loop can walk it.
    Items {
        /// The list, or the reference to it.
        list: Value,
    },
}

/// Why an input changed nothing. Each is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Noop {
    /// The run had ended.
    RunEnded,
    /// The same report was seen before.
    Duplicate,
    /// It is about an attempt that was given up.
    Stale,
    /// It is about a node run that does not exist.
    Unknown,
    /// The run was started again under a later epoch, after its log was lost: this copy of it is of the past.
    Outdated,
}

impl Noop {
    /// The label in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunEnded => "run_ended",
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
            Self::Outdated => "outdated",
        }
    }
}
