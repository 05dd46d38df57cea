//! Accepting runs: many rows of `wf_executions` in one statement, each exactly once, idempotency keys included.

mod whole;

use std::collections::{HashMap, HashSet};

use millrace_contracts::message::Accepted;
use millrace_contracts::{BlobId, ExecutionId};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::blob_uses::{self, UseColumns, Uses};
use crate::{Definition, Store, StoreError, definitions, json};

pub use whole::WholeOutcome;

const KEY_CONSTRAINT: &str = "wf_executions_idempotency_key";
/// How often a batch may lose the race for a key before the caller hears of it.
const KEY_RACES: u32 = 3;

/// A run to be accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptedRun {
    /// The command.
    pub accepted: Accepted,
    /// The definition, unless the caller knows that it is stored already.
    pub definition: Option<Definition>,
    /// The caller's labels, text by text.
    pub labels: Map<String, Value>,
    /// W3C trace id.
    pub trace_id: Option<String>,
    /// The `Idempotency-Key`, made unique to its owner by the caller.
    pub idempotency_key: Option<String>,
    /// The digest of what was asked for with the key.
    pub idempotency_digest: Option<BlobId>,
    /// The batch it belongs to.
    pub batch_id: Option<Uuid>,
}

impl AcceptedRun {
    /// A run with nothing optional.
    #[must_use]
    pub fn new(accepted: Accepted) -> Self {
        Self {
            accepted,
            definition: None,
            labels: Map::new(),
            trace_id: None,
            idempotency_key: None,
            idempotency_digest: None,
            batch_id: None,
        }
    }
}

/// What an earlier run with the same key means for the others of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Nothing: each is accepted for itself.
    Each,
    /// That none is accepted.
    AllOrNone,
}

/// What became of a run that was to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptOutcome {
    /// Its row is committed, now or by an earlier call with the same id.
    Accepted,
    /// The idempotency key belongs to this earlier run; nothing was written.
    Earlier(ExecutionId),
}

impl Store {
    /// Commits `runs` in one transaction; one outcome per run, in order.
    ///
    /// # Errors
    /// `Unavailable` (nothing is committed, or the connection broke before the answer: asking again with the same ids is
    /// safe), `Data` when a row is refused (none is committed).
    pub async fn accept(&self, runs: &[AcceptedRun]) -> Result<Vec<AcceptOutcome>, StoreError> {
        self.accept_by(runs, Rule::Each).await
    }

