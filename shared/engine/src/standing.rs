//! How far a run has come, read from one of its stored records: what a stream needs that goes on where it broke off, however many
//! nodes the run has.

use millrace_contracts::ExecutionStatus;
use millrace_contracts::event::LogPosition;

use crate::load::{LoadError, from_json};
use crate::record::Meta;

/// A run's status, and the last event of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where the run stands.
    pub status: ExecutionStatus,
    /// The last durable event; `seq` 0 before the first.
    pub at: LogPosition,
}

impl Standing {
    /// What the record in [`Meta::FIELD`] says.
    ///
    /// # Errors
    /// The record is damaged.
    pub fn read(record: &[u8]) -> Result<Self, LoadError> {
        let meta: Meta = from_json(Meta::FIELD, record)?;
        Ok(Self { status: meta.status, at: LogPosition { epoch: meta.epoch, seq: meta.seq } })
    }
}
