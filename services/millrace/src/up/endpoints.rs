//! `endpoints.json`: how other commands find a running `millrace up`. Holds passwords, so only its owner can read it.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Where everything of one `millrace up` is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    /// `http://127.0.0.1:8080`.
    pub(crate) api: String,
    pub(crate) redis_url: String,
    /// The same Redis by its socket, as our own processes go; none where it has none, or is not private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redis_socket_url: Option<String>,
    pub(crate) database_url: String,
    /// The process of `millrace up`.
    pub(crate) pid: u32,
}

impl Endpoints {
    fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("endpoints.json")
    }

    /// Those of `data_dir`, if there are any.
    pub(crate) fn read(data_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::path(data_dir)).ok()?).ok()
    }

    /// Writes them whole or not at all.
    pub(crate) fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        let path = Self::path(data_dir);
        let unfinished = path.with_extension("unfinished");
        let written = std::fs::File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&unfinished)
            .and_then(|mut file| file.write_all(serde_json::to_string_pretty(self)?.as_bytes()))
            .and_then(|()| std::fs::rename(&unfinished, &path));
        written.with_context(|| format!("cannot write {}", path.display()))
    }

    /// Takes them away, so that nobody follows them to a server that is gone.
    pub(crate) fn remove(data_dir: &Path) {
        let path = Self::path(data_dir);
        if let Err(fault) = std::fs::remove_file(&path) {
            tracing::debug!(file = %path.display(), error = %fault, "endpoints.json was not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn endpoints_survive_their_file_and_only_the_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let endpoints = Endpoints {
            api: "http://127.0.0.1:1".into(),
            redis_url: "redis://:x@127.0.0.1:2/".into(),
            redis_socket_url: None,
            database_url: "postgres://a:b@127.0.0.1:3/c".into(),
            pid: 4,
        };
        endpoints.write(dir.path()).unwrap();
        assert!(Endpoints::read(dir.path()) == Some(endpoints));
        let mode = std::fs::metadata(Endpoints::path(dir.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
        Endpoints::remove(dir.path());
        assert!(Endpoints::read(dir.path()).is_none());
    }
}
