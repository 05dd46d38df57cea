//! The table of a collection's points, and its index. What stands in this SQL besides keywords are numbers, and a schema's name
//! as Postgres quotes it; it cannot be checked when this is compiled, for the tables come and go, and most databases lack the
//! extension.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::{Store, StoreError};

/// What the extension can index.
const MOST_INDEXED: u32 = 2_000;

/// The extension `vector` (pgvector), of a version that goes on searching until enough points pass a filter: 0.8 or newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extension {
    /// The schema that it is in, quoted.
    pub(super) schema: String,
}

impl Extension {
    /// The extension, where it can index vectors of this dimension. It is made in this database if the server has it and we may.
    pub(super) async fn for_dimension(store: &Store, dimension: u32) -> Result<Option<Self>, StoreError> {
        if dimension > MOST_INDEXED {
            return Ok(None);
        }
        if let Some(there) = Self::find(store).await? {
            return Ok(Some(there));
        }
        let available = sqlx::query_scalar!(
            r#"select exists (
                select from pg_available_extensions where name = 'vector' and installed_version is null
            ) as "available!""#
        )
        .fetch_one(&mut *store.connection().await?)
        .await?;
        if !available {
            return Ok(None);
        }
        // Best effort: a role that may not, or one that lost a race, is served by what is there afterwards.
        let create = sqlx::raw_sql("create extension if not exists vector");
        if let Err(error) = create.execute(&mut *store.connection().await?).await {
            tracing::info!(%error, "the extension vector was not made; searches look at every point");
        }
        Self::find(store).await
    }

    async fn find(store: &Store) -> Result<Option<Self>, StoreError> {
        let schema = sqlx::query_scalar!(
            r#"select quote_ident(nspname) as "schema!" from pg_extension
            join pg_namespace on pg_namespace.oid = extnamespace
            where extname = 'vector' and (string_to_array(extversion, '.'))[1:2]::int[] >= array[0, 8]"#
        )
        .fetch_optional(&mut *store.connection().await?)
        .await?;
        Ok(schema.map(|schema| Self { schema }))
    }

    /// Its type for vectors of this dimension.
    pub(super) fn vector(&self, dimension: u32) -> String {
        format!("{}.vector({dimension})", self.schema)
    }
}

/// The name of a collection's table.
pub(super) fn name(number: i64) -> String {
    format!("wf_points_{number}")
}

/// Makes the table of a collection, with an index where the extension is there.
pub(super) async fn create(
    connection: &mut PgConnection,
    number: i64,
    dimension: u32,
    extension: Option<&Extension>,
) -> Result<(), StoreError> {
    let table = name(number);
    // Without the extension a search reads all vectors, and Postgres gives out bytes many times faster than arrays.
    let vector = extension.map_or_else(|| "bytea".to_owned(), |extension| extension.vector(dimension));
    let mut sql = format!(
        "create table {table} (
            id text not null,
            vector {vector} not null,
            payload jsonb not null,
            constraint {table}_pkey primary key (id),
            constraint {table}_payload_object check (jsonb_typeof(payload) = 'object')
        );
        create index {table}_payload_idx on {table} using gin (payload jsonb_path_ops);"
    );
    if let Some(extension) = extension {
        // Vectors of a collection by cosine are stored with length one, so the inner product serves both metrics.
        let schema = &extension.schema;
        sql +=
            &format!("create index {table}_hnsw_idx on {table} using hnsw (vector {schema}.vector_ip_ops);");
    }
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

/// Drops the table of a collection.
pub(super) async fn drop(connection: &mut PgConnection, number: i64) -> Result<(), StoreError> {
    // Where somebody has tidied up by hand, the rest can be deleted all the same.
    let sql = format!("drop table if exists {}", name(number));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

/// A failure on the table of a collection; one that was deleted meanwhile has none any more.
pub(super) fn gone(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|fault| fault.code());
    if code.as_deref() == Some("42P01") { StoreError::NotFound("collection") } else { error.into() }
}
