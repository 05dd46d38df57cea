//! `wf_blob_uses`: who refers to which blob. Written in the transaction that records the reference, so that a blob of anything
//! recorded is always found here; what is too much costs a blob its deletion, no more.

use std::collections::{BTreeMap, HashSet};

use millrace_contracts::values::ValueRef;
use millrace_contracts::{BlobId, ExecutionId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Store, StoreError, definitions};

/// Uses to be recorded. Sorted, so that concurrent transactions wait for each other instead of deadlocking.
#[derive(Debug, Default)]
pub(crate) struct Uses(BTreeMap<(Uuid, BlobId), bool>);

impl Uses {
    /// Adds every blob that `value` refers to: any text that is a digest, with or without `blob:` before it.
    pub(crate) fn add(&mut self, owner: Uuid, value: &Value) {
        if let Some(reference) = ValueRef::from_value(value) {
            self.0.insert((owner, reference.blob), true);
            return;
        }
        match value {
            Value::String(text) => {
                if let Some(blob) = blob_in(text) {
                    self.0.entry((owner, blob)).or_insert(false);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(owner, item)),
            Value::Object(fields) => fields.values().for_each(|field| self.add(owner, field)),
            _ => {}
        }
    }

    /// The same for several values.
    pub(crate) fn add_all<'a>(&mut self, owner: Uuid, values: impl IntoIterator<Item = &'a Value>) {
        values.into_iter().for_each(|value| self.add(owner, value));
    }

    /// Records them. What is recorded already stays as it is.
    pub(crate) async fn insert(self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let UseColumns { owners, digests, unread } = self.into_columns();
        sqlx::query!(
            "insert into wf_blob_uses (owner, sha256, unread)
            select owner, sha256, unread from unnest($1::uuid[], $2::bytea[], $3::bool[]) as u (owner, sha256, unread)
            on conflict on constraint wf_blob_uses_pkey do nothing",
            &owners,
            &digests,
            &unread
        )
        .execute(connection)
        .await?;
        Ok(())
    }

    /// The same, for a statement that records them beside something else.
    pub(crate) fn into_columns(self) -> UseColumns {
        let mut columns = UseColumns::default();
        for ((owner, blob), is_unread) in self.0 {
            columns.owners.push(owner);
            columns.digests.push(blob.digest().to_vec());
            columns.unread.push(is_unread);
        }
        columns
    }
}

/// Uses as the columns of `wf_blob_uses`.
#[derive(Debug, Default)]
pub(crate) struct UseColumns {
    pub(crate) owners: Vec<Uuid>,
    pub(crate) digests: Vec<Vec<u8>>,
    pub(crate) unread: Vec<bool>,
}

fn blob_in(text: &str) -> Option<BlobId> {
    let hex = text.strip_prefix("blob:").unwrap_or(text);
    if hex.len() == 64 { hex.parse().ok() } else { None }
}

/// Copies what `earlier` refers to: a run that repeats another takes over its results.
pub(crate) async fn copy(
    connection: &mut PgConnection,
    (earlier, run): (ExecutionId, ExecutionId),
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into wf_blob_uses (owner, sha256, unread)
        select $2, sha256, unread from wf_blob_uses where owner = $1 order by sha256
        on conflict on constraint wf_blob_uses_pkey do nothing",
        earlier.0,
        run.0
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets what `owners` refer to.
pub(crate) async fn forget(connection: &mut PgConnection, owners: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!("delete from wf_blob_uses where owner = any($1)", owners).execute(connection).await?;
    Ok(())
}

/// Forgets up to `most` of what `owners` refer to.
pub(crate) async fn forget_some(
    connection: &mut PgConnection,
    owners: &[Uuid],
    most: i64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from wf_blob_uses where owner = any($1)
            and ctid = any(array(select ctid from wf_blob_uses where owner = any($1) limit $2))",
        owners,
        most
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// As whom a definition refers to blobs.
pub(crate) fn owner_of_definition(id: BlobId) -> Uuid {
    let (first, _) = id.digest().split_at(16);
    Uuid::from_slice(first).expect("half a digest has the length of an id")
}

/// A JSON value in the blob store that somebody refers to, and that may refer to more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadValue {
    owner: Uuid,
    /// The value.
    pub blob: BlobId,
}

/// Who refers to which blob.
#[derive(Debug, Clone, Copy)]
pub struct BlobUses<'a> {
    store: &'a Store,
}

