//! Call-backs: who is told of a run's end, what came of it, and which of those who wait have not been told yet.

use std::fmt;
use std::str::FromStr;

use millrace_contracts::message::Accepted;
use millrace_contracts::{ExecutionId, UnixMillis};
use serde::Serialize;
use uuid::Uuid;

use super::Executions;
use crate::{StoreError, accept};

/// Who is told of a run's end, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Callback {
    /// Where the news goes.
    pub url: String,
    /// How far it is.
    pub status: CallbackStatus,
    /// How often it was sent, once it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Why it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<UnixMillis>,
}

/// How far the news of a run's end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallbackStatus {
    /// The run goes on, or the news is on its way.
    Pending,
    /// Taken.
    Delivered,
    /// Not taken, and not sent again.
    Failed,
}

impl CallbackStatus {
    const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for CallbackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CallbackStatus {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| StoreError::corrupt("callback status", text))
    }
}

impl Executions<'_> {
    /// Up to `limit` runs that ended before `before` and whose call-back has neither been delivered nor given up, by id;
    /// `after` is the last one of the call before.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn awaiting_callback(
        &self,
        before: UnixMillis,
        after: Option<ExecutionId>,
        limit: u32,
    ) -> Result<Vec<Accepted>, StoreError> {
        let rows = sqlx::query!(
            r#"select accepted as "accepted!", input_data from wf_executions
            where callback_url is not null and callback_status is null and id > $1 and completed_at < $2
                and accepted is not null and deleted_at is null
            order by id limit $3"#,
            after.map_or(Uuid::nil(), |id| id.0),
            before.to_utc(),
            i64::from(limit)
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        rows.into_iter().map(|row| accept::join(row.accepted, row.input_data)).collect()
    }
}
