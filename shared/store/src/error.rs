//! What can go wrong with Postgres, sorted by what the caller should do about it.

use std::borrow::Cow;

use crate::VectorFault;

const NO_SUCH_DATABASE: &str = "3D000";

/// A failed call to the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection, no free connection in time, a server that is starting, stopping, out of resources, or a transaction
    /// that lost against another. Nothing was written; the same call may succeed later.
    #[error("the database cannot be reached or is not ready; try again ({0})")]
    Unavailable(#[source] sqlx::Error),
    /// The server does not let this account in, or has no such database. Nothing was written; the same call may succeed once
    /// somebody has changed the settings or the server.
    #[error("the database {}", refusal(.0))]
    Refused(#[source] sqlx::Error),
    /// A named unique or foreign key constraint refused the row.
    #[error("the row conflicts with what is stored ({constraint})")]
    Conflict {
        /// The constraint's name, as in the migrations.
        constraint: String,
    },
    /// The row was changed by somebody else since the caller read it.
    #[error("it was changed meanwhile: the version is now {current}")]
    Stale {
        /// The version that is stored now.
        current: u32,
    },
    /// No such row, ever.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The row existed and was deleted.
    #[error("the {0} was deleted")]
    Gone(&'static str),
    /// There are as many as there may be.
    #[error("there are {limit} {what}, which is the limit")]
    Full {
        /// Of what.
        what: Bounded,
        /// How many there may be.
        limit: u32,
    },
    /// The only key that may make others, while there are others.
    #[error("no other key may make keys")]
    LastAdmin,
    /// The run has not ended, and what was asked for needs it to have.
    #[error("the run has not ended yet")]
    NotEnded,
    /// The database will not take this data however often it is sent.
    #[error("the database refused the data: {reason}")]
    Data {
        /// What it said, with the SQLSTATE.
        reason: String,
    },
    /// The collection does not take one of the vectors.
    #[error("vector {position}: {fault}")]
    Vector {
        /// Which one, from 0 on.
        position: usize,
        /// Why not.
        fault: VectorFault,
    },
    /// A stored value is not what this version of Millrace expects.
    #[error("stored {what} cannot be read: {reason}")]
    Corrupt {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The settings do not describe a database.
    #[error("the database url or schema cannot be used: {0}")]
    Settings(String),
    /// The migrations could not be applied.
    #[error("the migrations could not be applied: {0}")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The schema is not as this version needs it (not migrated, no rights), or a fault in this crate.
    #[error("the database answered with a fault; are the migrations applied? ({0})")]
    Fault(#[source] sqlx::Error),
}

/// What there may be only so many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounded {
    /// Registered models.
    Models,
    /// Schedules in all.
    Schedules,
    /// Schedules of one workflow.
    SchedulesOfWorkflow,
    /// Collections.
    Collections,
    /// Points of one collection.
    Points,
    /// Points of one collection that has no index.
    PointsWithoutIndex,
}

impl std::fmt::Display for Bounded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Models => "models",
            Self::Schedules => "schedules",
            Self::SchedulesOfWorkflow => "schedules of this workflow",
            Self::Collections => "collections",
            Self::Points => "points of this collection",
            Self::PointsWithoutIndex => "points of this collection, which has no index",
        })
    }
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing the data.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Refused(_))
    }

    /// Whether a statement ran for longer than the server lets one: the same again will hardly fare better, a smaller piece may.
    #[must_use]
    pub fn took_too_long(&self) -> bool {
        matches!(self, Self::Unavailable(sqlx::Error::Database(fault)) if fault.code().as_deref() == Some("57014"))
    }

    /// A stored value that does not parse.
    pub(crate) fn corrupt(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Corrupt { what, reason: reason.to_string() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(fault) = &error else {
            return match error {
                sqlx::Error::RowNotFound => Self::NotFound("row"),
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
                sqlx::Error::Encode(_) => Self::Data { reason: error.to_string() },
                _ => Self::Fault(error),
            };
        };
        let state = fault.code().unwrap_or(Cow::Borrowed(""));
        match (state.as_ref(), fault.constraint()) {
            ("23505" | "23503", Some(constraint)) => Self::Conflict { constraint: constraint.to_owned() },
            (state, _) if passes(state) => Self::Unavailable(error),
            (state, _) if refuses(state) => Self::Refused(error),
            (state, _) if blames_data(state) => {
                Self::Data { reason: format!("{} (SQLSTATE {state})", fault.message()) }
            }
            _ => Self::Fault(error),
        }
    }
}

/// SQLSTATEs that go away by themselves: connection (08), transaction rollback (40), resources (53), operator (57),
/// a lock that was not to be had, a standby that is being promoted, and the system (58).
fn passes(state: &str) -> bool {
    ["08", "40", "53", "57", "58"].iter().any(|class| state.starts_with(class))
        || matches!(state, "55P03" | "25006")
}

/// SQLSTATEs that speak of who connects, and where to: no such account or a wrong password (28), no such database.
fn refuses(state: &str) -> bool {
    state.starts_with("28") || state == NO_SUCH_DATABASE
}

/// What is wrong with the account or the database, and what to do.
fn refusal(error: &sqlx::Error) -> String {
    let state = error.as_database_error().and_then(|fault| fault.code());
    if state.as_deref() == Some(NO_SUCH_DATABASE) {
        return format!("is not there; create it, or name another in database.url (DATABASE_URL) ({error})");
    }
    format!(
        "lets nobody in with this user and password; put the right ones into database.url (DATABASE_URL) ({error})"
    )
}

/// SQLSTATEs that speak of the data: data exception (22), constraint (23), limits such as row size (54).
fn blames_data(state: &str) -> bool {
    ["22", "23", "54"].iter().any(|class| state.starts_with(class))
}