    async fn accept_by(&self, runs: &[AcceptedRun], rule: Rule) -> Result<Vec<AcceptOutcome>, StoreError> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let mut tries_left = KEY_RACES;
        loop {
            match self.accept_once(runs, rule).await {
                // Another replica took the key between our look and our insert; the next look finds it.
                Err(StoreError::Conflict { constraint })
                    if constraint == KEY_CONSTRAINT && tries_left > 0 =>
                {
                    tries_left -= 1;
                }
                other => return other,
            }
        }
    }

    async fn accept_once(&self, runs: &[AcceptedRun], rule: Rule) -> Result<Vec<AcceptOutcome>, StoreError> {
        if runs.iter().all(is_plain) {
            insert(&mut *self.connection().await?, &runs.iter().collect::<Vec<_>>()).await?;
            return Ok(vec![AcceptOutcome::Accepted; runs.len()]);
        }
        let mut transaction = self.begin().await?;
        definitions::insert(&mut transaction, runs.iter().filter_map(|run| run.definition.as_ref())).await?;
        let keys: Vec<&str> = runs.iter().filter_map(|run| run.idempotency_key.as_deref()).collect();
        let mut holders = HashMap::new();
        if !keys.is_empty() {
            self.release_expired(&mut transaction, &keys).await?;
            holders = holders_of(&mut transaction, &keys).await?;
        }
        let outcomes: Vec<_> = runs.iter().map(|run| outcome(run, &mut holders)).collect();
        if rule == Rule::AllOrNone && outcomes.iter().any(|outcome| *outcome != AcceptOutcome::Accepted) {
            transaction.rollback().await?;
            return Ok(outcomes);
        }
        let accepted = runs.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == AcceptOutcome::Accepted);
        let accepted: Vec<&AcceptedRun> = accepted.map(|(run, _)| run).collect();
        insert(&mut transaction, &accepted).await?;
        copy_uses(&mut transaction, &accepted).await?;
        transaction.commit().await?;
        Ok(outcomes)
    }

    /// Frees keys that are no longer good, or whose run was deleted.
    async fn release_expired(
        &self,
        connection: &mut sqlx::PgConnection,
        keys: &[&str],
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "update wf_executions set idempotency_key = null
            where idempotency_key = any($1)
                and (created_at < now() - make_interval(secs => $2) or deleted_at is not null)",
            keys as &[&str],
            self.idempotency_window.as_secs_f64()
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Whether one statement does it: nothing but the run's row and what its input refers to. Most runs are, and a transaction of
/// four round trips would cost them more than its statements do.
fn is_plain(run: &AcceptedRun) -> bool {
    run.definition.is_none() && run.idempotency_key.is_none() && taken_over(run).is_none()
}

/// The run whose results this one takes over.
fn taken_over(run: &AcceptedRun) -> Option<ExecutionId> {
    run.accepted.rerun_of.as_ref().filter(|rerun| rerun.from.is_some()).map(|rerun| rerun.execution_id)
}

/// Makes the rows of the runs and of what their input refers to.
async fn insert(connection: &mut sqlx::PgConnection, runs: &[&AcceptedRun]) -> Result<(), StoreError> {
    let mut runs = runs.to_vec();
    // In the order in which the record makes rows of runs that have begun: two that wait for each other would be a deadlock.
    runs.sort_by_key(|run| run.accepted.execution_id);
    let mut uses = Uses::default();
    for run in &runs {
        uses.add_all(run.accepted.execution_id.0, run.accepted.input.values());
    }
    Columns::of(runs.into_iter()).insert(uses.into_columns(), connection).await
}

/// What the runs refer to by the results they take over.
async fn copy_uses(connection: &mut sqlx::PgConnection, runs: &[&AcceptedRun]) -> Result<(), StoreError> {
    for run in runs {
        if let Some(earlier) = taken_over(run) {
            blob_uses::copy(connection, (earlier, run.accepted.execution_id)).await?;
        }
    }
    Ok(())
}

/// The first run with a key holds it, within a batch too.
fn outcome(run: &AcceptedRun, holders: &mut HashMap<String, ExecutionId>) -> AcceptOutcome {
    let Some(key) = &run.idempotency_key else { return AcceptOutcome::Accepted };
    let id = run.accepted.execution_id;
    match *holders.entry(key.clone()).or_insert(id) {
        holder if holder == id => AcceptOutcome::Accepted,
        holder => AcceptOutcome::Earlier(holder),
    }
}

/// Who holds which key now.
async fn holders_of(
    connection: &mut sqlx::PgConnection,
    keys: &[&str],
) -> Result<HashMap<String, ExecutionId>, StoreError> {
    let rows = sqlx::query!(
        r#"select idempotency_key as "key!", id from wf_executions where idempotency_key = any($1)"#,
        keys as &[&str]
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.key, ExecutionId(row.id))).collect())
}

/// The command without its input, which has a column of its own: `accepted` and `input_data`.
pub(crate) fn split(accepted: &Accepted) -> (String, String) {
    let input = json::text(&accepted.input);
    let command = Accepted { input: Map::new(), ..accepted.clone() };
    (json::text(&command), input)
}

/// The command, put together again.
pub(crate) fn join(command: Value, input: Value) -> Result<Accepted, StoreError> {
    let mut accepted: Accepted = json::read("accepted command", command)?;
    accepted.input = json::read("run input", input)?;
    Ok(accepted)
}

/// `Accepted` as the columns of `wf_executions`, one array per column. The record rebuilds rows from it too.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) ids: Vec<Uuid>,
    pub(crate) workflow_ids: Vec<Option<Uuid>>,
    pub(crate) versions: Vec<Option<i32>>,
    pub(crate) digests: Vec<Vec<u8>>,
    pub(crate) priorities: Vec<&'static str>,
    pub(crate) pools: Vec<Option<String>>,
    pub(crate) created_ats: Vec<chrono::DateTime<chrono::Utc>>,
    pub(crate) inputs: Vec<String>,
    pub(crate) commands: Vec<String>,
    pub(crate) epochs: Vec<i32>,
    pub(crate) schedule_ids: Vec<Option<Uuid>>,
    pub(crate) callback_urls: Vec<Option<String>>,
    pub(crate) regions: Vec<Option<String>>,
    labels: Vec<String>,
    trace_ids: Vec<Option<String>>,
    idempotency_keys: Vec<Option<String>>,
    idempotency_digests: Vec<Option<Vec<u8>>>,
    batch_ids: Vec<Option<Uuid>>,
}

