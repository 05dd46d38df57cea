//! Where the servers' programs are: on the PATH, where distributions put them, or in Millrace's cache.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use millrace_config::Places;

use crate::LocalError;

const SETUP_HINT: &str = "run scripts/setup.sh, or install it (Debian: apt-get install redis-server postgresql), or give a URL of a running one";

/// The first executable called `name` in `places`' PATH.
#[must_use]
pub fn find_program(places: &Places, name: &str) -> Option<PathBuf> {
    places.path.iter().map(|dir| dir.join(name)).find(|path| is_executable(path))
}

/// The `redis-server` to use.
///
/// # Errors
/// [`LocalError::ProgramMissing`] with what to do.
pub fn redis_server(places: &Places) -> Result<PathBuf, LocalError> {
    let cached = places.cache.join("redis/bin/redis-server");
    let usual = PathBuf::from("/usr/bin/redis-server");
    find_program(places, "redis-server")
        .or_else(|| [usual, cached.clone()].into_iter().find(|path| is_executable(path)))
        .ok_or_else(|| LocalError::ProgramMissing {
            program: "redis-server",
            searched: format!("the PATH, /usr/bin and {}", cached.display()),
            hint: SETUP_HINT,
        })
}

/// One installation of Postgres; all programs come from the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresPrograms {
    bin: PathBuf,
}

impl PostgresPrograms {
    /// The installation to use: the cache's, else the newest of `/usr/lib/postgresql`, else the PATH's.
    ///
    /// # Errors
    /// [`LocalError::ProgramMissing`] with what to do.
    pub fn find(places: &Places) -> Result<Self, LocalError> {
        let cached = places.cache.join("postgres/bin");
        let on_path = find_program(places, "initdb").and_then(|initdb| {
            // Debian-like links lead into the installation.
            initdb.canonicalize().ok()?.parent().map(Path::to_owned)
        });
        let candidates = std::iter::once(cached.clone()).chain(distribution_folders()).chain(on_path);
        let whole = |bin: &PathBuf| ["initdb", "postgres"].iter().all(|name| is_executable(&bin.join(name)));
        candidates.into_iter().find(whole).map(|bin| Self { bin }).ok_or_else(|| LocalError::ProgramMissing {
            program: "postgres (with initdb)",
            searched: format!("the PATH, /usr/lib/postgresql/*/bin and {}", cached.display()),
            hint: SETUP_HINT,
        })
    }

    /// Whether this installation has the extension `name`, such as `vector`.
    #[must_use]
    pub fn has_extension(&self, name: &str) -> bool {
        let Some(root) = self.bin.parent() else { return false };
        // Debian keeps what all programs share apart from the programs, by the version.
        let debian = root.file_name().map(|version| Path::new("/usr/share/postgresql").join(version));
        let shares = [root.join("share/postgresql"), root.join("share")].into_iter().chain(debian);
        shares.into_iter().any(|share| share.join(format!("extension/{name}.control")).is_file())
    }

    /// The program `name` of this installation.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}

/// `/usr/lib/postgresql/<version>/bin`, newest first.
fn distribution_folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, bin)| bin).collect()
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
