//! One batch: step every run it speaks of, commit all steps in one pipeline, send the commands, acknowledge.

use std::collections::HashSet;
use std::time::Instant;

use futures::future::join_all;
use indexmap::IndexMap;
use metrics::{counter, histogram};
use millrace_bus::{Commit, CommitOutcome, Delivery, EntryId};
use millrace_contracts::message::Message;
use millrace_contracts::schedule::{Cue, CueReason};
use millrace_contracts::{Event, ExecutionId, Job, UnixMillis};
use millrace_engine::{Effects, Hit, Input};

use crate::ends::End;
use crate::error::Reach;
use crate::held::{Held, HeldRuns};
use crate::outbox::{self, KeepFinished, Outbox};
use crate::reuse::Keep;
use crate::role::Shared;
use crate::settled::{Settled, entries};
use crate::step::{Open, Step, Stepped, put_off, step};
use crate::walk::walk;
use crate::{OrchestratorError, callbacks, foresight, oversize, resend, reuse};

/// A run is stepped anew so often when another replica commits in between; then the messages wait for redelivery.
const CONFLICT_LIMIT: u32 = 8;

/// What is left of a batch.
#[derive(Default)]
pub(crate) struct Left {
    /// Whether some messages are unacknowledged because other replicas kept getting ahead, so that they must be claimed and
    /// handled again.
    pub(crate) outrun: bool,
    /// Whether some are unacknowledged because their runs were put off.
    pub(crate) put_off: bool,
}

/// Handles `deliveries`; says whether any of them are left.
pub(crate) async fn handle(
    shared: &Shared,
    consumer: &str,
    runs: &mut HeldRuns,
    deliveries: Vec<Delivery>,
) -> Result<Left, OrchestratorError> {
    let begun = Instant::now();
    histogram!("millrace_orchestrator_batch_messages").record(deliveries.len() as f64);
    let (deliveries, turned_away) = shared.desk.take(consumer, deliveries);
    let (deliveries, told) = callbacks::take(deliveries);
    callbacks::record(shared, &told).await?;
    shared.bus.ack(consumer, &entries(&turned_away).chain(entries(&told)).collect::<Vec<_>>()).await?;
    let mut groups: IndexMap<ExecutionId, Vec<Delivery>> = IndexMap::new();
    for delivery in deliveries {
        let run = delivery.message.execution_id().expect("the desk takes all that is not about runs");
        groups.entry(run).or_default().push(delivery);
    }
    let mut open: Vec<Open> = groups
        .into_iter()
        .map(|(run, deliveries)| {
            let held = runs.take(run).filter(|_| !is_outlived(&deliveries));
            Open { held, deliveries, lost_race: false }
        })
        .collect();
    let mut left = Left::default();
    for _ in 0..CONFLICT_LIMIT {
        if open.is_empty() {
            break;
        }
        open = round(shared, consumer, runs, (open, &mut left)).await?;
    }
    counter!("millrace_orchestrator_conflicts_given_up_total").increment(open.len() as u64);
    histogram!("millrace_orchestrator_batch_seconds").record(begun.elapsed().as_secs_f64());
    left.outrun = !open.is_empty();
    Ok(left)
}

/// Whether the run is executed again, since its live state was lost: what is remembered of it is of the past.
fn is_outlived(deliveries: &[Delivery]) -> bool {
    deliveries.iter().any(|delivery| matches!(delivery.message, Message::Execute(_)))
}

