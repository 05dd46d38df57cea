//! What an operator wants to know of the server before relying on it.

use chrono::{DateTime, Utc};
use millrace_contracts::UnixMillis;

use crate::{Store, StoreError};

/// pgvector, as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorExtension {
    /// The version of this database, or else the one that it would get.
    pub version: String,
    /// Whether this database has it already.
    pub is_created: bool,
    /// Whether it is new enough for us.
    pub will_do: bool,
}

impl Store {
    /// What time it is there.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn time(&self) -> Result<UnixMillis, StoreError> {
        let told: DateTime<Utc> = sqlx::query_scalar!(r#"select clock_timestamp() as "time!""#)
            .fetch_one(&mut *self.connection().await?)
            .await?;
        Ok(told.into())
    }

    /// Whether nothing can be written: a standby, or a database that was told so.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn is_read_only(&self) -> Result<bool, StoreError> {
        let told = sqlx::query_scalar!(
            r#"select pg_is_in_recovery() or current_setting('transaction_read_only')::bool as "read_only!""#
        )
        .fetch_one(&mut *self.connection().await?)
        .await?;
        Ok(told)
    }

    /// pgvector, if the server has it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn vector_extension(&self) -> Result<Option<VectorExtension>, StoreError> {
        let found = sqlx::query_as!(
            VectorExtension,
            r#"select coalesce(installed_version, default_version, '') as "version!",
                installed_version is not null as "is_created!",
                (string_to_array(coalesce(installed_version, default_version, '0'), '.'))[1:2]::int[] >= array[0, 8] as "will_do!"
            from pg_available_extensions where name = 'vector'"#
        )
        .fetch_optional(&mut *self.connection().await?)
        .await?;
        Ok(found)
    }
}
