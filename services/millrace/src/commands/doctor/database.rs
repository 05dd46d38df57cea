//! What is checked of Postgres: that it is there and takes writes, that it has our tables, and what collections can expect.

use futures::FutureExt;
use millrace_config::Loaded;
use millrace_local::PostgresPrograms;
use millrace_store::{Store, StoreError};
use millrace_tasks::within;

use super::checks::{Fault, TIMEOUT};

/// Whether the server is there and takes writes; without one of the operator's own, whether the programs for a private one are.
pub(super) async fn postgres(loaded: &Loaded, store: Option<&Store>) -> Result<String, Fault> {
    const START: &str = "start Postgres and set DATABASE_URL to the one that takes writes, or install postgresql for a private one (scripts/setup.sh)";
    const LET_IN: &str = "create what is missing, or set DATABASE_URL to postgres://user:password@host:port/database as the server knows them";
    let Some(store) = store else {
        let programs = PostgresPrograms::find(&loaded.places);
        let programs = programs.map_err(|fault| Fault::with(START)(fault.to_string()))?;
        return Ok(format!("private server by {}", programs.program("postgres").display()));
    };
    let url = &loaded.settings.database.url;
    // Whether it answers, and what.
    let answered = within(TIMEOUT, store.ping().map(Ok::<_, String>)).await.map_err(Fault::with(START))?;
    let took = answered.map_err(|fault| {
        let remedy = if matches!(fault, StoreError::Refused(_)) { LET_IN } else { START };
        Fault::with(remedy)(format!("{url}: {fault}"))
    })?;
    if within(TIMEOUT, store.is_read_only()).await.map_err(Fault::with(START))? {
        let text = format!("{url} takes no writes: it is a standby, or default_transaction_read_only is on");
        return Err(Fault::with(START)(text));
    }
    Ok(format!("{url} answers in {took:.1?}"))
}

/// Whether the tables are as this version needs them.
pub(super) async fn tables(store: &Store) -> Result<String, String> {
    let missing = within(TIMEOUT, store.missing_migrations()).await?;
    match missing.as_slice() {
        [] => Ok("all migrations are applied".to_owned()),
        [only] => Err(format!("migration {only} is not applied")),
        [first, .., last] => Err(format!("{} migrations are not applied, {first} to {last}", missing.len())),
    }
}

/// Collections work without pgvector, and take more time: its absence is no fault.
pub(super) async fn vectors(loaded: &Loaded, store: Option<&Store>) -> Result<String, String> {
    let Some(store) = store else {
        let found = PostgresPrograms::find(&loaded.places);
        return Ok(if found.is_ok_and(|programs| programs.has_extension("vector")) {
            "the private server has pgvector: collections get an index"
        } else {
            "no pgvector: searches in collections look at every point; scripts/setup.sh --pgvector fetches a Postgres that has it"
        }
        .to_owned());
    };
    let Ok(found) = within(TIMEOUT, store.vector_extension()).await else {
        return Ok("not known: the server does not answer".to_owned());
    };
    Ok(match found {
        None => "the server has no pgvector: searches in collections look at every point; a package such as \
            postgresql-17-pgvector brings it"
            .to_owned(),
        Some(found) if !found.will_do => format!(
            "pgvector {} is too old: searches in collections look at every point; 0.8 or newer gives them an index",
            found.version
        ),
        Some(found) if found.is_created => {
            format!("pgvector {} is there: collections get an index", found.version)
        }
        Some(found) => format!(
            "the server has pgvector {}: the first collection creates it and gets an index, where this account may; otherwise \
            say `create extension vector` before",
            found.version
        ),
    })
}
