//! Where the servers' programs are: on the PATH, where distributions put them, or in Millrace's cache.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

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
        Self::all(places).next().ok_or_else(|| LocalError::ProgramMissing {
            program: "postgres (with initdb)",
            searched: format!("the PATH, /usr/lib/postgresql/*/bin and {}", Self::cached(places).display()),
            hint: SETUP_HINT,
        })
    }

    /// The installation to use on `data`: of the version that made it, where there is something in it.
    ///
    /// # Errors
    /// As [`PostgresPrograms::find`]; [`LocalError::OtherVersion`].
    pub(crate) fn find_for(places: &Places, data: &Path) -> Result<Self, LocalError> {
        let Ok(version) = std::fs::read_to_string(data.join("PG_VERSION")) else { return Self::find(places) };
        let (made_by, newest) = (version.trim().to_owned(), Self::find(places)?);
        let same = |programs: &Self| programs.major().is_some_and(|major| major == made_by);
        Self::all(places).find(same).ok_or_else(|| LocalError::OtherVersion {
            data: data.to_owned(),
            made_by,
            found: newest.major().unwrap_or_default(),
        })
    }

    fn cached(places: &Places) -> PathBuf {
        places.cache.join("postgres/bin")
    }

    /// Every whole installation, the best first.
    fn all(places: &Places) -> impl Iterator<Item = Self> {
        let on_path = find_program(places, "initdb").and_then(|initdb| {
            // Debian-like links lead into the installation.
            initdb.canonicalize().ok()?.parent().map(Path::to_owned)
        });
        let candidates = std::iter::once(Self::cached(places)).chain(distribution_folders()).chain(on_path);
        let whole = |bin: &PathBuf| ["initdb", "postgres"].iter().all(|name| is_executable(&bin.join(name)));
        candidates.filter(whole).map(|bin| Self { bin })
    }

    /// Its major version, as it says itself: `postgres (PostgreSQL) 15.8`.
    fn major(&self) -> Option<String> {
        let said = Command::new(self.program("postgres")).arg("--version").output().ok()?;
        let said = String::from_utf8(said.stdout).ok()?;
        let number =
            said.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
        Some(number.chars().take_while(char::is_ascii_digit).collect())
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
