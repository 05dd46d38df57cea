//! `wf_definitions`: content-addressed, written once, shared by versions and runs.

use millrace_contracts::BlobId;
use serde_json::Value;
use sqlx::PgConnection;

use crate::{Store, StoreError, json};

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
    /// The definition with this digest, if it is recorded.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn definition(&self, id: BlobId) -> Result<Option<Value>, StoreError> {
        let found = sqlx::query_scalar!(
            "select definition from wf_definitions where sha256 = $1",
            id.digest().as_slice()
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(found)
    }
}

/// A stored digest.
pub(crate) fn blob_id(digest: &[u8]) -> Result<BlobId, StoreError> {
    let digest = digest.try_into().map_err(|_| StoreError::corrupt("digest", "not 32 bytes"))?;
    Ok(BlobId::from_digest(digest))
}
