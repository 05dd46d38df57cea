//! Whom Postgres runs as. It refuses root, so root hands it to another user, with a data folder that user can reach.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::LocalError;

/// Where data goes that the other user could not reach in place.
const STATE_DIR: &str = "/var/lib/millrace";

/// The file of a data folder that says where.
const NOTE: &str = "moved-to";

/// The file beside the data that says of which folder it is.
const OWNER: &str = "of";

/// The user a server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunAs {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) name: String,
}

impl RunAs {
    /// None for an ordinary user, who runs Postgres directly.
    pub(crate) fn for_postgres() -> Result<Option<Self>, LocalError> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let user = ["postgres", "nobody"].iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = user.ok_or(LocalError::NoUser)?;
        Ok(Some(Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), name: user.name }))
    }

    /// Gives `path` (not what is inside) to this user.
    pub(crate) fn own(&self, path: &Path) -> Result<(), LocalError> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
            .map_err(LocalError::io("change the owner of", path))
    }

    /// `dir` itself if this user can get there, else the folder under the system's state directory that stands for it.
    pub(crate) fn reachable(&self, dir: &Path) -> Result<PathBuf, LocalError> {
        self.reachable_or_below(dir, Path::new(STATE_DIR))
    }

    fn reachable_or_below(&self, dir: &Path, state: &Path) -> Result<PathBuf, LocalError> {
        let dir = dir.canonicalize().map_err(LocalError::io("resolve", dir))?;
        // The note goes with the folder: the data is found again where that was moved, or opened to others since, and a new
        // folder of the same path begins with nothing.
        if let Some(noted) = noted(&dir, state).filter(|_| !dir.join("data").exists()) {
            if let Some(own) = own_of(&dir, &noted, state) {
                tie(&dir, &own)?;
                return Ok(own);
            }
            tracing::warn!(
                data.dir = %noted.display(), wanted.dir = %dir.display(),
                "this folder is a copy of another that is still there, and its Postgres data lives elsewhere: it begins with an \
                 empty database of its own"
            );
        }
        if dir.ancestors().all(|folder| self.may_enter(folder)) {
            return Ok(dir);
        }
        let instead = state.join(Uuid::new_v4().simple().to_string());
        tracing::warn!(
            user.name = %self.name, data.dir = %instead.display(), wanted.dir = %dir.display(),
            "Postgres does not run as root, and its user cannot enter the data folder: its data lives elsewhere"
        );
        if !state.exists() {
            create(state)?;
        }
        create(&instead)?;
        tie(&dir, &instead)?;
        Ok(instead)
    }

    fn may_enter(&self, folder: &Path) -> bool {
        folder.metadata().is_ok_and(|meta| {
            let needed = match () {
                () if meta.uid() == self.uid => 0o100,
                () if meta.gid() == self.gid => 0o010,
                () => 0o001,
            };
            meta.mode() & needed != 0
        })
    }
}

/// The folder that the note in `dir` names: one right below `state`, and there.
fn noted(dir: &Path, state: &Path) -> Option<PathBuf> {
    let note = std::fs::read_to_string(dir.join(NOTE)).ok()?;
    let folder = PathBuf::from(note.trim_end());
    // Without a name it ends in `..`, and lies elsewhere.
    let is_below = folder.parent() == Some(state) && folder.file_name().is_some();
    (is_below && folder.is_dir()).then_some(folder)
}

/// The data that `dir` may take, whose note names `noted`; none where `dir` is a copy of the folder that the data belongs to.
fn own_of(dir: &Path, noted: &Path, state: &Path) -> Option<PathBuf> {
    let Some(owner) = owner(noted) else {
        // An older version went by the path, whatever the note said: a folder that was moved then has its data there.
        let by_path = state.join(by_path(dir));
        let is_newer = by_path.is_dir() && owner(&by_path).is_none();
        return Some(if is_newer { by_path } else { noted.to_owned() });
    };
    let was_moved = || self::noted(&owner, state).is_none_or(|of_owner| of_owner != noted);
    (owner == dir || was_moved()).then(|| noted.to_owned())
}

/// The data folder that `folder` was made for, or went to since.
fn owner(folder: &Path) -> Option<PathBuf> {
    let path = std::fs::read(folder.join(OWNER)).ok()?;
    Some(OsString::from_vec(path).into())
}

