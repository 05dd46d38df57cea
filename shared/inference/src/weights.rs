//! The files that the weights of graphs are in, where those are not in the graphs themselves. Rule: what a graph may load counts,
//! whatever it is called: in the model's size, in its digest, and in how its files stand.

use std::collections::{BTreeSet, HashMap};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use millrace_onnx::external_files;

use crate::layout;

/// Graphs that are remembered; more than any worker looks at.
const MOST_GRAPHS: usize = 4096;

/// What graphs say of where their weights are. Cheap to clone; all clones remember the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named(Arc<Mutex<HashMap<PathBuf, Said>>>);

/// What a graph said, and how it stood then.
#[derive(Debug, Clone)]
struct Said {
    bytes: u64,
    /// None where the file system does not say: it is read each time then.
    modified: Option<SystemTime>,
    names: Arc<BTreeSet<String>>,
}

impl Named {
    /// The files of weights of `graphs` that are there: those beside them that are called so, and those that they name.
    ///
    /// # Errors
    /// A graph that cannot be read. One that is none names no files: whoever loads it says what is wrong with it.
    pub(crate) fn files(&self, graphs: &[&Path]) -> std::io::Result<BTreeSet<PathBuf>> {
        let mut files = BTreeSet::new();
        for graph in graphs {
            files.extend(beside(graph));
            let named = self.by(graph)?;
            files.extend(named.iter().map(|name| graph.with_file_name(name)).filter(|path| path.is_file()));
        }
        files.retain(|path| !graphs.contains(&path.as_path()));
        Ok(files)
    }

    /// The names that the graph gives. It is read once for as long as it stays as it is: thousands of fields take their time.
    fn by(&self, graph: &Path) -> std::io::Result<Arc<BTreeSet<String>>> {
        let metadata = std::fs::metadata(graph)?;
        let (bytes, modified) = (metadata.len(), metadata.modified().ok());
        if let Some(said) = self.lock().get(graph)
            && modified.is_some()
            && (said.bytes, said.modified) == (bytes, modified)
        {
            return Ok(Arc::clone(&said.names));
        }
        let names = match external_files(graph) {
            Err(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
                tracing::debug!(file = %graph.display(), %error, "a graph does not say where its weights are");
                BTreeSet::new()
            }
            read => read?,
        };
        let names = Arc::new(names);
        let mut all = self.lock();
        if all.len() >= MOST_GRAPHS {
            all.clear();
        }
        all.insert(graph.to_owned(), Said { bytes, modified, names: Arc::clone(&names) });
        Ok(names)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Said>> {
        // One insertion: nothing can be left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files in the graph's folder that are called as weights are.
fn beside(graph: &Path) -> Vec<PathBuf> {
    let is_weights =
        |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(layout::is_weights);
    let beside = graph.parent().and_then(|folder| std::fs::read_dir(folder).ok());
    beside.into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_weights).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use millrace_contracts::ModelDigest;
    use millrace_onnx::Graph;

    use crate::Repository;
    use crate::digest::digest_of;

    /// A graph with its weights in `files`.
    fn graph(files: &[&str]) -> Vec<u8> {
        let mut graph = Graph::new("g");
        for file in files {
            graph.external(&format!("of {file}"), &[3], file);
        }
        graph.encode()
    }

    #[test]
    fn weights_count_whatever_the_graph_calls_them() {
        let folder = tempfile::tempdir().unwrap();
        let (repository, model) = (Repository::new(folder.path()), folder.path().join("m"));
        std::fs::create_dir_all(model.join("onnx/sub")).unwrap();
        let write = |file: &str, bytes: &[u8]| std::fs::write(model.join("onnx").join(file), bytes).unwrap();
        let now = || -> (u64, ModelDigest, _) {
            let files = repository.find(&"m".into()).unwrap();
            (files.bytes, digest_of(&files).unwrap(), repository.stamp(&"m".into()))
        };
        let graph = graph(&["weights.bin", "sub/layer", "./model.onnx_data", "model.onnx", "missing", ""]);
        write("model.onnx", &graph);
        write("model.onnx_data", &[1; 5]);
        let alone = now();
        assert_eq!(alone.0, graph.len() as u64 + 5, "each file counts once");
        write("weights.bin", &[1; 70]);
        let first = now();
        write("sub/layer", &[1; 900]);
        let second = now();
        assert_eq!((first.0, second.0), (alone.0 + 70, alone.0 + 970));
        write("weights.bin", &[2; 70]);
        let file = std::fs::File::options().write(true).open(model.join("onnx/weights.bin")).unwrap();
        file.set_modified(std::time::SystemTime::now() + Duration::from_secs(60)).unwrap();
        let third = now();
        for (one, other) in [(&alone, &first), (&first, &second), (&second, &third)] {
            assert!(one.1 != other.1 && one.2 != other.2);
        }
    }

    #[test]
    fn a_graph_that_changed_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let (repository, model) = (Repository::new(folder.path()), folder.path().join("m"));
        std::fs::create_dir(&model).unwrap();
        std::fs::write(model.join("one"), [1; 70]).unwrap();
        std::fs::write(model.join("other.bin"), [1; 900]).unwrap();
        let size = |graph: &[u8]| {
            std::fs::write(model.join("model.onnx"), graph).unwrap();
            repository.find(&"m".into()).unwrap().bytes - graph.len() as u64
        };
        assert_eq!(size(&graph(&["one"])), 70);
        assert_eq!(size(&graph(&["other.bin"])), 900);
        assert_eq!(size(b"no graph"), 0);
    }
}
