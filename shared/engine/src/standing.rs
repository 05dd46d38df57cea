//! How far a run has come, read from one of its stored records: what a stream needs that goes on where it broke off, however many
//! nodes the run has.

use millrace_contracts::ExecutionStatus;
use millrace_contracts::event::LogPosition;
use serde::Deserialize;

use crate::load::LoadError;
use crate::record::META;

/// The stored field that [`Standing::read`] reads.
pub const STANDING_FIELD: &str = META;

/// A run's status, and the last event of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where the run stands.
    pub status: ExecutionStatus,
    /// The last durable event; `seq` 0 before the first.
    pub at: LogPosition,
}

impl Standing {
    /// What the record in [`STANDING_FIELD`] says.
    ///
    /// # Errors
    /// The record is damaged.
    pub fn read(record: &[u8]) -> Result<Self, LoadError> {
        #[derive(Deserialize)]
        struct Facts {
            status: ExecutionStatus,
            epoch: u32,
            seq: u64,
        }
        let damaged = |source| LoadError::Damaged { field: STANDING_FIELD.to_owned(), source };
        let Facts { status, epoch, seq } = serde_json::from_slice(record).map_err(damaged)?;
        Ok(Self { status, at: LogPosition { epoch, seq } })
    }
}