impl Store {
    /// Who refers to which blob.
    #[must_use]
    pub fn blob_uses(&self) -> BlobUses<'_> {
        BlobUses { store: self }
    }
}

impl BlobUses<'_> {
    /// Up to `limit` values whose own references nobody has looked at yet, those behind `after`.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn unread(
        &self,
        after: Option<UnreadValue>,
        limit: u32,
    ) -> Result<Vec<UnreadValue>, StoreError> {
        let (owner, digest) = after.map(|last| (last.owner, last.blob.digest().to_vec())).unwrap_or_default();
        let rows = sqlx::query!(
            "select owner, sha256 from wf_blob_uses where unread and (owner, sha256) > ($1, $2)
            order by owner, sha256 limit $3",
            owner,
            digest,
            i64::from(limit)
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        let value = |owner, digest: &[u8]| Ok(UnreadValue { owner, blob: definitions::blob_id(digest)? });
        rows.into_iter().map(|row| value(row.owner, &row.sha256)).collect()
    }

    /// Records what a value refers to; null for a blob that is no JSON. Nothing where its owner was forgotten meanwhile: nobody
    /// would ever forget that again.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn read(&self, value: UnreadValue, content: &Value) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        let read = sqlx::query!(
            "update wf_blob_uses set unread = false where owner = $1 and sha256 = $2",
            value.owner,
            value.blob.digest().as_slice()
        )
        .execute(&mut *transaction)
        .await?;
        if read.rows_affected() == 0 {
            return Ok(());
        }
        let mut uses = Uses::default();
        uses.add(value.owner, content);
        uses.insert(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Those of `blobs` that somebody refers to: a run, a schedule, a definition, a model; and definitions themselves.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn in_use(&self, blobs: &[BlobId]) -> Result<HashSet<BlobId>, StoreError> {
        let digests: Vec<Vec<u8>> = blobs.iter().map(|blob| blob.digest().to_vec()).collect();
        let used = sqlx::query_scalar!(
            r#"select b.sha256 as "sha256!" from unnest($1::bytea[]) as b (sha256)
            where exists (select from wf_blob_uses u where u.sha256 = b.sha256)
                or exists (select from wf_definitions d where d.sha256 = b.sha256)"#,
            &digests
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        let mut found =
            used.iter().map(|digest| definitions::blob_id(digest)).collect::<Result<HashSet<BlobId>, _>>()?;
        // Models are few, and name their files in fields of their own.
        let models = sqlx::query!("select location, metadata from wf_models")
            .fetch_all(&mut *self.store.connection().await?)
            .await?;
        let mut of_models = Uses::default();
        for model in models {
            of_models.add(Uuid::nil(), &model.metadata);
            of_models.add(Uuid::nil(), &model.location.into());
        }
        found.extend(of_models.0.into_keys().map(|(_, blob)| blob));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_looks_like_a_blob_is_one() {
        let id = |name: &str| BlobId::of(name.as_bytes());
        let value = json!({
            "image": {"kind": "image", "blob": id("a"), "width": 4},
            "list": [format!("blob:{}", id("b")), {"deep": {"$value": id("c"), "bytes": 12}}],
            "text": format!("see {}", id("d")), "number": 7, "short": "abc",
        });
        let mut uses = Uses::default();
        uses.add(Uuid::nil(), &value);
        let expected: BTreeMap<_, _> = [("a", false), ("b", false), ("c", true)]
            .map(|(name, unread)| ((Uuid::nil(), id(name)), unread))
            .into();
        assert_eq!(uses.0, expected);
    }
}
