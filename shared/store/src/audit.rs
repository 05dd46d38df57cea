//! `wf_audit`: who changed what, newest first. The writer's to write, through `record`; everybody else's to read.

use chrono::{DateTime, Utc};
use millrace_contracts::UnixMillis;
use millrace_contracts::audit::Change;
use serde::Serialize;
use uuid::Uuid;

use crate::paging::{Bounds, first_id_at};
use crate::{Expired, Store, StoreError};

/// A change, and when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeRecord {
    /// When.
    pub at: UnixMillis,
    /// Who, what, and from where.
    #[serde(flatten)]
    pub change: Change,
}

/// Which changes to list; all of the conditions hold for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// Made with this api key.
    pub actor_id: Option<Uuid>,
    /// By this operation.
    pub action: Option<String>,
    /// To what has this address.
    pub target: Option<String>,
    /// Made at this time or later.
    pub from: Option<UnixMillis>,
    /// Made before this time.
    pub to: Option<UnixMillis>,
}

/// The changes.
#[derive(Debug, Clone, Copy)]
pub struct Audit<'a> {
    store: &'a Store,
}

impl Store {
    /// The changes.
    #[must_use]
    pub fn audit(&self) -> Audit<'_> {
        Audit { store: self }
    }
}

struct Row {
    id: Uuid,
    at: DateTime<Utc>,
    actor_id: Option<Uuid>,
    actor: Option<String>,
    action: String,
    target: String,
    status: Option<i32>,
    address: Option<String>,
    forwarded_for: Option<String>,
    request_id: Option<String>,
}

impl From<Row> for ChangeRecord {
    fn from(row: Row) -> Self {
        let change = Change {
            id: row.id,
            actor_id: row.actor_id,
            actor: row.actor,
            action: row.action,
            target: row.target,
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            address: row.address,
            forwarded_for: row.forwarded_for,
            request_id: row.request_id,
        };
        Self { at: row.at.into(), change }
    }
}

/// One statement per leading condition, as for runs. `$1` and `$2` bound the id, `$3` is the page's size, `$4` and `$5` bound the
/// time, and the rest only narrows.
macro_rules! page {
    ($bounds:expr, $leading:tt $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            "select id, at, actor_id, actor, action, target, status, address, forwarded_for, request_id
            from wf_audit where id >= $1 and id < $2 and at >= $4 and at < $5"
                + $leading
                + " order by id desc limit $3",
            $bounds.first,
            $bounds.end,
            $bounds.limit,
            $bounds.from,
            $bounds.to
            $(, $argument)*
        )
    };
}

impl Audit<'_> {
    /// A page of changes, newest first; `before` is the last id of the page before.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(
        &self,
        filter: &ChangeFilter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<ChangeRecord>, StoreError> {
        let bounds = Bounds::of((filter.from, filter.to), before, limit);
        let rows = Query { store: self.store, bounds, filter }.rows().await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Deletes up to `limit` changes made before `before`, the oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn expire(&self, before: UnixMillis, limit: u32) -> Result<Expired, StoreError> {
        let deleted = sqlx::query!(
            "delete from wf_audit where id in (select id from wf_audit where id < $1 order by id limit $2)",
            first_id_at(before.0),
            i64::from(limit)
        )
        .execute(&mut *self.store.connection().await?)
        .await?;
        let deleted = deleted.rows_affected();
        Ok(Expired { deleted, more: deleted >= u64::from(limit) })
    }
}

/// What a page is made from.
struct Query<'a> {
    store: &'a Store,
    bounds: Bounds,
    filter: &'a ChangeFilter,
}

impl Query<'_> {
    /// The most selective condition leads.
    async fn rows(&self) -> Result<Vec<Row>, StoreError> {
        match (&self.filter.target, self.filter.actor_id, &self.filter.action) {
            (Some(target), ..) => self.to(target).await,
            (None, Some(actor), _) => self.made_by(actor).await,
            (None, None, Some(action)) => self.by(action).await,
            (None, None, None) => self.of_all().await,
        }
    }

    async fn to(&self, target: &str) -> Result<Vec<Row>, StoreError> {
        page!(
            self.bounds,
            " and target = $6 and ($7::uuid is null or actor_id = $7) and ($8::text is null or action = $8)",
            target,
            self.filter.actor_id,
            self.filter.action.as_deref()
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await
        .map_err(Into::into)
    }

    async fn made_by(&self, actor: Uuid) -> Result<Vec<Row>, StoreError> {
        page!(
            self.bounds,
            " and actor_id = $6 and ($7::text is null or action = $7)",
            actor,
            self.filter.action.as_deref()
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await
        .map_err(Into::into)
    }

    async fn by(&self, action: &str) -> Result<Vec<Row>, StoreError> {
        let rows = page!(self.bounds, " and action = $6", action);
        Ok(rows.fetch_all(&mut *self.store.connection().await?).await?)
    }

    async fn of_all(&self) -> Result<Vec<Row>, StoreError> {
        Ok(page!(self.bounds, "").fetch_all(&mut *self.store.connection().await?).await?)
    }
}
