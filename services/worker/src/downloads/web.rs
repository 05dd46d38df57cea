//! A model at an address: one graph, or a folder of one, laid out as a repository's. Rule: what is looked for is what the same
//! folder in the repository would be read for, and the graphs come last but for the weights that they name.

use std::io;
use std::path::{Path, PathBuf};

use millrace_contracts::model::is_model_name;
use millrace_contracts::{ErrorKind, JobError};
use millrace_fetch::{FetchError, Wanted};
use millrace_inference::{BESIDE, GRAPHS, TOWERS};
use millrace_onnx::external_files;

use super::{Downloads, not_fetched, of_fetch};

/// A URL says what it must have with `#sha256=<hex>`, as Python's package installer does.
const DIGEST: &str = "sha256=";
/// Files of weights that a graph may have.
const MOST_WEIGHTS: usize = 256;

/// Where files come to, and where they came to before.
#[derive(Clone, Copy)]
struct Way<'a> {
    folder: &'a Path,
    before: Option<&'a Path>,
}

impl Downloads {
    /// Brings what is at `url` to `folder`. What came of it before, to the folder `before`, is taken where that is still the same.
    pub(super) async fn fetch(
        &self,
        url: &str,
        folder: &Path,
        before: Option<&Path>,
    ) -> Result<(), JobError> {
        let address = url.split_once('#').map_or(url, |(address, _)| address);
        let way = Way { folder, before };
        if !address.ends_with('/') {
            let sha256 = digest_of(url).map(str::to_owned);
            self.file(address, GRAPHS[0], sha256, way).await.map_err(|error| of_fetch(&error))?;
            let mut left = self.beyond([folder.join(GRAPHS[0])]);
            return self.weights(address, &folder.join(GRAPHS[0]), &mut left, before).await;
        }
        let graphs = self.graphs(address, way).await.map_err(|error| of_fetch(&error))?;
        let mut left = self.beyond(graphs.iter().map(|graph| folder.join(graph)));
        for graph in graphs {
            let before = before.and_then(|before| Some(before.join(graph).parent()?.to_owned()));
            let (address, file) = (format!("{address}{graph}"), folder.join(graph));
            self.weights(&address, &file, &mut left, before.as_deref()).await?;
        }
        Ok(())
    }

    async fn file(
        &self,
        address: &str,
        name: &str,
        sha256: Option<String>,
        way: Way<'_>,
    ) -> Result<(), FetchError> {
        let wanted = Wanted { url: address.to_owned(), sha256, max_bytes: self.max_bytes };
        let before = way.before.map(|folder| folder.join(name));
        self.wanted(&wanted, &way.folder.join(name), before.as_deref()).await
    }

