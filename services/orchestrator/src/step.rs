//! One step of one run: brought into memory, taken through its messages, with what the blob store has to do for it.

use metrics::counter;
use millrace_bus::Delivery;
use millrace_contracts::message::Message;
use millrace_contracts::{ExecutionId, Job, UnixMillis};
use millrace_engine::{Effects, Input};

use crate::ends::End;
use crate::error::Reach;
use crate::fetch::fetch;
use crate::held::Held;
use crate::role::Shared;
use crate::walk::walk;
use crate::{OrchestratorError, resend};

/// A run with messages for it, before it is stepped.
pub(crate) struct Open {
    pub(crate) held: Option<Held>,
    pub(crate) deliveries: Vec<Delivery>,
    /// Another replica committed in between: what is in memory is out of date, and `execute` is not news.
    pub(crate) lost_race: bool,
}

/// What came of the messages for one run.
pub(crate) enum Step {
    /// It goes on.
    Taken(Box<Stepped>),
    /// There is no such run, or nothing can be done for it: these are to be acknowledged.
    Void(Vec<Delivery>),
    /// It cannot be done now: they stay where they are, and the lane finds them there after a while.
    Later,
}

/// A run that was stepped and is ready to be committed.
pub(crate) struct Stepped {
    pub(crate) held: Held,
    /// Whether it was stepped from memory, which may be behind what is stored.
    pub(crate) remembered: bool,
    /// Whether it only waited for time before, or may have.
    pub(crate) woken: bool,
    /// Whether its messages were acted on before, by whoever did not get to sending what followed.
    pub(crate) maybe_unsent: bool,
    /// Whether it is to say again what it waits for.
    pub(crate) asked_again: bool,
    pub(crate) effects: Effects,
    pub(crate) deliveries: Vec<Delivery>,
    /// Tells of the run's end, where this step is the end and somebody wants to know.
    pub(crate) callback: Option<Job>,
    /// Its end, to be counted once it is committed.
    pub(crate) end: Option<End>,
}

/// Steps one run through its messages.
pub(crate) async fn step(shared: &Shared, open: Open, now: UnixMillis) -> Result<Step, OrchestratorError> {
    let Open { held, deliveries, lost_race } = open;
    let remembered = held.is_some();
    let (mut held, mut effects) = match held {
        Some(held) => (held, Effects::default()),
        None => match fetch(shared, &deliveries, lost_race, now).await {
            Ok(Some(fetched)) => (fetched.held, fetched.begun.unwrap_or_default()),
            Ok(None) => {
                let count = deliveries.len() as u64;
                counter!("millrace_orchestrator_noops_total", "reason" => "no_such_run").increment(count);
                return Ok(Step::Void(deliveries));
            }
            Err(error) => return without_run(error, deliveries),
        },
    };
    let is_new = held.version == 0;
    // After a crash the alarm that woke it comes again, when it rests no longer and the line was not told.
    let is_alarm = |delivery: &Delivery| matches!(delivery.message, Message::Timer(_));
    let maybe_unsent = lost_race || resend::come_again(&deliveries);
    let is_wake = |delivery: &&Delivery| matches!(delivery.message, Message::Wake { .. });
    let asked_again = held.take_wakes(deliveries.iter().filter(is_wake).count());
    let woken = held.run.is_resting() || deliveries.iter().any(is_alarm);
    for delivery in &deliveries {
        if is_new && matches!(delivery.message, Message::Execute(_)) {
            continue;
        }
        if matches!(delivery.message, Message::Wake { .. }) {
            continue;
        }
        let later = held.run.step(Input::Message(delivery.message.clone()), now);
        count_noop(&later);
        effects.append(later);
    }
    if let Err(error) = walk(shared, &mut held, &mut effects, now).await {
        return without_run(error, deliveries);
    }
    Ok(Step::Taken(Box::new(Stepped {
        held,
        remembered,
        woken,
        maybe_unsent,
        asked_again,
        effects,
        deliveries,
        callback: None,
        end: None,
    })))
}

/// What becomes of messages whose run could not be brought into memory, or not be walked.
fn without_run(error: OrchestratorError, deliveries: Vec<Delivery>) -> Result<Step, OrchestratorError> {
    match error.reach() {
        Reach::Everybody => Err(error),
        Reach::RunForNow => {
            if let Some(run) = deliveries.first().and_then(|delivery| delivery.message.execution_id()) {
                put_off(run, &error);
            }
            Ok(Step::Later)
        }
        Reach::Run => {
            // Nobody else could do better: say so loudly, and let the other runs go on.
            tracing::error!(error = %error, "a run cannot be continued; its messages are dropped");
            Ok(Step::Void(deliveries))
        }
    }
}

/// Tells of a run that has to wait, while others go on.
pub(crate) fn put_off(run: ExecutionId, error: &OrchestratorError) {
    tracing::warn!(run.id = %run, error = %error, "a run cannot be looked at now; its messages are tried again");
    counter!("millrace_orchestrator_put_off_total").increment(1);
}

fn count_noop(effects: &Effects) {
    if let Some(noop) = effects.noop {
        counter!("millrace_orchestrator_noops_total", "reason" => noop.as_str()).increment(1);
    }
}
