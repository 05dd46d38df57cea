//! Poison: a batch that the database refuses is halved until the culprits stand alone; the rest is recorded as if they had
//! not been there. Halving is safe because recording is idempotent and takes events in any order.

use millrace_contracts::Event;

use super::{Recorded, event_rows};
use crate::{Store, StoreError, dead_letters};

impl Store {
    /// Records what can be recorded of a batch that was refused as a whole.
    pub(super) async fn isolate(&self, events: &[Event]) -> Result<Recorded, StoreError> {
        let mut total = Recorded::default();
        let mut waiting = halves(events);
        while let Some(part) = waiting.pop() {
            match self.write(part).await {
                Ok(recorded) => total.add(recorded),
                Err(StoreError::Data { reason }) => {
                    self.refused(part, &reason, &mut total, &mut waiting).await?
                }
                Err(error @ StoreError::Conflict { .. }) => {
                    self.refused(part, &error.to_string(), &mut total, &mut waiting).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    async fn refused<'a>(
        &self,
        part: &'a [Event],
        reason: &str,
        total: &mut Recorded,
        waiting: &mut Vec<&'a [Event]>,
    ) -> Result<(), StoreError> {
        match part {
            [event] => total.add(self.bury(event, reason).await?),
            several => waiting.extend(halves(several)),
        }
        Ok(())
    }

    /// The event goes to the dead letters. If only what is derived from it was refused, it still stands in the run's log,
    /// so that replay has no gap.
    async fn bury(&self, event: &Event, reason: &str) -> Result<Recorded, StoreError> {
        tracing::warn!(
            event.id = %event.id,
            event.kind = %event.kind,
            reason,
            "event cannot be recorded and goes to wf_dead_letters"
        );
        let mut new_events = 0;
        let mut transaction = self.begin().await?;
        match event_rows::insert(&mut transaction, &[event]).await {
            Ok(inserted) => {
                transaction.commit().await?;
                new_events = inserted;
            }
            Err(StoreError::Data { .. } | StoreError::Conflict { .. }) => transaction.rollback().await?,
            Err(error) => return Err(error),
        }
        let mut connection = self.connection().await?;
        dead_letters::insert(&mut connection, event, reason).await?;
        Ok(Recorded { new_events, transactions: 2, dead_letters: 1 })
    }
}

/// The two halves, the earlier one last, where it is popped first. A single event is its own half.
fn halves(events: &[Event]) -> Vec<&[Event]> {
    let (first, second) = events.split_at(events.len() / 2);
    [second, first].into_iter().filter(|half| !half.is_empty()).collect()
}
