//! Recording: a batch of events becomes rows of four tables in one transaction. Idempotency key: (run, epoch, seq) for events,
//! the row's own key for what is derived. Delivery may repeat and reorder; terminal states never go back. Poison ends in
//! `wf_dead_letters`.

mod audit_rows;
mod callback_rows;
mod change;
mod event_rows;
mod execution_rows;
mod fold;
mod isolate;
mod job_rows;
mod node_run_rows;
mod worker_rows;

use millrace_contracts::{Event, EventType};

use crate::blob_uses::Uses;
use crate::{Store, StoreError, dead_letters};
use fold::Changes;

/// The statements of a batch are planned once per connection and not by what the statistics say at the moment: rows are always
/// found by their keys, however many a batch has and however long ago the tables were analysed.
const BEGIN: &str = "begin; set local plan_cache_mode = force_generic_plan";

/// Events to be recorded, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordBatch {
    /// Durable events, `workflow:execute`, `inference:queued`, what is said of call-backs, changes, and workers that are
    /// lost; others are ignored.
    pub events: Vec<Event>,
}

/// What recording a batch did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Rows new to `wf_events`; less than the batch where it repeats.
    pub new_events: u64,
    /// Transactions it took: 1, more only while poison is isolated.
    pub transactions: u64,
    /// Events put into `wf_dead_letters`.
    pub dead_letters: u64,
}

impl Recorded {
    fn add(&mut self, other: Self) {
        self.new_events += other.new_events;
        self.transactions += other.transactions;
        self.dead_letters += other.dead_letters;
    }
}

impl Store {
    /// Records `batch`. Recording it again, in whole or in part, changes nothing.
    ///
    /// # Errors
    /// `Unavailable`, `Fault`: nothing or a part was recorded; record the same batch again. Data that the database refuses is
    /// no error: it is isolated and dead-lettered.
    pub async fn record(&self, batch: &RecordBatch) -> Result<Recorded, StoreError> {
        if batch.events.is_empty() {
            return Ok(Recorded::default());
        }
        match self.write(&batch.events).await {
            Err(StoreError::Data { .. } | StoreError::Conflict { .. }) => self.isolate(&batch.events).await,
            other => other,
        }
    }

    /// One transaction. The order of tables and the order of rows in each is always the same, so that concurrent writers
    /// wait for each other instead of deadlocking.
    async fn write(&self, events: &[Event]) -> Result<Recorded, StoreError> {
        let changes = Changes::fold(events);
        let mut transaction = self.begin_with(BEGIN).await?;
        let new_events = event_rows::insert(&mut transaction, &changes.events).await?;
        node_run_rows::upsert(&mut transaction, &changes.node_runs).await?;
        job_rows::upsert(&mut transaction, &changes.jobs, &self.prices).await?;
        execution_rows::advance(&mut transaction, &changes, !self.prices.is_empty()).await?;
        uses_of(&changes.events).insert(&mut transaction).await?;
        callback_rows::update(&mut transaction, &changes.callbacks).await?;
        audit_rows::insert(&mut transaction, &changes.audited).await?;
        worker_rows::lose(&mut transaction, &changes.lost).await?;
        for (event, reason) in &changes.unreadable {
            dead_letters::insert(&mut transaction, event, reason).await?;
        }
        transaction.commit().await?;
        Ok(Recorded { new_events, transactions: 1, dead_letters: changes.unreadable.len() as u64 })
    }
}

/// What nodes and runs gave refers to. (The input is known since the run was accepted.)
fn uses_of(events: &[&Event]) -> Uses {
    let mut uses = Uses::default();
    for event in events.iter().filter(|event| event.kind != EventType::WorkflowStarted) {
        if let Some(run) = event.execution_id {
            uses.add(run.0, &event.data);
        }
    }
    uses
}
