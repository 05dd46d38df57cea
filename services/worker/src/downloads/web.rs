//! A model at an address: one graph, or a folder of one, laid out as a repository's. Rule: what is looked for is what the same
//! folder in the repository would be read for, and the graphs come last but for the weights that they name.

use std::path::Path;

use millrace_contracts::model::is_model_name;
use millrace_contracts::{ErrorKind, JobError};
use millrace_fetch::FetchError;
use millrace_inference::{BESIDE, GRAPHS, TOWERS};
use millrace_onnx::external_files;

use super::{Downloads, not_fetched, of_fetch};

/// A URL says what it must have with `#sha256=<hex>`, as Python's package installer does.
const DIGEST: &str = "sha256=";
/// Files of weights that a graph may have.
const MOST_WEIGHTS: usize = 256;

impl Downloads {
    /// Brings what is at `url` to `folder`.
    pub(super) async fn fetch(&self, url: &str, folder: &Path) -> Result<(), JobError> {
        let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
        if !address.ends_with('/') {
            let sha256 = fragment.strip_prefix(DIGEST).map(str::to_owned);
            self.file(address, &folder.join(GRAPHS[0]), sha256).await.map_err(|error| of_fetch(&error))?;
            return self.weights(address, &folder.join(GRAPHS[0])).await;
        }
        for graph in self.graphs(address, folder).await.map_err(|error| of_fetch(&error))? {
            self.weights(&format!("{address}{graph}"), &folder.join(graph)).await?;
        }
        Ok(())
    }

    /// Brings the graphs of the folder at `address`, and the files beside them that families read.
    async fn graphs(&self, address: &str, folder: &Path) -> Result<Vec<&'static str>, FetchError> {
        // One that is there came when all but its weights was.
        if let Some(there) = GRAPHS[..2].iter().find(|graph| folder.join(graph).is_file()) {
            return Ok(vec![there]);
        }
        for name in BESIDE {
            self.if_there(address, name, folder).await?;
        }
        for [vision, text] in TOWERS {
            // The text tower first: it is rarely there without the other one.
            if self.if_there(address, text, folder).await? && self.if_there(address, vision, folder).await? {
                return Ok(vec![vision, text]);
            }
        }
        for graph in GRAPHS {
            if self.if_there(address, graph, folder).await? {
                return Ok(vec![graph]);
            }
        }
        // Once more, for what its host says of it.
        self.file(&format!("{address}{}", GRAPHS[0]), &folder.join(GRAPHS[0]), None).await?;
        Ok(vec![GRAPHS[0]])
    }

    /// Whether the file is there; that it is not is no fault.
    async fn if_there(&self, address: &str, name: &str, folder: &Path) -> Result<bool, FetchError> {
        match self.file(&format!("{address}{name}"), &folder.join(name), None).await {
            Ok(()) => Ok(true),
            Err(FetchError::Status { status: 403 | 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Brings the files of weights that the graph in `file` names, from beside its `address`.
    pub(super) async fn weights(&self, address: &str, file: &Path) -> Result<(), JobError> {
        for name in weights_of(file).await? {
            let fetched = self.file(&beside(address, &name), &file.with_file_name(&name), None).await;
            fetched.map_err(|error| {
                let error = of_fetch(&error);
                JobError { message: format!("{} (its weights are in {name})", error.message), ..error }
            })?;
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
        Err(error) => {
            // Whoever loads it says what is wrong with it.
            tracing::debug!(file = %file.display(), %error, "a graph does not say where its weights are");
            return Ok(Vec::new());
        }
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
}
