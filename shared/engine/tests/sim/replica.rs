//! An orchestrator: reads a batch, steps its runs, commits, sends the jobs, acknowledges. Each is one operation; between
//! any two of them it may die, and others may go on with the same messages; and it may not hear that its commit was made.
//! What it does is what `services/orchestrator` does in `batch.rs`, `step.rs`, `fetch.rs`, `resend.rs` and `outbox.rs`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use millrace_compiler::Plan;
use millrace_contracts::message::{Accepted, Message};
use millrace_contracts::{ExecutionId, Job, UnixMillis};
use millrace_engine::{Effects, Execution, Input, Settings};

use crate::record::Record;
use crate::redis::{Delivery, Outcome, Redis};
use crate::support::blobs::Blobs;
use crate::support::dice::Dice;
use crate::support::driver::{Commit, Kept, load, settle};

type Messages = Vec<Delivery<Message>>;

/// Races in a row after which messages are left to whoever claims them.
const CONFLICT_LIMIT: u32 = 8;

/// Messages of runs that somebody else committed, or that were lost, and how often in a row that happened.
struct Conflicts {
    messages: Messages,
    lost_races: u32,
}

struct Held {
    run: Execution,
    version: u64,
    /// Wake-ups under way that it was sent only so that it goes on.
    goes_on: usize,
}

struct Stepped {
    held: Held,
    commit: Commit,
    deliveries: Messages,
    /// Whether it was stepped from memory, which may be behind what is stored.
    remembered: bool,
    /// Whether its messages were acted on before, by whoever did not get to sending what followed.
    maybe_unsent: bool,
}

/// What follows from commits.
#[derive(Default)]
struct Commands {
    jobs: Vec<Job>,
    wakes: Vec<ExecutionId>,
}

enum Phase {
    Idle,
    Read { deliveries: Messages, lost_races: u32 },
    Stepped { stepped: Vec<Stepped>, acks: Vec<u64>, lost_races: u32 },
    Committed { commands: Commands, acks: Vec<u64>, conflicts: Conflicts },
    Sent { acks: Vec<u64>, conflicts: Conflicts },
}

pub(crate) struct Replica {
    name: String,
    lives: u32,
    cache: HashMap<ExecutionId, Held>,
    phase: Phase,
}

/// What an orchestrator works with.
pub(crate) struct Desk<'a> {
    pub(crate) redis: &'a mut Redis,
    pub(crate) record: &'a Record,
    pub(crate) blobs: &'a mut Blobs,
    pub(crate) dice: &'a mut Dice,
    pub(crate) now: UnixMillis,
    pub(crate) plan: &'a Arc<Plan>,
    pub(crate) rash: bool,
    /// The seed of the workers' answers, which kept results agree with.
    pub(crate) answers: u64,
    /// The first version of the next run to begin: versions are never used twice, not even after a FLUSHALL.
    pub(crate) first_version: u64,
    /// Told of every commit that was made.
    pub(crate) committed: &'a mut Vec<(ExecutionId, Commit)>,
}

impl Replica {
    pub(crate) fn new(number: usize) -> Self {
        Self { name: format!("o{number}.0"), lives: 0, cache: HashMap::new(), phase: Phase::Idle }
    }

    pub(crate) fn die(&mut self) {
        self.lives += 1;
        let base = self.name.split('.').next().unwrap_or_default().to_owned();
        self.name = format!("{base}.{}", self.lives);
        self.cache.clear();
        self.phase = Phase::Idle;
    }

    /// Its lives so far, the present one included.
    pub(crate) fn lives(&self) -> usize {
        self.lives as usize + 1
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    pub(crate) fn cached(&self, run: ExecutionId) -> Option<&Execution> {
        self.cache.get(&run).map(|held| &held.run)
    }

    /// The next operation; says which.
    pub(crate) fn go(&mut self, desk: &mut Desk<'_>) -> String {
        let story = match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle => self.read(desk),
            Phase::Read { deliveries, lost_races } => self.step(desk, deliveries, lost_races),
            Phase::Stepped { stepped, acks, lost_races } => self.commit(desk, stepped, (acks, lost_races)),
            Phase::Committed { commands, acks, conflicts } => self.send(desk, commands, (acks, conflicts)),
            Phase::Sent { acks, conflicts } => self.acknowledge(desk, &acks, conflicts),
        };
        format!("{} {story}", self.name)
    }

