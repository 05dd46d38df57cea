//! What a round has dealt with: told to the line, then acknowledged.

use millrace_bus::{Delivery, EntryId, LineNews};
use millrace_contracts::message::Message;
use millrace_contracts::{Flow, Partition};

use crate::held::Held;

#[derive(Default)]
pub(crate) struct Settled {
    pub(crate) acks: Vec<(Partition, EntryId)>,
    pub(crate) news: LineNews,
}

impl Settled {
    /// Adds messages that need not come again.
    pub(crate) fn add(&mut self, deliveries: &[Delivery]) {
        self.acks.extend(entries(deliveries));
        for delivery in deliveries {
            if let Message::Execute(accepted) = &delivery.message {
                self.news.begun.push(accepted.execution_id);
            }
        }
    }

    /// Notes where a run stands. Also one that had ended before: whoever committed that may have died before the line
    /// was told.
    pub(crate) fn note(&mut self, held: &Held, woken: bool) {
        let accepted = held.run.accepted();
        let run = accepted.execution_id;
        if held.run.is_terminal() {
            self.news.ended.push(run);
        } else if held.run.is_resting() {
            self.news.resting.push(run);
        } else if woken {
            self.news.going_on.push((run, Flow::of(accepted)));
        }
    }
}

pub(crate) fn entries(deliveries: &[Delivery]) -> impl Iterator<Item = (Partition, EntryId)> {
    deliveries.iter().map(|delivery| (delivery.partition, delivery.entry.clone()))
}
