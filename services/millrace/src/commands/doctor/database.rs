//! What is checked of Postgres: that it is there and takes writes, that it has our tables, and what collections can expect.

use millrace_config::Loaded;
use millrace_local::PostgresPrograms;
use millrace_store::Store;
use millrace_tasks::within;

use super::checks::TIMEOUT;

/// Whether the server is there and takes writes; without one of the operator's own, whether the programs for a private one are.
pub(super) async fn postgres(loaded: &Loaded, store: Option<&Store>) -> Result<String, String> {
    let Some(store) = store else {
        let programs = PostgresPrograms::find(&loaded.places).map_err(|fault| fault.to_string())?;
        return Ok(format!("private server by {}", programs.program("postgres").display()));
    };
    let url = &loaded.settings.database.url;
    let took = within(TIMEOUT, store.ping()).await?;
    if within(TIMEOUT, store.is_read_only()).await? {
        return Err(format!(
            "{url} takes no writes: it is a standby, or default_transaction_read_only is on"
        ));
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
