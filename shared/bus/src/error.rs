//! What can go wrong between us and Redis, and whether trying again may help.

use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::tls;

/// A failure of the bus.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The settings cannot work.
    #[error("bus settings: {0}")]
    Settings(String),
    /// The first connection failed.
    #[error("cannot connect to Redis ({}): {source}", advice(source))]
    Connect {
        /// What Redis or the network said.
        source: RedisError,
    },
    /// A reader has been without Redis for longer than it waits in silence.
    #[error("Redis has been unreachable for {} s while reading {what}: {source}", down_for.as_secs())]
    Unavailable {
        /// What was being read.
        what: &'static str,
        /// For how long.
        down_for: Duration,
        /// The last failure.
        source: RedisError,
    },
    /// Redis refused a command, or the connection broke in the middle of it.
    #[error("Redis could not {what}: {source}")]
    Redis {
        /// What was asked.
        what: &'static str,
        /// What Redis or the network said.
        source: RedisError,
    },
    /// Redis answered in a shape that the command never answers in.
    #[error("unexpected reply from Redis to {what}: {detail}")]
    Reply {
        /// What was asked.
        what: &'static str,
        /// What was found, cut.
        detail: String,
    },
    /// A value of ours does not serialise.
    #[error("cannot write {what} as JSON: {source}")]
    Encode {
        /// Which value.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A stored value does not read.
    #[error("cannot read {what} from Redis: {reason}")]
    Decode {
        /// Which value.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

impl BusError {
    /// Whether the same call may succeed later without anybody changing anything. Every call of the bus may be
    /// repeated safely: delivery is at least once.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect { source } | Self::Unavailable { source, .. } | Self::Redis { source, .. } => {
                may_pass(source)
            }
            Self::Settings(_) | Self::Reply { .. } | Self::Encode { .. } | Self::Decode { .. } => false,
        }
    }

    /// Whether Redis does not let us in: what is to be changed is the user or the password, not whether it runs.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Connect { source } | Self::Unavailable { source, .. } | Self::Redis { source, .. } => {
                refuses(source)
            }
            Self::Settings(_) | Self::Reply { .. } | Self::Encode { .. } | Self::Decode { .. } => false,
        }
    }

    pub(crate) fn redis(what: &'static str) -> impl FnOnce(RedisError) -> Self {
        move |source| Self::Redis { what, source }
    }

    pub(crate) fn encode(what: &'static str) -> impl FnOnce(serde_json::Error) -> Self {
        move |source| Self::Encode { what, source }
    }
}

/// What to do about a connection that does not come about.
fn advice(error: &RedisError) -> &'static str {
    if refuses(error) {
        return "it lets nobody in with this user and password; put the right ones into redis.url (REDIS_URL)";
    }
    tls::advice(error).unwrap_or("check that it runs and that the Redis URL is right")
}

/// Whether the user or the password is at fault.
fn refuses(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}

/// Whether a failure of Redis tends to go away: lost connections, loading, failover, out of memory.
pub(crate) fn may_pass(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => true,
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::NoScript
        ),
        _ => matches!(error.code(), Some("OOM" | "BUSY" | "NOREPLICAS" | "MISCONF")),
    }
}

/// Whether a stream or its group went away under a reader, as after FLUSHALL.
pub(crate) fn group_is_gone(error: &RedisError) -> bool {
    matches!(error.code(), Some("NOGROUP" | "UNBLOCKED"))
}
