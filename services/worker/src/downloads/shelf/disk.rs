//! What folders take up on the disk. Rule: a file that several of them have in common takes its place once, and gives it back with
//! the last of its names.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Device and inode: what is one file, whatever its names.
type Inode = (u64, u64);

/// A file.
struct File {
    bytes: u64,
    /// Names that it has, here or elsewhere.
    names: u64,
}

/// The files of some folders.
#[derive(Default)]
pub(super) struct Disk {
    files: HashMap<Inode, File>,
    folders: HashMap<PathBuf, Vec<Inode>>,
    total_bytes: u64,
}

impl Disk {
    /// Adds what is in `folder`.
    pub(super) fn add(&mut self, folder: &Path) {
        let mut inodes = Vec::new();
        self.look(folder, &mut inodes);
        self.folders.insert(folder.to_owned(), inodes);
    }

    fn look(&mut self, folder: &Path, inodes: &mut Vec<Inode>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                self.look(&entry.path(), inodes);
                continue;
            }
            let inode = (metadata.dev(), metadata.ino());
            inodes.push(inode);
            let file = File { bytes: metadata.len(), names: metadata.nlink() };
            if self.files.insert(inode, file).is_none() {
                self.total_bytes += metadata.len();
            }
        }
    }

    /// What all of them take up.
    pub(super) fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Takes out what was in `folder`; the bytes that have come free.
    pub(super) fn removed(&mut self, folder: &Path) -> u64 {
        let mut freed = 0;
        for inode in self.folders.remove(folder).unwrap_or_default() {
            let Some(file) = self.files.get_mut(&inode) else { continue };
            file.names = file.names.saturating_sub(1);
            if file.names == 0 {
                freed += file.bytes;
                self.files.remove(&inode);
            }
        }
        self.total_bytes -= freed;
        freed
    }
}
