//! Why a private server could not be started, and what to do about it.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a private server is not there.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A program is not installed.
    #[error("{program} was not found (looked in {searched}); {hint}")]
    ProgramMissing {
        /// Its name.
        program: &'static str,
        /// Where it was looked for.
        searched: String,
        /// What to do.
        hint: &'static str,
    },
    /// Another live process holds the folder.
    #[error(
        "{dir} is in use by the running process {holder}; stop it, or name another folder with --data-dir"
    )]
    Locked {
        /// The folder.
        dir: PathBuf,
        /// The pid of the holder, if it left it.
        holder: String,
    },
    /// The operating system refused something.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A helper program such as `initdb` failed.
    #[error("{program} failed: {output}")]
    Helper {
        /// Its name.
        program: String,
        /// The end of what it said.
        output: String,
    },
    /// The server ended while it was being waited for.
    #[error("{server} ended before it was ready; the end of its log {log} says:\n{tail}")]
    EndedEarly {
        /// `redis-server` or `postgres`.
        server: &'static str,
        /// Its log file.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// The server runs and does not answer.
    #[error("{server} did not answer within {waited:?}; see its log {log}")]
    NotReady {
        /// `redis-server` or `postgres`.
        server: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// Its log file.
        log: PathBuf,
    },
    /// The server runs, and not by the socket that others know it by.
    #[error("{server} has no socket at {socket} any more; see what is there")]
    NoSocket {
        /// `redis-server` or `postgres`.
        server: &'static str,
        /// Where it was.
        socket: PathBuf,
    },
    /// No installed version of Postgres can read the data.
    #[error(
        "{data} was made by PostgreSQL {made_by}, and only {found} is installed; install that version, or begin anew with another folder (--data-dir)"
    )]
    OtherVersion {
        /// The folder.
        data: PathBuf,
        /// Its version.
        made_by: String,
        /// The version that would be used.
        found: String,
    },
    /// Root has no user to run Postgres as.
    #[error(
        "Postgres refuses to run as root, and neither a user `postgres` nor `nobody` exists; create one, or run as an ordinary user"
    )]
    NoUser,
}

impl LocalError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// The last lines of a log, for a message.
pub(crate) fn tail(log: &Path) -> String {
    let text =
        std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