    fn read(&mut self, desk: &mut Desk<'_>) -> String {
        let max = 1 + desk.dice.below(4);
        let mut deliveries = Vec::new();
        if desk.rash && desk.dice.chance(30) || !desk.redis.inbox.has_new() {
            deliveries = desk.redis.inbox.claim(&self.name, max);
        }
        if deliveries.is_empty() {
            deliveries = desk.redis.inbox.read(&self.name, max);
        }
        if deliveries.is_empty() {
            return "waits".to_owned();
        }
        let story = format!("reads {:?}", deliveries.iter().map(|one| one.id).collect::<Vec<_>>());
        self.phase = Phase::Read { deliveries, lost_races: 0 };
        story
    }

    fn step(&mut self, desk: &mut Desk<'_>, deliveries: Messages, lost_races: u32) -> String {
        let mut groups: BTreeMap<ExecutionId, Messages> = BTreeMap::new();
        for delivery in deliveries {
            let run = delivery.item.execution_id().expect("only runs are simulated");
            groups.entry(run).or_default().push(delivery);
        }
        let (mut stepped, mut acks) = (Vec::new(), Vec::new());
        for (run, deliveries) in groups {
            match self.step_run(desk, run, deliveries, lost_races > 0) {
                Ok(one) => stepped.push(one),
                Err(without_run) => acks.extend(without_run.iter().map(|one| one.id)),
            }
        }
        self.phase = Phase::Stepped { stepped, acks, lost_races };
        "steps".to_owned()
    }

    fn step_run(
        &mut self,
        desk: &mut Desk<'_>,
        run: ExecutionId,
        deliveries: Messages,
        lost_race: bool,
    ) -> Result<Stepped, Messages> {
        let accepted = deliveries.iter().find_map(|delivery| match &delivery.item {
            Message::Execute(accepted) => Some((**accepted).clone()),
            _ => None,
        });
        // After a loss of Redis a run is executed again: what is remembered of it is of the past.
        let held = self.cache.remove(&run).filter(|_| accepted.is_none() && !lost_race);
        let remembered = held.is_some();
        let (mut held, mut effects) = match held {
            Some(held) => (held, Effects::default()),
            None => match fetch(desk, run, accepted.as_ref(), (&deliveries, lost_race)) {
                Some(fetched) => fetched,
                None => return Err(deliveries),
            },
        };
        let is_new = held.version == 0;
        for delivery in &deliveries {
            if is_new && matches!(delivery.item, Message::Execute(_)) {
                continue;
            }
            if matches!(delivery.item, Message::Wake { .. }) {
                continue;
            }
            effects.append(held.run.step(Input::Message(delivery.item.clone()), desk.now));
        }
        // Another luck with every step: what was missed before a crash may be found after it, and the other way round.
        let luck = desk.dice.chance(50).then(|| desk.dice.below(1 << 20) as u64);
        let kept = Kept { luck, answers: desk.answers };
        if desk.dice.chance(30) {
            cut_short(&mut held.run, &mut effects, desk);
        } else {
            settle(&mut held.run, &mut effects, (desk.blobs, kept), desk.now);
        }
        let mut again = Effects::default();
        let maybe_unsent = lost_race || deliveries.iter().any(|delivery| delivery.deliveries > 1);
        let wakes: Messages =
            deliveries.iter().filter(|one| matches!(one.item, Message::Wake { .. })).cloned().collect();
        let own = held.goes_on.min(wakes.len());
        held.goes_on -= own;
        if let Some(wake) = wakes.get(own).filter(|_| !maybe_unsent) {
            again.append_unsent(held.run.step(Input::Message(wake.item.clone()), desk.now));
        }
        again.jobs.retain(|(job, _)| !desk.redis.queue.holds(|queued| queued.id == job.id));
        effects.append_unsent(again);
        let commit = Commit::of(&held.run, effects);
        Ok(Stepped { held, commit, deliveries, remembered, maybe_unsent })
    }

