//! `wf_collections`: vectors to search among. The points of a collection are in a table of its own; where the extension `vector`
//! is to be had, an HNSW index finds the nearest, otherwise every point is looked at, and there may be only so many.

mod known;
mod points;
mod ranking;
mod search;
mod table;
mod vector;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use millrace_contracts::UnixMillis;

use self::table::Extension;
use crate::{Bounded, Store, StoreError, blob_uses};

pub use points::{Point, PointsPut};
pub use search::{Match, Nearest};
pub use vector::VectorFault;

/// How near two vectors are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Metric {
    /// The cosine of the angle between them, -1 to 1; 1 for the same direction.
    #[default]
    Cosine,
    /// Their inner product.
    Dot,
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
        })
    }
}

impl FromStr for Metric {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text {
            "cosine" => Ok(Self::Cosine),
            "dot" => Ok(Self::Dot),
            other => Err(StoreError::corrupt("metric", other)),
        }
    }
}

/// A collection to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCollection {
    /// Its name, 1 to 64 characters.
    pub name: String,
    /// How many numbers each vector has, 1 to [`Collections::MAX_DIMENSION`].
    pub dimension: u32,
    /// How near two of them are.
    pub metric: Metric,
}

/// A collection of vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionRecord {
    /// Its name.
    pub name: String,
    /// How many numbers each vector has.
    pub dimension: u32,
    /// How near two of them are.
    pub metric: Metric,
    /// Whether an index finds the nearest; otherwise a search looks at every point.
    pub indexed: bool,
    /// Points in it.
    pub points: u64,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When a point was last added or removed.
    pub updated_at: UnixMillis,
}

/// How large a collection may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectionLimits {
    /// Points of one collection.
    pub points: u32,
    /// Numbers, points × dimension, of one without an index.
    pub scanned: u64,
}

/// The collections.
#[derive(Debug, Clone, Copy)]
pub struct Collections<'a> {
    store: &'a Store,
}

impl Store {
    /// The collections of vectors.
    #[must_use]
    pub fn collections(&self) -> Collections<'_> {
        Collections { store: self }
    }
}

struct Row {
    name: String,
    dimension: i32,
    metric: String,
    indexed: bool,
    points: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for CollectionRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            name: row.name,
            dimension: row.dimension.unsigned_abs(),
            metric: row.metric.parse()?,
            indexed: row.indexed,
            points: row.points.unsigned_abs(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

impl Collections<'_> {
    /// Numbers a vector may have.
    pub const MAX_DIMENSION: u32 = 4_096;

    /// Up to `limit` collections, by name.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(&self, limit: u32) -> Result<Vec<CollectionRecord>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "select name, dimension, metric, indexed, points, created_at, updated_at
            from wf_collections order by name limit $1",
            i64::from(limit)
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        rows.into_iter().map(CollectionRecord::try_from).collect()
    }

    /// One collection.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn get(&self, name: &str) -> Result<CollectionRecord, StoreError> {
        sqlx::query_as!(
            Row,
            "select name, dimension, metric, indexed, points, created_at, updated_at
            from wf_collections where name = $1",
            name
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?
        .ok_or(StoreError::NotFound("collection"))?
        .try_into()
    }

    /// Makes a collection, unless it is there; and whether it was made. There are no more than `limit`.
    ///
    /// # Errors
    /// `Conflict` when it is there with another dimension or metric, `Full`, `Data` for a name or dimension out of range,
    /// `Unavailable`.
    pub async fn create(
        &self,
        new: &NewCollection,
        limit: u32,
    ) -> Result<(CollectionRecord, bool), StoreError> {
        let extension = Extension::for_dimension(self.store, new.dimension).await?;
        let mut transaction = self.store.begin().await?;
        let made = sqlx::query_scalar!(
            "insert into wf_collections (name, dimension, metric, indexed)
            select $1, $2, $3, $4 where (select count(*) from wf_collections) < $5
            on conflict on constraint wf_collections_pkey do nothing returning number",
            new.name,
            i32::try_from(new.dimension).unwrap_or(i32::MAX),
            new.metric.to_string(),
            extension.is_some(),
            i64::from(limit)
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(number) = made {
            table::create(&mut transaction, number, new.dimension, extension.as_ref()).await?;
        }
        transaction.commit().await?;
        match self.get(&new.name).await {
            Ok(there) if (there.dimension, there.metric) == (new.dimension, new.metric) => {
                Ok((there, made.is_some()))
            }
            Ok(_) => Err(StoreError::Conflict { constraint: "wf_collections_pkey".to_owned() }),
            Err(StoreError::NotFound(_)) if made.is_none() => {
                Err(StoreError::Full { what: Bounded::Collections, limit })
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes a collection with its points.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn delete(&self, name: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        let number = sqlx::query_scalar!("delete from wf_collections where name = $1 returning number", name)
            .fetch_optional(&mut *transaction)
            .await?
            .ok_or(StoreError::NotFound("collection"))?;
        table::drop(&mut transaction, number).await?;
        blob_uses::forget(&mut transaction, &[known::owner(number)]).await?;
        Ok(transaction.commit().await?)
    }
}
