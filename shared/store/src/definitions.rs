//! `wf_definitions`: content-addressed, written once, shared by versions and runs.

use millrace_contracts::{BlobId, UnixMillis};
use serde_json::Value;
use sqlx::PgConnection;

use crate::blob_uses::{self, Uses};
use crate::{Expired, Store, StoreError, json};

/// A definition with the digest of its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// SHA-256 of the definition's JSON, the same as its blob's.
    pub id: BlobId,
    /// The definition.
    pub json: Value,
}

/// Stores what is not stored yet. Sorted and without duplicates, so that concurrent calls cannot deadlock.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    definitions: impl IntoIterator<Item = &Definition>,
) -> Result<(), StoreError> {
    let unique: std::collections::BTreeMap<BlobId, &Definition> =
        definitions.into_iter().map(|definition| (definition.id, definition)).collect();
    if unique.is_empty() {
        return Ok(());
    }
    let digests: Vec<Vec<u8>> = unique.keys().map(|id| id.digest().to_vec()).collect();
    let bodies: Vec<String> = unique.values().map(|definition| json::text(&definition.json)).collect();
    // Before the insert: a row that stays is locked by this, one that is just being cleaned away is made again by that.
    sqlx::query!(
        "update wf_definitions set used_at = now()
        where sha256 = any($1) and used_at < now() - interval '1 hour'",
        &digests
    )
    .execute(&mut *connection)
    .await?;
    let mut uses = Uses::default();
    for definition in unique.values() {
        uses.add(blob_uses::owner_of_definition(definition.id), &definition.json);
    }
    uses.insert(connection).await?;
    sqlx::query!(
        "insert into wf_definitions (sha256, definition)
        select sha256, body::json from unnest($1::bytea[], $2::text[]) as d (sha256, body)
        on conflict on constraint wf_definitions_pkey do nothing",
        &digests,
        &bodies
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Deletes up to `limit` definitions that no run and no saved workflow refers to, and that nobody has used since `before`, at
    /// least half a day; and, first, up to as many versions of workflows that were deleted before then and have no run left. Counts
    /// the definitions.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn expire_definitions(&self, before: UnixMillis, limit: u32) -> Result<Expired, StoreError> {
        let mut transaction = self.begin().await?;
        let versions = sqlx::query!(
            "delete from wf_workflow_versions where (workflow_id, version) in (
                select v.workflow_id, v.version from wf_workflows w join wf_workflow_versions v on v.workflow_id = w.id
                where w.deleted_at < $1 and not exists (select from wf_executions e where e.workflow_id = w.id)
                limit $2)",
            before.to_utc(),
            i64::from(limit)
        )
        .execute(&mut *transaction)
        .await?;
        let digests = sqlx::query_scalar!(
            "delete from wf_definitions where sha256 in (
                select sha256 from wf_definitions d where used_at < least($1, now() - interval '12 hours')
                    and not exists (select from wf_workflow_versions v where v.sha256 = d.sha256)
                    and not exists (select from wf_executions e where e.sha256 = d.sha256 and e.workflow_id is null)
                order by used_at limit $2 for update skip locked)
            returning sha256",
            before.to_utc(),
            i64::from(limit)
        )
        .fetch_all(&mut *transaction)
        .await?;
        let mut owners = Vec::with_capacity(digests.len());
        for digest in &digests {
            owners.push(blob_uses::owner_of_definition(blob_id(digest)?));
        }
        blob_uses::forget(&mut transaction, &owners).await?;
        transaction.commit().await?;
        let (deleted, limit) = (digests.len() as u64, u64::from(limit));
        Ok(Expired { deleted, more: deleted >= limit || versions.rows_affected() >= limit })
    }

    /// The definition with this digest, if it is recorded.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn definition(&self, id: BlobId) -> Result<Option<Value>, StoreError> {
        let found = sqlx::query_scalar!(
            "select definition from wf_definitions where sha256 = $1",
            id.digest().as_slice()
        )
        .fetch_optional(&mut *self.connection().await?)
        .await?;
        Ok(found)
    }
}

/// A stored digest.
pub(crate) fn blob_id(digest: &[u8]) -> Result<BlobId, StoreError> {
    let digest = digest.try_into().map_err(|_| StoreError::corrupt("digest", "not 32 bytes"))?;
    Ok(BlobId::from_digest(digest))
}