    fn commit(&mut self, desk: &mut Desk<'_>, stepped: Vec<Stepped>, so_far: (Vec<u64>, u32)) -> String {
        let (mut acks, lost_races) = so_far;
        let (mut commands, mut conflicts, mut story) =
            (Commands::default(), Vec::new(), "commits".to_owned());
        for Stepped { mut held, commit, deliveries, remembered, maybe_unsent } in stepped {
            let run = held.run.accepted().execution_id;
            if commit.needed {
                let new = if held.version == 0 { desk.first_version } else { held.version + 1 };
                if held.version == 0 && !is_begun_by_what_is_there(desk, &deliveries) {
                    story.push_str(", too late: the message is gone");
                    conflicts.extend(deliveries);
                    continue;
                }
                match desk.redis.commit(run, (held.version, new), &commit) {
                    Outcome::Committed => {
                        held.version = new;
                        desk.committed.push((run, commit.clone()));
                        // The connection broke: the commit is sent again, and finds itself.
                        if desk.rash && desk.dice.chance(5) {
                            story.push_str(", and does not hear of it");
                            conflicts.extend(deliveries);
                            continue;
                        }
                    }
                    Outcome::Conflict => {
                        story.push_str(", with a conflict");
                        conflicts.extend(deliveries);
                        continue;
                    }
                    Outcome::Rejected => panic!("a step was decided on a log of the past: {commit:?}"),
                }
            }
            // What is void to a memory that is behind may not be void at all: without a commit the version is compared too.
            if !commit.needed
                && (remembered || !commit.renew_timers.is_empty())
                && !desk.redis.renew(run, held.version, &commit.renew_timers)
            {
                story.push_str(", with a memory of the past");
                conflicts.extend(deliveries);
                continue;
            }
            acks.extend(deliveries.iter().map(|one| one.id));
            commands.jobs.extend(commit.jobs.into_iter().map(|(job, _)| job));
            if !held.run.is_terminal() {
                let goes_on = held.run.is_unfinished() && !maybe_unsent;
                held.goes_on += usize::from(goes_on);
                commands.wakes.extend((maybe_unsent || goes_on).then_some(run));
                self.cache.insert(run, held);
            }
        }
        let conflicts = Conflicts { messages: conflicts, lost_races: lost_races + 1 };
        self.phase = Phase::Committed { commands, acks, conflicts };
        story
    }

    /// Sends the jobs, at times only some of them before it dies; then the wake-ups.
    fn send(&mut self, desk: &mut Desk<'_>, commands: Commands, rest: (Vec<u64>, Conflicts)) -> String {
        let (Commands { jobs, wakes }, (acks, conflicts)) = (commands, rest);
        let dies_at =
            if desk.rash && desk.dice.chance(10) { desk.dice.below(jobs.len() + 1) } else { jobs.len() };
        let dies = dies_at < jobs.len();
        let story = format!("sends {dies_at} of {} jobs", jobs.len());
        jobs.into_iter().take(dies_at).for_each(|job| desk.redis.queue.add(job));
        if dies {
            self.die();
        } else {
            for execution_id in wakes {
                desk.redis.inbox.add(Message::Wake { execution_id });
            }
            self.phase = Phase::Sent { acks, conflicts };
        }
        story
    }

    fn acknowledge(&mut self, desk: &mut Desk<'_>, acks: &[u64], conflicts: Conflicts) -> String {
        let Conflicts { messages, lost_races } = conflicts;
        acks.iter().for_each(|&id| desk.redis.inbox.ack_own(&self.name, id));
        if !messages.is_empty() && lost_races < CONFLICT_LIMIT {
            self.phase = Phase::Read { deliveries: messages, lost_races };
        }
        format!("acknowledges {acks:?}")
    }
}

/// Whether the message that a new run is begun by is still there: not lost, and dealt with by nobody.
fn is_begun_by_what_is_there(desk: &Desk<'_>, deliveries: &Messages) -> bool {
    let begins = deliveries.iter().find(|one| matches!(one.item, Message::Execute(_)));
    begins.is_some_and(|one| desk.redis.inbox.has(one.id))
}

/// The run as it is stored, or as a new one.
fn fetch(
    desk: &mut Desk<'_>,
    run: ExecutionId,
    accepted: Option<&Accepted>,
    (deliveries, lost_race): (&Messages, bool),
) -> Option<(Held, Effects)> {
    let surely_new = !lost_race && accepted.is_some() && deliveries.iter().all(|one| one.deliveries <= 1);
    if !surely_new && let Some(stored) = desk.redis.runs.get(&run) {
        let run = load(desk.plan, &stored.fields, settings(), desk.blobs);
        return Some((Held { run, version: stored.version, goes_on: 0 }, Effects::default()));
    }
    let accepted = accepted?;
    let history = if accepted.epoch > 1 { desk.record.history(run) } else { Vec::new() };
    let (run, effects) = Execution::begin(desk.plan.clone(), accepted.clone(), settings(), history, desk.now);
    Some((Held { run, version: 0, goes_on: 0 }, effects))
}

/// Steps so short that most leave something.
fn settings() -> Settings {
    Settings { step_limit: 3, ..Settings::default() }
}

/// Goes on with what was left for a while, and leaves the rest to the next step: what one commit brings has a bound.
fn cut_short(run: &mut Execution, effects: &mut Effects, desk: &mut Desk<'_>) {
    for _ in 0..desk.dice.below(4) {
        if run.is_unfinished() {
            effects.append(run.step(Input::Continue, desk.now));
        } else if !effects.shell.is_empty() {
            let input = desk.blobs.perform(run, effects.shell.remove(0));
            effects.append(run.step(input, desk.now));
        }
    }
    run.take_back(std::mem::take(&mut effects.shell));
}
