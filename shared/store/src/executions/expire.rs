//! Old runs go, a few at a time, and the rows of a large one a few at a time too: no transaction is larger than the database gets
//! done within its time limit. What has not ended stays, however old it is.

use chrono::{DateTime, Utc};
use millrace_contracts::UnixMillis;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Executions;
use crate::paging::first_id_at;
use crate::{Expired, StoreError, blob_uses};

/// Rows per run of a step that are deleted together with the runs. Most runs have fewer; what has more goes in pieces.
const ROWS_PER_RUN: i64 = 50;

impl Executions<'_> {
    /// Deletes up to `limit` runs that ended before `before`, the oldest first, with all that is recorded of them. Where that is a
    /// lot, deletes a part of it and no run: the runs answer 410 from then on, until a later step has the rest. Ids that answered
    /// 410 until now are unknown afterwards.
    ///
    /// # Errors
    /// `Unavailable`: nothing was deleted. Where it [took too long](StoreError::took_too_long), a smaller `limit` may do.
    pub async fn expire(&self, before: UnixMillis, limit: u32) -> Result<Expired, StoreError> {
        let mut transaction = self.store.begin().await?;
        // A row that never got its command is no run that could go on. Rows that somebody works on wait for the next step.
        let old = sqlx::query!(
            "select id, created_at from wf_executions
            where id < $1 and (completed_at < $2 and status not in ('pending', 'running')
                or accepted is null and deleted_at is null and created_at < $2)
            order by id limit $3 for update skip locked",
            first_id_at(before.0),
            before.to_utc(),
            i64::from(limit)
        )
        .fetch_all(&mut *transaction)
        .await?;
        let Some(oldest) = old.iter().map(|row| row.created_at).min() else { return Ok(Expired::default()) };
        let runs = Runs { ids: old.into_iter().map(|row| row.id).collect(), oldest };
        let most = ROWS_PER_RUN * i64::from(limit);
        let expired = if runs.have_more_than(most, &mut transaction).await? {
            runs.thin(most, &mut transaction).await?;
            Expired { deleted: 0, more: true }
        } else {
            runs.delete(&mut transaction).await?;
            let deleted = runs.ids.len() as u64;
            Expired { deleted, more: deleted == u64::from(limit) }
        };
        transaction.commit().await?;
        Ok(expired)
    }

    /// When the oldest run was accepted that has not ended.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn oldest_unfinished(&self) -> Result<Option<UnixMillis>, StoreError> {
        let oldest = sqlx::query_scalar!(
            "select created_at from wf_executions
            where status in ('pending', 'running') and accepted is not null and deleted_at is null
            order by id limit 1"
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?;
        Ok(oldest.map(Into::into))
    }
}

/// Runs that are due, locked. Events are there where they are kept longer than runs; that none is older than the oldest run
/// spares the partitions of days before.
struct Runs {
    ids: Vec<Uuid>,
    oldest: DateTime<Utc>,
}

impl Runs {
    /// Whether more rows than `most` are recorded of them.
    async fn have_more_than(&self, most: i64, connection: &mut PgConnection) -> Result<bool, StoreError> {
        let rows = sqlx::query_scalar!(
            r#"select count(*) as "rows!" from (
                (select from wf_events where execution_id = any($1) and time >= $2::timestamptz - interval '1 hour' limit $3)
                union all (select from wf_node_runs where execution_id = any($1) limit $3)
                union all (select from wf_inference_jobs where execution_id = any($1) limit $3)
                union all (select from wf_blob_uses where owner = any($1) limit $3)
            ) as counted"#,
            &self.ids,
            self.oldest,
            most + 1
        )
        .fetch_one(connection)
        .await?;
        Ok(rows > most)
    }

    /// Deletes them with everything that is recorded of them.
    async fn delete(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        sqlx::query!(
            "delete from wf_events where execution_id = any($1) and time >= $2::timestamptz - interval '1 hour'",
            &self.ids,
            self.oldest
        )
        .execute(&mut *connection)
        .await?;
        sqlx::query!("delete from wf_node_runs where execution_id = any($1)", &self.ids)
            .execute(&mut *connection)
            .await?;
        sqlx::query!("delete from wf_inference_jobs where execution_id = any($1)", &self.ids)
            .execute(&mut *connection)
            .await?;
        blob_uses::forget(connection, &self.ids).await?;
        sqlx::query!("delete from wf_executions where id = any($1)", &self.ids).execute(connection).await?;
        Ok(())
    }

    /// Deletes about `most` of what is recorded of them, and has them answer as deleted, since they are no longer whole. What they
    /// refer to goes last: a row that is left must not name a blob that nobody seems to need.
    async fn thin(&self, most: i64, connection: &mut PgConnection) -> Result<(), StoreError> {
        sqlx::query!(
            "update wf_executions set deleted_at = now()
            where id = any($1) and accepted is not null and deleted_at is null",
            &self.ids
        )
        .execute(&mut *connection)
        .await?;
        let mut left = most;
        // A place may be that of rows in several partitions: of these runs all the same.
        let events = sqlx::query!(
            "delete from wf_events where execution_id = any($1) and time >= $2::timestamptz - interval '1 hour'
                and ctid = any(array(select ctid from wf_events
                    where execution_id = any($1) and time >= $2::timestamptz - interval '1 hour' limit $3))",
            &self.ids,
            self.oldest,
            left
        );
        left = remaining(left, events.execute(&mut *connection).await?.rows_affected());
        let nodes = sqlx::query!(
            "delete from wf_node_runs where execution_id = any($1)
                and ctid = any(array(select ctid from wf_node_runs where execution_id = any($1) limit $2))",
            &self.ids,
            left
        );
        left = remaining(left, nodes.execute(&mut *connection).await?.rows_affected());
        let jobs = sqlx::query!(
            "delete from wf_inference_jobs where execution_id = any($1)
                and ctid = any(array(select ctid from wf_inference_jobs where execution_id = any($1) limit $2))",
            &self.ids,
            left
        );
        left = remaining(left, jobs.execute(&mut *connection).await?.rows_affected());
        blob_uses::forget_some(connection, &self.ids, left).await
    }
}

fn remaining(most: i64, deleted: u64) -> i64 {
    most.saturating_sub_unsigned(deleted).max(0)
}
