//! `wf_workers`: workers that were told to be lost. Whoever looks at the list of those that are there cannot know how one left it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use millrace_contracts::{UnixMillis, WorkerId};
use sqlx::PgConnection;

use crate::{StoreError, json};

/// Notes which workers are lost. One that was heard of since is not.
pub(super) async fn lose(
    connection: &mut PgConnection,
    lost: &BTreeMap<WorkerId, UnixMillis>,
) -> Result<(), StoreError> {
    if lost.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = lost.keys().map(|id| json::plain(id.as_str())).collect();
    let last_seen: Vec<DateTime<Utc>> = lost.values().map(|at| at.to_utc()).collect();
    sqlx::query!(
        "update wf_workers worker set status = 'lost'
        from unnest($1::text[], $2::timestamptz[]) as lost (id, last_seen_at)
        where worker.id = lost.id and worker.last_seen_at <= lost.last_seen_at",
        &ids,
        &last_seen
    )
    .execute(connection)
    .await?;
    Ok(())
}
