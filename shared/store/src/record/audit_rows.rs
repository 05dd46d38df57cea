//! `wf_audit`: who changed what, each once.

use chrono::{DateTime, Utc};
use millrace_contracts::UnixMillis;
use millrace_contracts::audit::Change;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{StoreError, json};

/// Inserts what is not there yet.
pub(super) async fn insert(
    connection: &mut PgConnection,
    changes: &[(UnixMillis, Change)],
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(changes);
    sqlx::query!(
        "insert into wf_audit (id, at, actor_id, actor, action, target, status, address, forwarded_for, request_id)
        select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::int[],
            $8::text[], $9::text[], $10::text[])
        on conflict on constraint wf_audit_pkey do nothing",
        &columns.ids,
        &columns.ats,
        &columns.actor_ids as &[Option<Uuid>],
        &columns.actors as &[Option<String>],
        &columns.actions,
        &columns.targets,
        &columns.statuses as &[Option<i32>],
        &columns.addresses as &[Option<String>],
        &columns.forwarded_fors as &[Option<String>],
        &columns.request_ids as &[Option<String>]
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    ats: Vec<DateTime<Utc>>,
    actor_ids: Vec<Option<Uuid>>,
    actors: Vec<Option<String>>,
    actions: Vec<String>,
    targets: Vec<String>,
    statuses: Vec<Option<i32>>,
    addresses: Vec<Option<String>>,
    forwarded_fors: Vec<Option<String>>,
    request_ids: Vec<Option<String>>,
}

impl Columns {
    fn of(changes: &[(UnixMillis, Change)]) -> Self {
        let some = |text: &Option<String>| text.as_deref().map(json::plain);
        let mut columns = Self::default();
        for (at, change) in changes {
            columns.ids.push(change.id);
            columns.ats.push(at.to_utc());
            columns.actor_ids.push(change.actor_id);
            columns.actors.push(some(&change.actor));
            columns.actions.push(json::plain(&change.action));
            columns.targets.push(json::plain(&change.target));
            columns.statuses.push(change.status.map(i32::from));
            columns.addresses.push(some(&change.address));
            columns.forwarded_fors.push(some(&change.forwarded_for));
            columns.request_ids.push(some(&change.request_id));
        }
        columns
    }
}