/// Steps and commits every open run once; answers those that another replica got ahead of.
async fn round(
    shared: &Shared,
    consumer: &str,
    runs: &mut HeldRuns,
    (open, left): (Vec<Open>, &mut Left),
) -> Result<Vec<Open>, OrchestratorError> {
    let now = UnixMillis::now();
    let steps = join_all(open.into_iter().map(|open| step(shared, open, now))).await;
    let mut settled = Settled::default();
    let mut stepped = Vec::new();
    for result in steps {
        match result? {
            Step::Taken(run) => stepped.push(*run),
            Step::Void(without_run) => settled.add(&without_run),
            Step::Later => left.put_off = true,
        }
    }
    let walkable = stepped.len();
    reuse_results(shared, &mut stepped, now).await?;
    say_again(shared, &mut stepped, now).await?;
    move_oversize(shared, &mut stepped).await?;
    left.put_off |= stepped.len() < walkable;
    let (commits, versions) = prepare(shared, &mut stepped);
    // Whoever commits it, a cancel ends its run: no job of it is given out any more before anybody is told of the end.
    shared.bus.drop_runs(&withdrawn(&stepped)).await?;
    let outcomes = shared.bus.commit(&commits).await?;
    shared.alarms.notice_all(commits.iter());
    let mut outcomes = outcomes.into_iter();
    let (mut outbox, mut keep) = (Outbox::default(), Keep::default());
    let (mut conflicts, mut wishes) = (Vec::new(), Vec::new());
    for (mut run, version) in stepped.into_iter().zip(versions) {
        let outcome = if version.is_some() { outcomes.next() } else { Some(CommitOutcome::Committed) };
        match outcome {
            Some(CommitOutcome::Committed) => {
                note_made(shared, &mut keep, &mut run);
                // It has just begun.
                if run.held.version == 0 && !run.held.run.is_terminal() {
                    wishes.append(&mut shared.foresight.of(&run.held.run));
                }
                settled.add(&run.deliveries);
                settled.note(&run.held, run.woken);
                accept(runs, &mut outbox, run, version);
            }
            Some(CommitOutcome::Rejected(reason)) => {
                tracing::error!(run.id = %run.held.run.accepted().execution_id, reason, "a step cannot be stored");
                settled.add(&run.deliveries);
            }
            Some(CommitOutcome::Conflict) | None => {
                counter!("millrace_orchestrator_conflicts_total").increment(1);
                conflicts.push(Open { held: None, deliveries: run.deliveries, lost_race: true });
            }
        }
    }
    let leave = async { Ok(shared.bus.leave_line(&settled.news).await?) };
    let commands = async { tokio::try_join!(outbox.send(&shared.bus), leave) };
    let (sent, (), ()) = tokio::join!(commands, keep.send(shared), foresight::tell(shared, &wishes));
    sent?;
    shared.bus.ack(consumer, &settled.acks).await?;
    Ok(conflicts)
}

/// The runs that end by a cancel, as long as jobs of theirs are with the queues.
fn withdrawn(stepped: &[Stepped]) -> Vec<ExecutionId> {
    let is_cancel = |delivery: &Delivery| matches!(delivery.message, Message::Cancel { .. });
    let is_withdrawn = |run: &&Stepped| {
        run.held.run.is_terminal() && !run.effects.abandon.is_empty() && run.deliveries.iter().any(is_cancel)
    };
    stepped.iter().filter(is_withdrawn).map(|run| run.held.run.accepted().execution_id).collect()
}

/// Adds what runs that stand still said before. One whose messages come again is woken afterwards in any case.
async fn say_again(
    shared: &Shared,
    stepped: &mut [Stepped],
    now: UnixMillis,
) -> Result<(), OrchestratorError> {
    // After the cache was asked: what was found is not said again.
    let wanted = |run: &mut Stepped| {
        if run.asked_again && !run.maybe_unsent {
            resend::wanted(&mut run.held, now)
        } else {
            Effects::default()
        }
    };
    let mut again: Vec<Effects> = stepped.iter_mut().map(wanted).collect();
    resend::touch(shared, &mut again).await;
    resend::keep_missing(shared, &mut again).await?;
    for (run, again) in stepped.iter_mut().zip(again) {
        run.effects.append_unsent(again);
    }
    Ok(())
}

/// Moves what outgrew the bus into the blob store. A run that this fails for is forgotten, to be stepped again later.
async fn move_oversize(shared: &Shared, stepped: &mut Vec<Stepped>) -> Result<(), OrchestratorError> {
    let mut stuck = HashSet::new();
    for Stepped { held, effects, .. } in stepped.iter_mut() {
        let moved = async {
            oversize::check(&shared.blobs, &mut effects.durable).await?;
            oversize::check_jobs(&shared.blobs, effects.jobs.iter_mut().map(|(job, _)| job)).await
        };
        note_stuck(moved.await, held, &mut stuck)?;
    }
    forget(stepped, &stuck);
    Ok(())
}

/// Puts a run off that only it is in the way of.
fn note_stuck(
    done: Result<(), OrchestratorError>,
    held: &Held,
    stuck: &mut HashSet<ExecutionId>,
) -> Result<(), OrchestratorError> {
    match done {
        Err(error) if error.reach() != Reach::Everybody => {
            let run = held.run.accepted().execution_id;
            put_off(run, &error);
            stuck.insert(run);
            Ok(())
        }
        other => other,
    }
}

/// Forgets runs that are to be stepped again later; their messages stay where they are.
fn forget(stepped: &mut Vec<Stepped>, stuck: &HashSet<ExecutionId>) {
    stepped.retain(|run| !stuck.contains(&run.held.run.accepted().execution_id));
}

