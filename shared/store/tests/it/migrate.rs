//! Schemas of other versions.

use anyhow::Result;

use crate::support::Fixture;

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
