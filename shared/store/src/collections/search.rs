//! The nearest points of a collection: by the extension's index, or by looking at all of them.

use std::collections::HashMap;

use futures::TryStreamExt;
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgTransaction, Row};

use super::Collections;
use super::known::Known;
use super::ranking::{Ranking, inner_product};
use super::table::{self, Extension};
use crate::{StoreError, json};

/// The least that the index looks at: more find more of the true nearest, and take longer.
const LEAST_LOOKED_AT: u32 = 100;

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// The vector to be near to.
    pub vector: Vec<f32>,
    /// No more than so many; [`Nearest::MAX_TOP_K`] at most.
    pub top_k: u32,
    /// Only those that are at least so near.
    pub min_score: Option<f64>,
    /// Only those whose payload contains all of this, as `jsonb` contains.
    pub filter: Map<String, Value>,
}

impl Nearest {
    /// Most matches of one search: what an HNSW search can keep in view (`hnsw.ef_search`).
    pub const MAX_TOP_K: u32 = 1_000;
}

/// A point that is near.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The point.
    pub id: String,
    /// How near, by the collection's metric: larger is nearer.
    pub score: f64,
    /// What is known of it.
    pub payload: Value,
}

/// How the extension finds the nearest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As Postgres plans it: by the index, where that is faster. It looks at so many points and may then end.
    Planned,
    /// By looking at every point that passes the filter.
    Exact,
}

impl Collections<'_> {
    /// The nearest points, the nearest first; of equals the one with the lesser id.
    ///
    /// # Errors
    /// `NotFound` for the collection, `Vector` for the vector, `Unavailable`.
    pub async fn search(&self, collection: &str, wanted: &Nearest) -> Result<Vec<Match>, StoreError> {
        let known = Known::find(&mut *self.store.connection().await?, collection).await?;
        let wanted = Nearest { vector: known.prepared(&wanted.vector, 0)?, ..wanted.clone() };
        let mut found = match &known.extension {
            Some(extension) => self.indexed(&known, extension, &wanted).await?,
            None => self.scanned(&known, &wanted).await?,
        };
        found.retain(|one| wanted.min_score.is_none_or(|least| one.score >= least));
        found.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.id.cmp(&other.id)));
        Ok(found)
    }

    /// By the extension. Where a filter leaves little, the index may end before it met enough that passes: then those that pass
    /// are looked at one by one.
    async fn indexed(
        &self,
        known: &Known,
        extension: &Extension,
        wanted: &Nearest,
    ) -> Result<Vec<Match>, StoreError> {
        let mut transaction = self.store.begin().await?;
        let looked_at = wanted.top_k.saturating_mul(2).clamp(LEAST_LOOKED_AT, Nearest::MAX_TOP_K);
        sqlx::query!(
            "select set_config('hnsw.ef_search', $1, true) as looked_at,
                set_config('hnsw.iterative_scan', 'strict_order', true) as goes_on",
            looked_at.to_string()
        )
        .fetch_one(&mut *transaction)
        .await?;
        let by = |way| sql(known, extension, wanted, way);
        let mut found = matches(&mut transaction, by(Way::Planned), wanted).await?;
        let is_short = found.len() < wanted.top_k as usize;
        if is_short && !wanted.filter.is_empty() {
            found = matches(&mut transaction, by(Way::Exact), wanted).await?;
        }
        transaction.commit().await?;
        Ok(found)
    }

    /// By looking at every vector that passes the filter; payloads are fetched for those that are given only.
    async fn scanned(&self, known: &Known, wanted: &Nearest) -> Result<Vec<Match>, StoreError> {
        let table = known.table();
        let sql = format!("select id, vector from {table}{}", passing(wanted, 1));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        if !wanted.filter.is_empty() {
            query = query.bind(json::text(&wanted.filter));
        }
        let mut ranking = Ranking::new(wanted.top_k as usize);
        let mut connection = self.store.connection().await?;
        let mut rows = query.fetch(&mut *connection);
        while let Some(row) = rows.try_next().await.map_err(table::gone)? {
            ranking.add(inner_product(&wanted.vector, row.try_get(1)?), row.try_get(0)?);
        }
        drop(rows);
        let best = ranking.into_sorted();
        let ids: Vec<&str> = best.iter().map(|(id, _)| id.as_str()).collect();
        let payloads = format!("select id, payload from {table} where id = any($1)");
        let payloads = sqlx::query_as::<_, (String, Value)>(AssertSqlSafe(payloads));
        let payloads =
            payloads.bind(&ids).fetch_all(&mut *self.store.connection().await?).await.map_err(table::gone)?;
        let mut payloads: HashMap<String, Value> = payloads.into_iter().collect();
        // A point that was deleted meanwhile is not there any more.
        let found = best.into_iter().filter_map(|(id, score)| {
            let payload = payloads.remove(&id)?;
            Some(Match { id, score: f64::from(score), payload })
        });
        Ok(found.collect())
    }
}

/// The search of the extension. Its distance is the negative inner product, because indexes give the least first.
fn sql(known: &Known, extension: &Extension, wanted: &Nearest, way: Way) -> String {
    let (schema, vector) = (&extension.schema, extension.vector(known.dimension));
    let distance = format!("(vector operator({schema}.<#>) $1::real[]::{vector})");
    // No index is sorted by a sum.
    let order = if way == Way::Exact { format!("{distance} + 0") } else { distance.clone() };
    let (table, passing) = (known.table(), passing(wanted, 3));
    format!("select id, -{distance}, payload from {table}{passing} order by {order} limit $2")
}

/// The condition of the filter, which is parameter `number` where there is one.
fn passing(wanted: &Nearest, number: u32) -> String {
    if wanted.filter.is_empty() { String::new() } else { format!(" where payload @> ${number}::text::jsonb") }
}

async fn matches(
    transaction: &mut PgTransaction<'_>,
    sql: String,
    wanted: &Nearest,
) -> Result<Vec<Match>, StoreError> {
    let mut query = sqlx::query_as::<_, (String, f64, Value)>(AssertSqlSafe(sql));
    query = query.bind(&wanted.vector).bind(i64::from(wanted.top_k));
    if !wanted.filter.is_empty() {
        query = query.bind(json::text(&wanted.filter));
    }
    let rows = query.fetch_all(&mut **transaction).await.map_err(table::gone)?;
    Ok(rows.into_iter().map(|(id, score, payload)| Match { id, score, payload }).collect())
}
