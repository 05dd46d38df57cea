//! Failures of the crates below as problems: one place decides what a client may know of them.

use millrace_blobs::BlobsError;
use millrace_bus::BusError;
use millrace_store::{Bounded, GroupCommitError, StoreError};

use super::{Code, Problem};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) | StoreError::Refused(_) => database_away().because(error),
            StoreError::NotFound(what) => Self::new(Code::NotFound, format!("there is no such {what}")),
            StoreError::Gone(what) => Self::new(Code::Gone, format!("the {what} was deleted")),
            StoreError::Full { what, limit } => full(*what, *limit),
            StoreError::Stale { current } => Self::new(
                Code::PreconditionFailed,
                format!(
                    "it is at version {current} now; fetch it again, and send that version's ETag in If-Match"
                ),
            ),
            StoreError::LastAdmin => Self::new(
                Code::LastAdminKey,
                "nobody could make or revoke a key any more; make another key with the scope `admin` first, or revoke the others",
            ),
            StoreError::NotEnded => Self::new(
                Code::ExecutionNotEnded,
                "the execution goes on; cancel it first, or wait for its end",
            ),
            _ => Self::internal(error),
        }
    }
}

impl From<GroupCommitError> for Problem {
    fn from(error: GroupCommitError) -> Self {
        match error {
            GroupCommitError::Overloaded => {
                Self::new(Code::Overloaded, "too many submissions are waiting; send it again in a moment")
            }
            GroupCommitError::Closed => shutting_down(),
            GroupCommitError::Unavailable(_) => database_away().because(error),
            GroupCommitError::Refused(_) => Self::internal(error),
        }
    }
}

impl From<BusError> for Problem {
    fn from(error: BusError) -> Self {
        if error.is_retryable() {
            let detail =
                "the message bus cannot be reached; nothing was changed, so send it again in a moment";
            return Self::new(Code::BusUnavailable, detail).because(error);
        }
        Self::internal(error)
    }
}

impl From<BlobsError> for Problem {
    fn from(error: BlobsError) -> Self {
        match &error {
            BlobsError::NotFound(id) => Self::not_found("blob", id),
            BlobsError::TooLarge { limit, .. } => {
                Self::new(Code::PayloadTooLarge, format!("a blob may have at most {limit} bytes"))
            }
            BlobsError::InputTooLarge { .. } => Self::new(Code::InvalidInput, error.to_string()),
            BlobsError::Range { bytes } => {
                Self::new(Code::RangeNotSatisfiable, format!("the blob has {bytes} bytes"))
            }
            BlobsError::Upload(_) => {
                Self::new(Code::MalformedBody, "the body broke off before its end").because(error)
            }
            BlobsError::Settings { .. } | BlobsError::NotJson { .. } | BlobsError::TooDeep { .. } => {
                Self::internal(error)
            }
            BlobsError::Storage(_) => Self::new(
                Code::BlobStoreUnavailable,
                "the blob store cannot be reached; send it again in a moment",
            )
            .because(error),
        }
    }
}

fn full(what: Bounded, limit: u32) -> Problem {
    let code = match what {
        Bounded::Models => Code::TooManyModels,
        Bounded::Schedules | Bounded::SchedulesOfWorkflow => Code::TooManySchedules,
        Bounded::Collections => Code::TooManyCollections,
        Bounded::Points | Bounded::PointsWithoutIndex => {
            let detail = format!("there may be {limit} {what}; delete some, or use another collection");
            return Problem::new(Code::CollectionFull, detail);
        }
    };
    Problem::new(code, format!("there are {limit} {what}, which is the limit; delete one that is not needed"))
}

fn database_away() -> Problem {
    Problem::new(
        Code::DatabaseUnavailable,
        "the database cannot be reached, so nothing can be accepted or looked up there; send it again in a moment",
    )
}

/// The answer to whatever comes while the role is ending.
pub(crate) fn shutting_down() -> Problem {
    Problem::new(Code::ShuttingDown, "this server is shutting down; send it again in a moment")
}
