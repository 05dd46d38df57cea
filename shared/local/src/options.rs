//! What a caller may choose about a private server.

use std::path::PathBuf;
use std::time::Duration;

use millrace_config::Places;

/// What a caller may choose about a private server.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Where programs are looked for.
    pub places: Places,
    /// Whether a crash of the machine may lose data.
    pub durability: Durability,
    /// Whether the server is killed by the system when this process ends, however it ends.
    pub die_with_parent: bool,
    /// How long the server may be silent until it answers; that it reads its data is an answer.
    pub start_timeout: Duration,
    /// Postgres only: a data folder to copy instead of running initdb. Made by [`crate::template`].
    pub template: Option<PathBuf>,
}

/// Whether a crash of the machine may lose data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Postgres as it comes; Redis with an append-only file that is synced every second.
    Durable,
    /// No fsync, no append-only file: for tests.
    FastUnsafe,
}

impl ServerOptions {
    /// Durable, left running when this process is killed, for the next one to adopt.
    #[must_use]
    pub fn durable(places: Places) -> Self {
        Self {
            places,
            durability: Durability::Durable,
            die_with_parent: false,
            start_timeout: Duration::from_secs(60),
            template: None,
        }
    }

    /// Fast and gone with the process: for tests.
    #[must_use]
    pub fn for_tests(places: Places) -> Self {
        Self { durability: Durability::FastUnsafe, die_with_parent: true, ..Self::durable(places) }
    }
}
