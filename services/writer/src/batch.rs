//! A batch in the making: events in the order in which they came, and what to acknowledge once they are recorded.

use std::time::Duration;

use millrace_bus::{EntryId, RecordEntry};
use millrace_contracts::Partition;
use millrace_store::RecordBatch;
use tokio::time::Instant;

/// Events that will be recorded together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) record: RecordBatch,
    pub(crate) entries: Vec<(Partition, EntryId)>,
    /// When the first event came.
    since: Option<Instant>,
}

impl Batch {
    pub(crate) fn add(&mut self, entries: Vec<RecordEntry>) {
        if !entries.is_empty() {
            self.since.get_or_insert_with(Instant::now);
        }
        for entry in entries {
            self.entries.push((entry.partition, entry.entry));
            self.record.events.push(entry.event);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many more it takes.
    pub(crate) fn room(&self, size: usize) -> usize {
        size.saturating_sub(self.len())
    }

    /// How long it may still wait for more; none while it is empty.
    pub(crate) fn patience(&self, delay: Duration) -> Option<Duration> {
        self.since.map(|since| delay.saturating_sub(since.elapsed()))
    }
}
