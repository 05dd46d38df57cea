//! `[database]`: the record.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::SecretUrl;

/// The record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// Where Postgres is. `DATABASE_URL` is honoured. A password in it is never printed.
    pub url: SecretUrl,
    /// Most connections of one process.
    pub max_connections: u32,
    /// Schema that holds the tables.
    pub schema: String,
    /// How long to wait for a connection before the caller is told that the record is away.
    #[serde(with = "crate::span")]
    pub acquire_timeout: Duration,
    /// Longest a statement may run.
    #[serde(with = "crate::span")]
    pub statement_timeout: Duration,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: "postgres://127.0.0.1:5432/millrace".parse().expect("the default URL is well-formed"),
            max_connections: 10,
            schema: "public".to_owned(),
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
        }
    }
}
