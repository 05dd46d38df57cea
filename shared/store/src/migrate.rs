//! How the schema gets into the database.

use std::sync::LazyLock;

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{Store, StoreError};

/// A version that is older than the schema works with it: the next version only adds (`migrations/README.md`). So whoever has to
/// go back to it can.
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("../../migrations");
    migrations.set_ignore_missing(true);
    migrations
});

impl Store {
    /// Applies the migrations that are missing. Safe to call from several processes at once. A schema that a newer version has
    /// made is used as it is.
    ///
    /// # Errors
    /// `Unavailable` without a server, `Migrate` when a migration fails or an applied one was edited.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // A connection of its own, which nobody gets afterwards: it has no time limit. It is waited for with the pool's patience,
        // for a server that has just been started.
        let mut connection = self.patient_connection().await?.detach();
        connection.execute("set statement_timeout = 0").await?;
        if let Some(schema) = &self.schema {
            // An identifier, checked in `connect`; it cannot be bound as a parameter.
            let create = format!("create schema if not exists \"{schema}\"");
            let created = connection.execute(AssertSqlSafe(create)).await;
            if let Err(error) = created
                && !is_made_meanwhile(&error)
            {
                return Err(error.into());
            }
        }
        let applied = apply(&mut connection).await;
        connection.close().await?;
        applied.map_err(|error| match error {
            MigrateError::Execute(error) => match StoreError::from(error) {
                StoreError::Fault(error) => StoreError::Migrate(MigrateError::Execute(error)),
                other => other,
            },
            error => StoreError::Migrate(error),
        })
    }

    /// Whether the tables are as this version needs them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        Ok(self.missing_migrations().await?.is_empty())
    }

    /// The migrations of this version that are not applied yet, in their order.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn missing_migrations(&self) -> Result<Vec<i64>, StoreError> {
        let mut connection = self.connection().await?;
        // Migrating makes the table; before, there is nothing to ask.
        let begun: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
            .fetch_one(&mut *connection)
            .await?;
        let mut applied: Vec<i64> = Vec::new();
        if begun {
            let versions = sqlx::query_scalar("select version from _sqlx_migrations where success");
            applied = versions.fetch_all(&mut *connection).await?;
        }
        let known = MIGRATIONS.iter().map(|migration| migration.version);
        Ok(known.filter(|version| !applied.contains(version)).collect())
    }
}

/// Whether somebody else has made the schema since we looked, which "if not exists" does not wait for.
fn is_made_meanwhile(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(fault) = error else { return false };
    fault.is_unique_violation() || fault.code().as_deref() == Some("42P06")
}

async fn apply(connection: &mut PgConnection) -> Result<(), MigrateError> {
    MIGRATIONS.run(&mut *connection).await?;
    let applied = connection.list_applied_migrations(&MIGRATIONS.table_name).await?;
    let newest = applied.iter().map(|migration| migration.version).max();
    let known = MIGRATIONS.iter().map(|migration| migration.version).max();
    if newest > known {
        tracing::warn!(
            newest,
            known,
            "the schema was made by a newer version of Millrace; it is used as it is"
        );
    }
    Ok(())
}
