//! `wf_events`: the log as it was said.

use chrono::{DateTime, Utc};
use millrace_contracts::Event;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{StoreError, json};

/// Inserts what is not there yet; returns how many rows were new.
pub(super) async fn insert(connection: &mut PgConnection, events: &[&Event]) -> Result<u64, StoreError> {
    if events.is_empty() {
        return Ok(0);
    }
    let columns = Columns::of(events);
    let result = sqlx::query!(
        "insert into wf_events (execution_id, epoch, seq, time, type, id, source, workflow_id, node_id, path, attempt, subject,
            traceparent, data)
        select execution_id, epoch, seq, time, type, id, source, workflow_id, node_id, path, attempt, subject, traceparent,
            data::json
        from unnest($1::uuid[], $2::int[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::uuid[],
            $9::text[], $10::text[], $11::int[], $12::text[], $13::text[], $14::text[])
            as e (execution_id, epoch, seq, time, type, id, source, workflow_id, node_id, path, attempt, subject,
                traceparent, data)
        on conflict do nothing",
        &columns.execution_ids,
        &columns.epochs,
        &columns.seqs,
        &columns.times,
        &columns.types as &[&str],
        &columns.ids,
        &columns.sources,
        &columns.workflow_ids as &[Option<Uuid>],
        &columns.node_ids as &[Option<String>],
        &columns.paths as &[Option<String>],
        &columns.attempts as &[Option<i32>],
        &columns.subjects as &[Option<String>],
        &columns.traceparents as &[Option<String>],
        &columns.data
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

#[derive(Default)]
struct Columns {
    execution_ids: Vec<Uuid>,
    epochs: Vec<i32>,
    seqs: Vec<i64>,
    times: Vec<DateTime<Utc>>,
    types: Vec<&'static str>,
    ids: Vec<String>,
    sources: Vec<String>,
    workflow_ids: Vec<Option<Uuid>>,
    node_ids: Vec<Option<String>>,
    paths: Vec<Option<String>>,
    attempts: Vec<Option<i32>>,
    subjects: Vec<Option<String>>,
    traceparents: Vec<Option<String>>,
    data: Vec<String>,
}

impl Columns {
    fn of(events: &[&Event]) -> Self {
        let mut columns = Self::default();
        for event in events {
            let (Some(run), Some(position)) = (event.execution_id, event.log_position()) else { continue };
            columns.execution_ids.push(run.0);
            columns.epochs.push(i32::try_from(position.epoch).unwrap_or(i32::MAX));
            columns.seqs.push(i64::try_from(position.seq).unwrap_or(i64::MAX));
            columns.times.push(event.time.to_utc());
            columns.types.push(event.kind.channel());
            columns.ids.push(json::plain(&event.id));
            columns.sources.push(json::plain(&event.source));
            columns.workflow_ids.push(event.workflow_id.map(|id| id.0));
            columns.node_ids.push(event.node_id.as_ref().map(|id| json::plain(id.as_str())));
            columns.paths.push(event.path.as_ref().map(ToString::to_string));
            columns.attempts.push(event.attempt.map(|attempt| i32::try_from(attempt).unwrap_or(i32::MAX)));
            columns.subjects.push(event.subject.as_deref().map(json::plain));
            columns.traceparents.push(event.traceparent.as_deref().map(json::plain));
            // `json` keeps any text, an escaped NUL included: nothing to replace here.
            columns.data.push(event.data.to_string());
        }
        columns
    }
}
