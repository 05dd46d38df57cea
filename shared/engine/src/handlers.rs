//! One file per kind of input. Each checks that the input still means something, then lets the rules follow.

mod cancel;
pub(crate) mod report;
mod timer;
mod wake;
mod worked;

use millrace_contracts::UnixMillis;
use millrace_contracts::message::Message;

use crate::effects::Noop;
use crate::execution::{Execution, Input};

pub(crate) fn handle(run: &mut Execution, input: Input, now: UnixMillis) {
    if run.is_terminal() {
        run.effects.noop = Some(Noop::RunEnded);
        return;
    }
    match input {
        Input::Message(Message::Execute(accepted)) => {
            let outdated = accepted.epoch > run.meta.epoch;
            run.effects.noop = Some(if outdated { Noop::Outdated } else { Noop::Duplicate });
        }
        Input::Message(Message::Cancel { reason, .. }) => cancel::handle(run, &reason, now),
        Input::Message(Message::Report { node_id, path, attempt, report, with_start, then, .. }) => {
            let about = report::About { node_id, path, attempt, with_start };
            report::handle(run, about, (*report, then), now);
        }
        Input::Message(Message::Timer(timer)) => timer::handle(run, timer.purpose, now),
        Input::Message(Message::Wake { .. }) => wake::handle(run, now),
        Input::Message(Message::Schedule(_)) => run.effects.noop = Some(Noop::Unknown),
        Input::Cached(hits) => run.take_hits(hits, now),
        Input::Continue => {}
        Input::Worked { key, result } => worked::handle(run, &key, result, now),
    }
}
