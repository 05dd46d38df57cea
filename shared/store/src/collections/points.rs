//! The points of a collection, one by one and many at once. Who writes holds the collection's row, so that its count stays right
//! and two writers never wait for each other's points.

use std::collections::HashSet;

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgTransaction, Row};

use super::known::{Known, owner};
use super::vector::{from_bytes, to_bytes};
use super::{CollectionLimits, Collections, table};
use crate::blob_uses::Uses;
use crate::{StoreError, json};

/// A vector with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its id in the collection.
    pub id: String,
    /// The vector. Where the metric is the cosine, it is stored with length one.
    pub vector: Vec<f32>,
    /// What is known of it.
    pub payload: Map<String, Value>,
}

/// What became of points that were put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointsPut {
    /// New ones.
    pub added: u64,
    /// Those whose ids were there.
    pub replaced: u64,
}

impl Collections<'_> {
    /// Adds points, or replaces those of the same ids: all or none. Blobs that payloads refer to are kept as long as the
    /// collection. Of several with one id the last counts.
    ///
    /// # Errors
    /// `NotFound` for the collection, `Vector` for the first vector that it does not take, `Full`, `Unavailable`.
    pub async fn put_points(
        &self,
        collection: &str,
        points: &[Point],
        limits: &CollectionLimits,
    ) -> Result<PointsPut, StoreError> {
        let mut transaction = self.store.begin().await?;
        let known = hold(&mut transaction, collection).await?;
        let mut vectors: Vec<f32> = Vec::with_capacity(points.len() * known.dimension as usize);
        for (position, point) in points.iter().enumerate() {
            vectors.extend(known.prepared(&point.vector, position)?);
        }
        let ids: Vec<String> = points.iter().map(|point| json::plain(&point.id)).collect();
        let payloads: Vec<String> = points.iter().map(|point| json::text(&point.payload)).collect();
        let table = known.table();
        let there = format!("select count(*) from {table} where id = any($1)");
        let replaced: i64 =
            sqlx::query_scalar(AssertSqlSafe(there)).bind(&ids).fetch_one(&mut *transaction).await?;
        let distinct = ids.iter().collect::<HashSet<_>>().len() as u64;
        let (added, replaced) = (distinct.saturating_sub(replaced.unsigned_abs()), replaced.unsigned_abs());
        known.room_for(added, limits)?;
        let query = sqlx::query(AssertSqlSafe(put(&known))).bind(&ids).bind(&payloads);
        let query =
            if known.extension.is_some() { query.bind(&vectors) } else { query.bind(to_bytes(&vectors)) };
        query.execute(&mut *transaction).await?;
        let mut uses = Uses::default();
        points.iter().for_each(|point| uses.add_all(owner(known.number), point.payload.values()));
        uses.insert(&mut transaction).await?;
        count(transaction, known.number, i64::try_from(added).unwrap_or(i64::MAX)).await?;
        Ok(PointsPut { added, replaced })
    }

    /// One point.
    ///
    /// # Errors
    /// `NotFound` for the collection or the point, `Unavailable`.
    pub async fn get_point(&self, collection: &str, id: &str) -> Result<Point, StoreError> {
        let known = Known::find(&mut *self.store.connection().await?, collection).await?;
        let vector = if known.extension.is_some() { "vector::real[]" } else { "vector" };
        let get = format!("select {vector}, payload from {} where id = $1", known.table());
        let row = sqlx::query(AssertSqlSafe(get))
            .bind(json::plain(id))
            .fetch_optional(&mut *self.store.connection().await?)
            .await;
        let row = row.map_err(table::gone)?.ok_or(StoreError::NotFound("point"))?;
        let vector = if known.extension.is_some() { row.try_get(0)? } else { from_bytes(row.try_get(0)?) };
        let payload: Value = row.try_get(1)?;
        Ok(Point { id: id.to_owned(), vector, payload: json::read("payload", payload)? })
    }

    /// Removes a point.
    ///
    /// # Errors
    /// `NotFound` for the collection or the point, `Unavailable`.
    pub async fn delete_point(&self, collection: &str, id: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        let known = hold(&mut transaction, collection).await?;
        let delete = format!("delete from {} where id = $1", known.table());
        let done =
            sqlx::query(AssertSqlSafe(delete)).bind(json::plain(id)).execute(&mut *transaction).await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound("point"));
        }
        count(transaction, known.number, -1).await
    }
}

/// Adds or replaces the points of ids $1, payloads $2, and vectors $3. These come in one piece, as reals for the extension and as
/// bytes without it: Postgres has no list of lists that unnest would take apart by rows.
fn put(known: &Known) -> String {
    let (table, dimension) = (known.table(), known.dimension);
    let vector = match &known.extension {
        Some(extension) => {
            let vector = extension.vector(dimension);
            format!("($3::real[])[((at - 1) * {dimension} + 1)::int : (at * {dimension})::int]::{vector}")
        }
        None => {
            let bytes = dimension * 4;
            format!("substring($3::bytea from ((at - 1) * {bytes} + 1)::int for {bytes})")
        }
    };
    format!(
        "insert into {table} (id, vector, payload)
        select distinct on (id) id, {vector}, payload::jsonb
        from unnest($1::text[], $2::text[]) with ordinality as given (id, payload, at)
        order by id, at desc
        on conflict (id) do update set vector = excluded.vector, payload = excluded.payload"
    )
}

/// The collection, held until the transaction ends.
async fn hold(transaction: &mut PgTransaction<'_>, collection: &str) -> Result<Known, StoreError> {
    sqlx::query!("select number from wf_collections where name = $1 for update", collection)
        .fetch_optional(&mut **transaction)
        .await?;
    Known::find(&mut **transaction, collection).await
}

/// Counts points that were added, or removed, and commits.
async fn count(mut transaction: PgTransaction<'_>, number: i64, added: i64) -> Result<(), StoreError> {
    sqlx::query!("update wf_collections set points = points + $2 where number = $1", number, added)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}
