//! How a model's files stand: what tells, without reading them, that they are not what they were.

use std::path::PathBuf;
use std::time::SystemTime;

use millrace_contracts::ModelId;

use crate::Repository;
use crate::digest::files_of;

/// Size and time of every file that has a say in what a model answers. Another stamp may mean another copy; its digest tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, u64, Option<SystemTime>)>);

impl Repository {
    /// How the files of `id` stand now; none where there is no such model. Asks the disk: not for the async runtime.
    #[must_use]
    pub fn stamp(&self, id: &ModelId) -> Option<Stamp> {
        let paths = files_of(&self.find(id).ok()?);
        let stand = |path: PathBuf| {
            let metadata = std::fs::metadata(&path).ok()?;
            Some((path, metadata.len(), metadata.modified().ok()))
        };
        Some(Stamp(paths.into_iter().filter_map(stand).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_model_stands_as_it_did_until_a_file_of_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (repository, model) = (Repository::new(folder.path()), folder.path().join("m"));
        let stamp = || repository.stamp(&"m".into());
        assert_eq!(stamp(), None);
        std::fs::create_dir(&model).unwrap();
        std::fs::write(model.join("model.onnx"), "graph").unwrap();
        let first = stamp();
        assert!(first.is_some());
        std::fs::write(model.join("README.md"), "about it").unwrap();
        assert_eq!(stamp(), first, "nothing reads it");

        std::fs::write(model.join("millrace.toml"), "labels = [\"a\"]").unwrap();
        let second = stamp();
        assert_ne!(second, first, "a file was added");
        let graph = File::options().write(true).open(model.join("model.onnx")).unwrap();
        graph.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
        let third = stamp();
        assert_ne!(third, second, "written again, of the same size");
        std::fs::write(model.join("model.onnx_data"), "weights").unwrap();
        assert_ne!(stamp(), third);
    }
}
