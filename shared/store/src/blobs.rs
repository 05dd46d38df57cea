//! `wf_blobs`: what is known of blobs that came in by the api. The bytes are elsewhere.

use millrace_contracts::{BlobId, UnixMillis};

use crate::{Store, StoreError};

/// What is known of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRecord {
    /// The blob.
    pub id: BlobId,
    /// Bytes.
    pub size_bytes: u64,
    /// What its header says it is.
    pub media_type: Option<String>,
    /// Pixels, for images.
    pub width: Option<u32>,
    /// Pixels, for images.
    pub height: Option<u32>,
    /// When it was first seen. Ignored by `put`.
    pub created_at: UnixMillis,
}

/// The known blobs.
#[derive(Debug, Clone, Copy)]
pub struct Blobs<'a> {
    store: &'a Store,
}

impl Store {
    /// The known blobs.
    #[must_use]
    pub fn blobs(&self) -> Blobs<'_> {
        Blobs { store: self }
    }
}

impl Blobs<'_> {
    /// Records a blob; what is known already stays.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn put(&self, blob: &BlobRecord) -> Result<(), StoreError> {
        let pixels = |side: Option<u32>| side.map(|side| i32::try_from(side).unwrap_or(i32::MAX));
        sqlx::query!(
            "insert into wf_blobs (sha256, size_bytes, media_type, width, height) values ($1, $2, $3, $4, $5)
            on conflict on constraint wf_blobs_pkey do nothing",
            blob.id.digest().as_slice(),
            i64::try_from(blob.size_bytes).unwrap_or(i64::MAX),
            blob.media_type,
            pixels(blob.width),
            pixels(blob.height)
        )
        .execute(&mut *self.store.connection().await?)
        .await?;
        Ok(())
    }

    /// Forgets blobs that are gone.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn forget(&self, blobs: &[BlobId]) -> Result<(), StoreError> {
        let digests: Vec<Vec<u8>> = blobs.iter().map(|blob| blob.digest().to_vec()).collect();
        sqlx::query!("delete from wf_blobs where sha256 = any($1)", &digests)
            .execute(&mut *self.store.connection().await?)
            .await?;
        Ok(())
    }

    /// What is known of a blob.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn get(&self, id: BlobId) -> Result<BlobRecord, StoreError> {
        let row = sqlx::query!(
            "select size_bytes, media_type, width, height, created_at from wf_blobs where sha256 = $1",
            id.digest().as_slice()
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?
        .ok_or(StoreError::NotFound("blob"))?;
        Ok(BlobRecord {
            id,
            size_bytes: row.size_bytes.unsigned_abs(),
            media_type: row.media_type,
            width: row.width.map(i32::unsigned_abs),
            height: row.height.map(i32::unsigned_abs),
            created_at: row.created_at.into(),
        })
    }
}
