//! Whom Postgres runs as. It refuses root, so root hands it to another user, with a data folder that user can reach.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};
use sha2::{Digest, Sha256};

use crate::LocalError;

/// Where data goes that the other user could not reach in place.
const STATE_DIR: &str = "/var/lib/millrace";

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
        let dir = dir.canonicalize().map_err(LocalError::io("resolve", dir))?;
        if dir.ancestors().all(|folder| self.may_enter(folder)) {
            return Ok(dir);
        }
        let digest = Sha256::digest(dir.as_os_str().as_encoded_bytes());
        let instead = Path::new(STATE_DIR).join(hex::encode(&digest[..8]));
        std::fs::create_dir_all(&instead).map_err(LocalError::io("create", &instead))?;
        let note = dir.join("moved-to");
        if !note.exists() {
            tracing::warn!(
                user.name = %self.name, data.dir = %instead.display(), wanted.dir = %dir.display(),
                "Postgres does not run as root, and its user cannot enter the data folder: its data lives elsewhere"
            );
            std::fs::write(&note, format!("{}\n", instead.display()))
                .map_err(LocalError::io("write", &note))?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_closed_parent_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let stranger = RunAs { uid: 65_534, gid: 65_534, name: "stranger".into() };
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!stranger.may_enter(dir.path()));
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        assert!(stranger.may_enter(dir.path()));
    }
}
