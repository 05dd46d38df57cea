//! What reading and writing points needs to know of their collection.

use sqlx::PgExecutor;
use uuid::Uuid;

use super::table::{self, Extension};
use super::vector;
use super::{CollectionLimits, Metric};
use crate::{Bounded, StoreError};

/// A collection, as far as its points are concerned.
pub(super) struct Known {
    pub(super) number: i64,
    pub(super) dimension: u32,
    pub(super) points: u64,
    metric: Metric,
    /// The extension that its index is of.
    pub(super) extension: Option<Extension>,
}

impl Known {
    /// The collection of this name.
    pub(super) async fn find(executor: impl PgExecutor<'_>, name: &str) -> Result<Self, StoreError> {
        let row = sqlx::query!(
            "select number, dimension, metric, points, indexed, (
                select quote_ident(nspname) from pg_extension
                join pg_namespace on pg_namespace.oid = extnamespace where extname = 'vector'
            ) as schema
            from wf_collections where name = $1",
            name
        )
        .fetch_optional(executor)
        .await?
        .ok_or(StoreError::NotFound("collection"))?;
        let extension = row.schema.filter(|_| row.indexed).map(|schema| Extension { schema });
        if row.indexed && extension.is_none() {
            return Err(StoreError::corrupt(
                "collection",
                "its vectors are of the extension vector, which is gone",
            ));
        }
        Ok(Self {
            number: row.number,
            dimension: row.dimension.unsigned_abs(),
            points: row.points.unsigned_abs(),
            metric: row.metric.parse()?,
            extension,
        })
    }

    /// The name of its table.
    pub(super) fn table(&self) -> String {
        table::name(self.number)
    }

    /// The vector at `position` as it is stored and searched by.
    pub(super) fn prepared(&self, vector: &[f32], position: usize) -> Result<Vec<f32>, StoreError> {
        vector::prepared(vector, self.dimension, self.metric)
            .map_err(|fault| StoreError::Vector { position, fault })
    }

    /// Refuses so many points more, where they are too many.
    pub(super) fn room_for(&self, more: u64, limits: &CollectionLimits) -> Result<(), StoreError> {
        let by_scan = limits.scanned / u64::from(self.dimension);
        let (what, limit) = match &self.extension {
            None if by_scan < u64::from(limits.points) => (Bounded::PointsWithoutIndex, by_scan),
            _ => (Bounded::Points, u64::from(limits.points)),
        };
        // Replacing points is always possible.
        if more == 0 || self.points.saturating_add(more) <= limit {
            return Ok(());
        }
        Err(StoreError::Full { what, limit: u32::try_from(limit).unwrap_or(u32::MAX) })
    }
}

/// As whom the collection of this number refers to blobs.
pub(super) fn owner(number: i64) -> Uuid {
    Uuid::from_u64_pair(0, number.unsigned_abs())
}