impl Columns {
    fn of<'a>(runs: impl Iterator<Item = &'a AcceptedRun>) -> Self {
        let mut columns = Self::default();
        let mut seen = HashSet::new();
        // One statement may touch a row only once.
        for run in runs.filter(|run| seen.insert(run.accepted.execution_id)) {
            columns.push(&run.accepted);
            columns.labels.push(json::text(&run.labels));
            columns.trace_ids.push(run.trace_id.clone());
            columns.idempotency_keys.push(run.idempotency_key.clone());
            columns.idempotency_digests.push(run.idempotency_digest.map(|digest| digest.digest().to_vec()));
            columns.batch_ids.push(run.batch_id);
        }
        columns
    }

    /// Adds the columns that follow from the command.
    pub(crate) fn push(&mut self, accepted: &Accepted) {
        let (command, input) = split(accepted);
        let digest: &BlobId = &accepted.definition;
        self.ids.push(accepted.execution_id.0);
        self.workflow_ids.push(accepted.workflow_id.map(|id| id.0));
        self.versions.push(accepted.version.map(|version| i32::try_from(version).unwrap_or(i32::MAX)));
        self.digests.push(digest.digest().to_vec());
        self.priorities.push(accepted.priority.as_str());
        self.pools.push(accepted.pool.as_ref().map(|pool| json::plain(pool.as_str())));
        self.created_ats.push(accepted.created_at.to_utc());
        self.inputs.push(input);
        self.commands.push(command);
        self.epochs.push(i32::try_from(accepted.epoch).unwrap_or(i32::MAX).max(1));
        self.schedule_ids.push(accepted.schedule_id.map(|id| id.0));
        self.callback_urls.push(accepted.callback_url.as_deref().map(json::plain));
        self.regions.push(accepted.region.as_deref().map(json::plain));
    }

    /// The row may be there already: the run starts while this is in flight, and the writer may have been faster. Then it
    /// lacks what only the api knows, and perhaps the command.
    ///
    /// The uses come after the rows, which is why they ask for their number: the record takes the two tables in this order.
    async fn insert(&self, uses: UseColumns, connection: &mut sqlx::PgConnection) -> Result<(), StoreError> {
        sqlx::query!(
            "with made as (
            insert into wf_executions (id, workflow_id, workflow_version, sha256, priority, pool, created_at, input_data,
                accepted, epoch, labels, trace_id, callback_url, idempotency_key, batch_id, region,
                schedule_id, idempotency_digest)
            select id, workflow_id, workflow_version, sha256, priority, pool, created_at, input_data::jsonb,
                accepted::jsonb, epoch, labels::jsonb, trace_id, callback_url, idempotency_key, batch_id, region,
                schedule_id, idempotency_digest
            from unnest($1::uuid[], $2::uuid[], $3::int[], $4::bytea[], $5::text[], $6::text[], $7::timestamptz[],
                $8::text[], $9::text[], $10::int[], $11::text[], $12::text[], $13::text[], $14::text[], $15::uuid[],
                $16::text[], $17::uuid[], $21::bytea[])
                as r (id, workflow_id, workflow_version, sha256, priority, pool, created_at, input_data, accepted, epoch,
                    labels, trace_id, callback_url, idempotency_key, batch_id, region, schedule_id, idempotency_digest)
            on conflict on constraint wf_executions_pkey do update set
                workflow_id = excluded.workflow_id, workflow_version = excluded.workflow_version, sha256 = excluded.sha256,
                priority = excluded.priority, pool = excluded.pool, created_at = excluded.created_at,
                input_data = excluded.input_data, accepted = excluded.accepted, labels = excluded.labels,
                trace_id = excluded.trace_id, callback_url = excluded.callback_url,
                idempotency_key = excluded.idempotency_key, idempotency_digest = excluded.idempotency_digest, batch_id = excluded.batch_id, region = excluded.region,
                schedule_id = excluded.schedule_id
            where wf_executions.deleted_at is null
            returning id
            )
            insert into wf_blob_uses (owner, sha256, unread)
            select owner, sha256, unread from unnest($18::uuid[], $19::bytea[], $20::bool[]) as u (owner, sha256, unread)
            where (select count(*) from made) >= 0
            on conflict on constraint wf_blob_uses_pkey do nothing",
            &self.ids,
            &self.workflow_ids as &[Option<Uuid>],
            &self.versions as &[Option<i32>],
            &self.digests,
            &self.priorities as &[&str],
            &self.pools as &[Option<String>],
            &self.created_ats,
            &self.inputs,
            &self.commands,
            &self.epochs,
            &self.labels,
            &self.trace_ids as &[Option<String>],
            &self.callback_urls as &[Option<String>],
            &self.idempotency_keys as &[Option<String>],
            &self.batch_ids as &[Option<Uuid>],
            &self.regions as &[Option<String>],
            &self.schedule_ids as &[Option<Uuid>],
            &uses.owners,
            &uses.digests,
            &uses.unread,
            &self.idempotency_digests as &[Option<Vec<u8>>]
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}
