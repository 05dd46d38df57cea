//! `wf_models`: the registry of models. Its column `input_size` is of the first version and never says anything: how large the
//! pictures are that a model is given is in its files, and the workers tell.

use chrono::{DateTime, Utc};
use millrace_contracts::{ModelId, UnixMillis};
use serde_json::Value;

use crate::{Bounded, Store, StoreError, json};

/// A registered model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRecord {
    /// Its name.
    pub id: ModelId,
    /// `pretrained`, `trained` or `url`.
    pub source: String,
    /// `yolo`, `detr`, …
    pub family: Option<String>,
    /// `detection`, `classification`, …
    pub task: String,
    /// Class names, in order.
    pub labels: Vec<String>,
    /// Size of its ONNX file and weights, bytes, where that is known when it is registered.
    pub size_bytes: Option<u64>,
    /// What the SHA-256 of the ONNX file must be, hexadecimal.
    pub digest: Option<String>,
    /// Where the ONNX file is: an address, or `blob:<sha256>`.
    pub location: Option<String>,
    /// Anything else that is known of it.
    pub metadata: Value,
    /// When it was first registered. Ignored by `put`.
    pub created_at: UnixMillis,
    /// When it was last changed. Ignored by `put`.
    pub updated_at: UnixMillis,
}

/// The registry of models.
#[derive(Debug, Clone, Copy)]
pub struct Models<'a> {
    store: &'a Store,
}

impl Store {
    /// The registry of models.
    #[must_use]
    pub fn models(&self) -> Models<'_> {
        Models { store: self }
    }
}

struct Row {
    id: String,
    source: String,
    family: Option<String>,
    task: String,
    labels: Value,
    size_bytes: Option<i64>,
    digest: Option<String>,
    location: Option<String>,
    metadata: Value,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for ModelRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            source: row.source,
            family: row.family,
            task: row.task,
            labels: json::read("model labels", row.labels)?,
            size_bytes: row.size_bytes.map(i64::unsigned_abs),
            digest: row.digest,
            location: row.location,
            metadata: row.metadata,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

impl Models<'_> {
    /// Registers a model, or replaces what is known of it; of new ones no more than `limit`.
    ///
    /// # Errors
    /// `Full`, `Data` for an unknown source, `Unavailable`.
    pub async fn put(&self, model: &ModelRecord, limit: u32) -> Result<(), StoreError> {
        let done = sqlx::query!(
            "insert into wf_models (id, source, family, task, labels, size_bytes, digest, location, metadata)
            select $1, $2, $3, $4, $5::text::jsonb, $6::bigint, $7, $8, $9::text::jsonb
            where exists (select from wf_models where id = $1) or (select count(*) from wf_models) < $10
            on conflict on constraint wf_models_pkey do update set
                source = excluded.source, family = excluded.family, task = excluded.task, labels = excluded.labels,
                size_bytes = excluded.size_bytes, digest = excluded.digest, location = excluded.location, metadata = excluded.metadata",
            model.id.as_str(),
            model.source,
            model.family,
            model.task,
            json::text(&model.labels),
            model.size_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
            model.digest,
            model.location,
            json::text(&model.metadata),
            i64::from(limit)
        )
        .execute(&mut *self.store.connection().await?)
        .await?;
        if done.rows_affected() == 0 {
            Err(StoreError::Full { what: Bounded::Models, limit })
        } else {
            Ok(())
        }
    }

    /// One model.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn get(&self, id: &ModelId) -> Result<ModelRecord, StoreError> {
        sqlx::query_as!(
            Row,
            "select id, source, family, task, labels, size_bytes, digest, location, metadata, created_at, updated_at
            from wf_models where id = $1",
            id.as_str()
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?
        .ok_or(StoreError::NotFound("model"))?
        .try_into()
    }

    /// Up to `limit` models in the order of their names' bytes, of those whose name contains `name`, in whatever case; `after` is the
    /// last of the page before.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(
        &self,
        name: Option<&str>,
        after: Option<&ModelId>,
        limit: u32,
    ) -> Result<Vec<ModelRecord>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "select id, source, family, task, labels, size_bytes, digest, location, metadata, created_at, updated_at
            from wf_models
            where id > $1 collate \"C\" and ($3::text is null or position(lower($3) in lower(id)) > 0)
            order by id collate \"C\" limit $2",
            json::plain(after.map_or("", ModelId::as_str)),
            i64::from(limit),
            name.map(json::plain) as Option<_>
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        rows.into_iter().map(ModelRecord::try_from).collect()
    }

    /// Removes a model from the registry.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn delete(&self, id: &ModelId) -> Result<(), StoreError> {
        let result = sqlx::query!("delete from wf_models where id = $1", id.as_str())
            .execute(&mut *self.store.connection().await?)
            .await?;
        if result.rows_affected() == 0 { Err(StoreError::NotFound("model")) } else { Ok(()) }
    }
}