/// The commits to make, and for each run the version it has afterwards; none for a run that needs no commit.
fn prepare(shared: &Shared, stepped: &mut [Stepped]) -> (Vec<Commit>, Vec<Option<u64>>) {
    let (mut commits, mut versions) = (Vec::new(), Vec::with_capacity(stepped.len()));
    let keep = KeepFinished::of(&shared.settings, shared.bus.partitions());
    for run in stepped {
        let commit = if run.effects.needs_commit() {
            run.end = End::among(&run.effects.durable);
            run.callback = callback(shared, &run.held, &run.effects.durable);
            let commit = outbox::commit(&shared.bus, &run.held, &mut run.effects, &keep);
            Some(Commit { because: begun_by(run), ..commit })
        } else {
            // What is void to a memory that is behind may not be void at all: the version is compared all the same.
            let renewed = std::mem::take(&mut run.effects.renew_timers);
            let compared = run.remembered || !renewed.is_empty();
            compared.then(|| outbox::comparison(&shared.bus, &run.held, renewed))
        };
        versions.push(commit.as_ref().map(|commit| commit.new_version));
        commits.extend(commit);
    }
    (commits, versions)
}

/// The news of the run's end, if these events hold it.
fn callback(shared: &Shared, held: &Held, durable: &[Event]) -> Option<Job> {
    let end = durable.last().filter(|event| event.kind.ends_run())?;
    callbacks::letter(shared, held.run.accepted(), end)
}

/// The message that a new run is begun by, or ended by before it began: it is void once that is gone.
fn begun_by(run: &Stepped) -> Option<EntryId> {
    let begins = |delivery: &&Delivery| matches!(delivery.message, Message::Execute(_));
    let is_new = run.held.version == 0;
    let message = run.deliveries.iter().find(begins).or(run.deliveries.first())?;
    is_new.then(|| message.entry.clone())
}

fn accept(runs: &mut HeldRuns, outbox: &mut Outbox, run: Stepped, version: Option<u64>) {
    let Stepped { mut held, effects, callback, end, maybe_unsent, .. } = run;
    if let Some(version) = version {
        held.version = version;
        counter!("millrace_orchestrator_commits_total").increment(1);
        if let Some(end) = end {
            end.count();
        }
    }
    outbox.add(&held, effects);
    outbox.call_back(callback);
    if maybe_unsent {
        outbox.say_again(&held);
    } else if held.run.is_unfinished() {
        held.goes_on += 1;
        outbox.say_again(&held);
    }
    let accepted = held.run.accepted();
    if let (true, Some(schedule_id)) = (held.run.is_terminal(), accepted.schedule_id) {
        outbox.tell(Cue { schedule_id, reason: CueReason::Ended(accepted.execution_id) });
    }
    runs.keep(held);
}

/// Looks up the jobs that the runs are about to send, and takes what was made before; what then follows may be looked up
/// too. A run that cannot be walked on from there is forgotten, to be stepped again later.
async fn reuse_results(
    shared: &Shared,
    stepped: &mut Vec<Stepped>,
    now: UnixMillis,
) -> Result<(), OrchestratorError> {
    let (mut room, mut stuck) = (reuse::HITS_PER_ROUND, HashSet::new());
    while room > 0 {
        let asked = stepped.iter_mut().enumerate();
        let asks: Vec<_> = asked
            .flat_map(|(at, run)| std::mem::take(&mut run.effects.asks).into_iter().map(move |ask| (at, ask)))
            .collect();
        if asks.is_empty() {
            break;
        }
        let mut by_run: IndexMap<usize, Vec<Hit>> = IndexMap::new();
        for (at, hit) in reuse::look_up(shared, asks, room).await {
            room -= 1;
            by_run.entry(at).or_default().push(hit);
        }
        for (at, hits) in by_run {
            let Stepped { held, effects, .. } = &mut stepped[at];
            effects.append(held.run.step(Input::Cached(hits), now));
            note_stuck(walk(shared, held, effects, now).await, held, &mut stuck)?;
        }
        forget(stepped, &stuck);
    }
    Ok(())
}

/// Takes what workers made in a committed step, for others to find.
fn note_made(shared: &Shared, keep: &mut Keep, run: &mut Stepped) {
    let made = std::mem::take(&mut run.effects.made);
    if !made.is_empty() {
        shared.copies.note(&run.held);
        keep.add(&run.held, made);
    }
}