/// Ties `dir` and its data to each other.
fn tie(dir: &Path, data: &Path) -> Result<(), LocalError> {
    let write = |path: &Path, text: &[u8]| match std::fs::read(path) {
        Ok(found) if found == text => Ok(()),
        _ => std::fs::write(path, text).map_err(LocalError::io("write", path)),
    };
    // The owner first: a note alone would be one of an older version.
    write(&data.join(OWNER), dir.as_os_str().as_bytes())?;
    write(&dir.join(NOTE), format!("{}\n", data.display()).as_bytes())
}

/// What an older version called the data of `dir`.
fn by_path(dir: &Path) -> String {
    hex::encode(&Sha256::digest(dir.as_os_str().as_bytes())[..8])
}

/// Makes a folder that others may pass through, whatever the umask says.
fn create(folder: &Path) -> Result<(), LocalError> {
    let open = || {
        std::fs::create_dir_all(folder)?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))
    };
    open().map_err(LocalError::io("create", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whom a folder of ours that is closed keeps out.
    fn stranger() -> RunAs {
        RunAs { uid: 65_533, gid: 65_533, name: "stranger".into() }
    }

    fn close(folder: &Path) {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn data_that_lives_elsewhere_goes_with_its_folder() {
        let (home, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        close(home.path());
        let state = state.path().join("state");
        let at = |dir: &Path| stranger().reachable_or_below(dir, &state).unwrap();
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        std::fs::create_dir(&one).unwrap();
        let first = at(&one);
        assert!(first.starts_with(&state) && first.is_dir());
        assert_eq!(first.metadata().unwrap().mode() & 0o777, 0o711);
        assert_eq!(at(&one), first, "found again");
        std::fs::rename(&one, &two).unwrap();
        assert_eq!(at(&two), first, "it was moved");
        std::fs::create_dir(&one).unwrap();
        assert_ne!(at(&one), first, "a new folder of the same path is another one");
        std::fs::write(two.join(NOTE), "/etc\n").unwrap();
        assert!(at(&two).starts_with(&state), "a note names a folder of ours or none");
        std::fs::write(two.join(NOTE), format!("{}/..\n", state.display())).unwrap();
        assert_eq!(at(&two).parent(), Some(&*state), "nor the folder above");
    }

    #[test]
    fn a_copy_has_data_of_its_own() {
        let (home, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        close(home.path());
        let at = |dir: &Path| stranger().reachable_or_below(dir, state.path()).unwrap();
        let folder = |name: &str| {
            let folder = home.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            folder
        };
        let copy = |from: &Path, to: &Path| _ = std::fs::copy(from.join(NOTE), to.join(NOTE)).unwrap();
        let (one, two) = (folder("one"), folder("two"));
        let first = at(&one);
        copy(&one, &two);
        let second = at(&two);
        assert_ne!(second, first, "the original is still there");
        assert_eq!((at(&one), at(&two)), (first.clone(), second), "each keeps its own");

        let (three, four) = (folder("three"), folder("four"));
        copy(&one, &three);
        copy(&one, &four);
        std::fs::remove_dir_all(&one).unwrap();
        assert_eq!(at(&three), first, "the original is gone");
        assert_ne!(at(&four), first, "another copy has it");
        assert_eq!(at(&three), first);
    }

    #[test]
    fn data_that_went_by_the_path_is_found() {
        let (home, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        close(home.path());
        let at = |dir: &Path| stranger().reachable_or_below(dir, state.path()).unwrap();
        let data = |name: &str| {
            let folder = state.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            folder
        };
        let note = |dir: &Path, data: &Path| {
            std::fs::create_dir(dir).unwrap();
            std::fs::write(dir.join(NOTE), format!("{}\n", data.display())).unwrap();
        };
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        let stale = data("aaaaaaaaaaaaaaaa");
        note(&one, &stale);
        note(&two, &stale);
        let lived_in = data(&by_path(&one.canonicalize().unwrap()));
        assert_eq!(at(&one), lived_in, "its note is of before it was moved");
        assert_eq!(at(&one), lived_in);
        assert_eq!(at(&two), stale, "it has no other");
    }

    #[test]
    fn a_closed_parent_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        close(dir.path());
        assert!(!stranger().may_enter(dir.path()));
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        assert!(stranger().may_enter(dir.path()));
    }
}
