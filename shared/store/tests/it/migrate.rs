//! Schemas of other versions.

use std::time::Duration;

use anyhow::Result;
use millrace_store::{Store, StoreSettings};
use millrace_testkit::{TestPostgres, eventually};
use sqlx::postgres::PgPool;

use crate::support::Fixture;

/// Replicas that start together migrate together: here another one has begun to make the schema, and is done a moment later.
#[tokio::test]
async fn many_may_migrate_at_once() -> Result<()> {
    let postgres = TestPostgres::start().await?;
    let mut settings = StoreSettings::new(postgres.url());
    settings.schema = Some("fresh".to_owned());
    let stores = (0..4).map(|_| Store::connect(&settings)).collect::<Result<Vec<_>, _>>()?;
    let raw = PgPool::connect(&postgres.url()).await?;
    let mut other = raw.begin().await?;
    sqlx::raw_sql("create schema fresh").execute(&mut *other).await?;
    let made = async {
        eventually(Duration::from_secs(20), "all wait for the other one", async || {
            let waiting = "select count(*) from pg_stat_activity
                where wait_event_type = 'Lock' and query like 'create schema%' and datname = current_database()";
            let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&raw).await?;
            anyhow::Ok((waiting == 4).then_some(()))
        })
        .await?;
        anyhow::Ok(other.commit().await?)
    };
    let migrate =
        async { anyhow::Ok(futures::future::try_join_all(stores.iter().map(Store::migrate)).await?) };
    tokio::try_join!(migrate, made)?;
    assert_eq!(stores[0].executions().oldest_unfinished().await?, None, "the tables are there");
    Ok(())
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_used_as_it_is() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture
        .execute(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
            values (9999, 'of the future', true, '', 0)",
        )
        .await?;
    fixture.store.migrate().await?;
    assert_eq!(fixture.count("select max(version) from _sqlx_migrations").await?, 9999);
    Ok(())
}

#[tokio::test]
async fn an_applied_migration_that_was_edited_is_refused() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.execute("update _sqlx_migrations set checksum = 'other' where version = 1").await?;
    let refused = fixture.store.migrate().await.unwrap_err().to_string();
    assert!(refused.contains("migration 1 "), "{refused}");
    Ok(())
}