    /// Brings the graphs of the folder at `address`, and the files beside them that families read.
    async fn graphs(&self, address: &str, way: Way<'_>) -> Result<Vec<&'static str>, FetchError> {
        // One that is there came when all but its weights was.
        if let Some(there) = GRAPHS[..2].iter().find(|graph| way.folder.join(graph).is_file()) {
            return Ok(vec![there]);
        }
        for name in BESIDE {
            self.if_there(address, name, way).await?;
        }
        for [vision, text] in TOWERS {
            // The text tower first: it is rarely there without the other one.
            if self.if_there(address, text, way).await? && self.if_there(address, vision, way).await? {
                return Ok(vec![vision, text]);
            }
        }
        for graph in GRAPHS {
            if self.if_there(address, graph, way).await? {
                return Ok(vec![graph]);
            }
        }
        // Once more, for what its host says of it.
        self.file(&format!("{address}{}", GRAPHS[0]), GRAPHS[0], None, way).await?;
        Ok(vec![GRAPHS[0]])
    }

    /// Whether the file is there; that it is not is no fault.
    async fn if_there(&self, address: &str, name: &str, way: Way<'_>) -> Result<bool, FetchError> {
        match self.file(&format!("{address}{name}"), name, None, way).await {
            Ok(()) => Ok(true),
            Err(FetchError::Status { status: 403 | 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Bytes that the weights of these graphs may have: a model may be as large as one file, not each of its files.
    pub(super) fn beyond(&self, graphs: impl IntoIterator<Item = PathBuf>) -> u64 {
        graphs.into_iter().fold(self.max_bytes, |left, graph| left.saturating_sub(size_of(&graph)))
    }

    /// Brings the files of weights that the graph in `file` names, from beside its `address`: as many bytes as are `left`. Those that
    /// came before are in the folder `before`.
    pub(super) async fn weights(
        &self,
        address: &str,
        file: &Path,
        left: &mut u64,
        before: Option<&Path>,
    ) -> Result<(), JobError> {
        for name in weights_of(file).await? {
            let weights = file.with_file_name(&name);
            let wanted = Wanted { url: beside(address, &name), sha256: None, max_bytes: *left };
            let before = before.map(|folder| folder.join(&name));
            self.wanted(&wanted, &weights, before.as_deref()).await.map_err(|error| {
                let error = of_fetch(&error);
                JobError { message: format!("{} (its weights are in {name})", error.message), ..error }
            })?;
            *left = left.saturating_sub(size_of(&weights));
        }
        Ok(())
    }
}

/// The files of weights that the graph in `file` names. Those that could be anywhere but beside it are refused.
pub(super) async fn weights_of(file: &Path) -> Result<Vec<String>, JobError> {
    let graph = file.to_owned();
    let read = tokio::task::spawn_blocking(move || external_files(&graph)).await;
    let named = match read.map_err(std::io::Error::other).and_then(|read| read) {
        Ok(named) => named,
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
            // Whoever loads it says what is wrong with it.
            tracing::debug!(file = %file.display(), %error, "a graph does not say where its weights are");
            return Ok(Vec::new());
        }
        // It may have weights all the same: what comes without them is not whole.
        Err(error) => return Err(of_fetch(&error.into())),
    };
    let refuse = |why: String| {
        Err(JobError::new(ErrorKind::ModelLoadError, format!("the model could not be fetched: {why}"))
            .at("/config/model_id"))
    };
    if named.len() > MOST_WEIGHTS {
        return refuse(format!(
            "its weights are in {} files, at most {MOST_WEIGHTS} are fetched",
            named.len()
        ));
    }
    if let Some(odd) = named.iter().find(|name| !is_model_name(name)) {
        let shown: String = odd.chars().take(80).collect();
        return refuse(format!("it says that its weights are in {shown:?}, which is no plain name"));
    }
    Ok(named.into_iter().collect())
}

/// What the SHA-256 of the graph at `url` must be, if that says so.
pub(super) fn digest_of(url: &str) -> Option<&str> {
    let (address, fragment) = url.split_once('#')?;
    fragment.strip_prefix(DIGEST).filter(|_| !address.ends_with('/'))
}

fn size_of(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |metadata| metadata.len())
}

/// The address of a file beside another one.
fn beside(address: &str, name: &str) -> String {
    let (path, query) = address.split_at(address.find('?').unwrap_or(address.len()));
    let folder = path.rfind('/').map_or(path, |at| &path[..=at]);
    format!("{folder}{name}{query}")
}

/// A fault of a registered model that names weights nobody has.
pub(super) fn without_weights(name: &str) -> JobError {
    let why = format!("its graph keeps weights in {name}, which is not registered among its files");
    not_fetched(ErrorKind::ModelLoadError, &std::io::Error::other(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_beside_their_graph_whatever_the_query() {
        for (address, expected) in [
            ("https://m.example/a/best.onnx", "https://m.example/a/w.data"),
            ("https://m.example/best.onnx?key=a/b", "https://m.example/w.data?key=a/b"),
            ("https://m.example/a/onnx/model.onnx", "https://m.example/a/onnx/w.data"),
        ] {
            assert_eq!(beside(address, "w.data"), expected);
        }
    }

    #[tokio::test]
    async fn only_what_is_no_graph_has_no_weights() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.onnx");
        std::fs::write(&file, b"this is no model").unwrap();
        assert!(weights_of(&file).await.unwrap().is_empty(), "whoever loads it says so");
        // It opens, and cannot be read.
        let error = weights_of(folder.path()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal, "{error}");
    }
}
