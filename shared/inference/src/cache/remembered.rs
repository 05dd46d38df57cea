//! What models were measured to take, kept in a file so that the next start need not guess. A hint: a file that cannot be
//! read or written costs a guess, no more.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use millrace_contracts::ModelId;
use serde::{Deserialize, Serialize};

/// More models than any folder holds; the file stays bounded.
const MOST_MODELS: usize = 10_000;

/// Measured sizes by model.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    file: Option<PathBuf>,
    sizes: BTreeMap<ModelId, Size>,
    unsaved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Size {
    /// Of its files when it was measured, once for each session: a model with other files is another model, and takes something
    /// else with fewer sessions.
    file_bytes: u64,
    /// The most memory it ever took.
    memory_bytes: u64,
}

impl Remembered {
    /// What `file` says; nothing when it does not read.
    pub(super) fn read(file: Option<PathBuf>) -> Self {
        let sizes = file.as_deref().map(load).unwrap_or_default();
        Self { file, sizes, unsaved: false }
    }

    /// What `id` takes, if it was measured with files of this size.
    pub(super) fn memory_bytes(&self, id: &ModelId, file_bytes: u64) -> Option<u64> {
        let size = self.sizes.get(id).filter(|size| size.file_bytes == file_bytes)?;
        Some(size.memory_bytes)
    }

    /// Notes what `id` was measured to take; the most counts.
    pub(super) fn note(&mut self, id: &ModelId, file_bytes: u64, memory_bytes: u64) {
        let before = self.memory_bytes(id, file_bytes).unwrap_or(0);
        if memory_bytes > before && (self.sizes.len() < MOST_MODELS || self.sizes.contains_key(id)) {
            self.sizes.insert(id.clone(), Size { file_bytes, memory_bytes });
            self.unsaved = true;
        }
    }

    /// What is to be written, and where; none when nothing is new.
    pub(super) fn unsaved(&mut self) -> Option<Save> {
        let file = self.file.clone().filter(|_| std::mem::take(&mut self.unsaved))?;
        Some(Save { file, sizes: self.sizes.clone() })
    }
}

/// A file to be written, outside the lock.
pub(super) struct Save {
    file: PathBuf,
    sizes: BTreeMap<ModelId, Size>,
}

impl Save {
    /// Writes it whole or not at all. What other workers wrote there meanwhile is kept; of two sizes the larger.
    pub(super) fn write(mut self) {
        for (id, size) in load(&self.file) {
            let own = self.sizes.entry(id).or_insert(size);
            if own.file_bytes == size.file_bytes {
                own.memory_bytes = own.memory_bytes.max(size.memory_bytes);
            }
        }
        if let Err(error) = self.replace() {
            tracing::warn!(file = %self.file.display(), %error, "the sizes of models could not be remembered; they are measured anew at the next start");
        }
    }

    fn replace(&self) -> std::io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut fresh = self.file.clone();
        fresh.as_mut_os_string().push(format!(".{}", std::process::id()));
        let json = serde_json::to_vec_pretty(&self.sizes).map_err(std::io::Error::other)?;
        std::fs::File::create(&fresh)?.write_all(&json)?;
        std::fs::rename(&fresh, &self.file)
    }
}

fn load(file: &Path) -> BTreeMap<ModelId, Size> {
    let text = std::fs::read(file).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_a_model_took_is_remembered_until_its_files_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache/sizes.json");
        let (a, b) = (ModelId::from("a"), ModelId::from("b"));
        let mut one = Remembered::read(Some(file.clone()));
        one.note(&a, 10, 100);
        one.note(&a, 10, 90);
        one.unsaved().unwrap().write();
        assert!(one.unsaved().is_none(), "nothing is new");
        // Another worker, which began before.
        let mut other = Remembered::read(None);
        other.file = Some(file.clone());
        other.note(&b, 5, 7);
        other.note(&a, 10, 80);
        other.unsaved().unwrap().write();
        let next = Remembered::read(Some(file.clone()));
        assert_eq!((next.memory_bytes(&a, 10), next.memory_bytes(&b, 5)), (Some(100), Some(7)));
        assert_eq!(next.memory_bytes(&a, 11), None);
        std::fs::write(&file, b"not json").unwrap();
        assert_eq!(Remembered::read(Some(file)).memory_bytes(&a, 10), None);
    }
}
