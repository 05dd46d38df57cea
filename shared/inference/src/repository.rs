//! The model repository: a folder with one folder per model, as people have them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millrace_contracts::ModelId;
use millrace_contracts::model::{is_address, is_model_name};
use sha2::{Digest, Sha256};

use crate::layout::{self, GRAPHS};
use crate::weights::Named;
use crate::{InferenceError, Overrides, Part};

const MOST_FOLDERS: usize = 4;
/// From this on two names are alike, 0 to 1.
const ALIKE: f64 = 0.5;

/// A folder of models.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// None where somebody puts every model in its place.
    folder: Option<PathBuf>,
    /// Where models by URL are kept; none where there are none.
    downloads: Option<PathBuf>,
    /// Models from elsewhere: where somebody has put each. Shared by all clones.
    placed: Arc<Mutex<HashMap<ModelId, PathBuf>>>,
    /// Where graphs say that their weights are.
    named: Named,
}

/// A model on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// Its name.
    pub id: ModelId,
    /// Its folder.
    pub folder: PathBuf,
    /// The ONNX file.
    pub graph: PathBuf,
    /// Further graphs of the same model, with what they are in it.
    pub companions: Vec<(Part, PathBuf)>,
    /// Files of weights: those beside the ONNX files that are called so (`*.onnx_data`, `*.data`), and those that they name.
    pub weights: Vec<PathBuf>,
    /// Size of the ONNX files and of their weights, bytes.
    pub bytes: u64,
}

impl Repository {
    /// The repository in `folder`. It need not exist yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..Self::default() }
    }

    /// A repository that is elsewhere, such as in an object store: it has what somebody has put in its place.
    #[must_use]
    pub fn elsewhere() -> Self {
        Self::default()
    }

    /// The same, with models by URL in `folder`, where somebody has downloaded them to [`download_folder`] and says
    /// where else they came to later.
    #[must_use]
    pub fn with_downloads(self, folder: impl Into<PathBuf>) -> Self {
        Self { downloads: Some(folder.into()), ..self }
    }

    /// Notes that the model `id`, which came from elsewhere, is in `folder`, which is whole. Whether that is news: what is loaded of it
    /// is then another copy.
    pub(crate) fn place(&self, id: &ModelId, folder: &Path) -> bool {
        let mut placed = self.lock_placed();
        let own =
            self.downloads.as_ref().filter(|_| is_url(id)).map(|folder| download_folder(folder, id.as_str()));
        if own.as_deref() == Some(folder) {
            // It is looked for there in any case.
            return placed.remove(id).is_some();
        }
        let before = placed.insert(id.clone(), folder.to_owned()).or(own);
        before.as_deref() != Some(folder)
    }

    /// Takes the model `id` out of the place that somebody put it in. What is loaded of it is for the caller to give up.
    pub fn unplace(&self, id: &ModelId) {
        self.lock_placed().remove(id);
    }

    fn placed(&self, id: &ModelId) -> Option<PathBuf> {
        self.lock_placed().get(id).cloned()
    }

    fn lock_placed(&self) -> MutexGuard<'_, HashMap<ModelId, PathBuf>> {
        // One insertion or removal: nothing can be left half changed.
        self.placed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds a model's files.
    ///
    /// # Errors
    /// [`InferenceError::InvalidModelId`] before a path is touched, [`InferenceError::ModelNotFound`],
    /// [`InferenceError::FileMissing`] for a graph that is named and not there, [`InferenceError::Load`] for one that cannot be
    /// read.
    pub fn find(&self, id: &ModelId) -> Result<ModelFiles, InferenceError> {
        let folder = match &self.downloads {
            Some(downloads) if is_url(id) => {
                self.placed(id).unwrap_or_else(|| download_folder(downloads, id.as_str()))
            }
            _ => {
                validate_model_id(id)?;
                let own = || self.folder.as_ref().map(|folder| folder.join(id.as_str()));
                let looked_for = || "it does not exist in the model repository".to_owned();
                let missing = || InferenceError::ModelNotFound { id: id.clone(), looked_for: looked_for() };
                self.placed(id).or_else(own).ok_or_else(missing)?
            }
        };
        let chosen = chosen_in(id, &folder)?.map(|graph| (graph, Vec::new()));
        let Some((graph, companions)) = chosen.or_else(|| graphs_in(&folder)) else {
            let looked_for = self.missing(id, &folder);
            return Err(InferenceError::ModelNotFound { id: id.clone(), looked_for });
        };
        let graphs: Vec<&Path> = std::iter::once(&graph)
            .chain(companions.iter().map(|(_, graph)| graph))
            .map(AsRef::as_ref)
            .collect();
        let unreadable = |error: std::io::Error| InferenceError::Load {
            id: id.clone(),
            detail: format!("its graph cannot be read: {error}"),
        };
        let weights: Vec<PathBuf> = self.named.files(&graphs).map_err(unreadable)?.into_iter().collect();
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let bytes = graphs.into_iter().chain(weights.iter().map(AsRef::as_ref)).map(size).sum();
        Ok(ModelFiles { id: id.clone(), folder, graph, companions, weights, bytes })
    }

    /// What is missing of a model, and which one may have been meant.
    fn missing(&self, id: &ModelId, folder: &Path) -> String {
        if folder.is_dir() {
            return format!(
                "{id}/{} or {id}/{} does not exist in the model repository, nor is there one ONNX file only; name \
                 one as `graph` in its millrace.toml",
                GRAPHS[0], GRAPHS[1]
            );
        }
        let models = self.list();
        let alike = |model: &&ModelId| strsim::normalized_damerau_levenshtein(id.as_str(), model.as_str());
        let closest = models.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
        let hint = closest.filter(|model| alike(model) >= ALIKE);
        let hint = hint.map_or_else(String::new, |model| format!("; did you mean \"{model}\"?"));
        format!("it does not exist in the model repository{hint}")
    }

    /// The ids of all models, in alphabetical order. Folders that cannot be read are passed over.
    #[must_use]
    pub fn list(&self) -> Vec<ModelId> {
        let mut found = Vec::new();
        if let Some(folder) = &self.folder {
            self.collect(folder, "", 1, &mut found);
        }
        found.sort();
        found
    }

    fn collect(&self, folder: &Path, prefix: &str, depth: usize, found: &mut Vec<ModelId>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let id = ModelId::from(format!("{prefix}{name}"));
            if !entry.path().is_dir() || validate_model_id(&id).is_err() {
                continue;
            }
            let folder = entry.path();
            let is_whole = layout::graphs(|graph| folder.join(graph).is_file()).is_some()
                || matches!(chosen_in(&id, &folder), Ok(Some(_)));
            // A graph of another name hides nothing: it may lie there by chance.
            if !is_whole && depth < MOST_FOLDERS {
                self.collect(&folder, &format!("{id}/"), depth + 1, found);
            }
            if is_whole || graphs_in(&folder).is_some() {
                found.push(id);
            }
        }
    }
}

/// The graph that the model's owner names.
fn chosen_in(id: &ModelId, folder: &Path) -> Result<Option<PathBuf>, InferenceError> {
    let Some(graph) = Overrides::read(id, folder)?.graph else { return Ok(None) };
    let path = folder.join(&graph);
    if path.is_file() {
        return Ok(Some(path));
    }
    let need = "its millrace.toml names it as its graph".to_owned();
    Err(InferenceError::FileMissing { id: id.clone(), file: graph, need })
}

/// Whether a model's id is an address.
#[must_use]
pub fn is_url(id: &ModelId) -> bool {
    is_address(id.as_str())
}

/// The folder below `downloads` of what is fetched as `what`, a model's address or its registration: its name says nothing,
/// so that no address can name another place.
#[must_use]
pub fn download_folder(downloads: &Path, what: &str) -> PathBuf {
    downloads.join(hex::encode(&Sha256::digest(what)[..16]))
}

/// The graphs of the model in `folder`: the main one, and its companions.
fn graphs_in(folder: &Path) -> Option<(PathBuf, Vec<(Part, PathBuf)>)> {
    let Some((main, beside)) = layout::graphs(|graph| folder.join(graph).is_file()) else {
        let names = names_in(folder, "").chain(names_in(&folder.join("onnx"), "onnx/")).collect::<Vec<_>>();
        let lone = layout::lone_graph(folder.to_str()?, names.iter().map(String::as_str));
        return lone.map(|graph| (folder.join(graph), vec![]));
    };
    let beside = beside.into_iter().map(|(part, graph)| (part, folder.join(graph))).collect();
    Some((folder.join(main), beside))
}

/// The names of the files in a folder, behind a prefix.
fn names_in(folder: &Path, prefix: &'static str) -> impl Iterator<Item = String> {
    let files =
        std::fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_file());
    files.filter_map(move |entry| entry.file_name().to_str().map(|name| format!("{prefix}{name}")))
}

/// Refuses ids that are not plain names or plain relative paths: no absolute path, no `..`, no hidden folder, nothing a
/// shell or a file system treats specially.
///
/// # Errors
/// [`InferenceError::InvalidModelId`].
pub fn validate_model_id(id: &ModelId) -> Result<(), InferenceError> {
    if is_model_name(id.as_str()) {
        return Ok(());
    }
    Err(InferenceError::InvalidModelId { id: id.as_str().chars().take(80).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_could_leave_the_repository_are_refused() {
        for id in ["shapes-detector", "acme/defects-v3", "a/b/c/d", "yolo11n.v2_x", "_x"] {
            assert!(validate_model_id(&id.into()).is_ok(), "{id}");
        }
        let long = "x".repeat(201);
        let wrong = [
            "",
            "/",
            "..",
            "../x",
            "a/../b",
            "/etc/passwd",
            "a//b",
            "a/",
            "./a",
            ".hidden",
            "a/.git",
            "a\\b",
            "a b",
            "a\0b",
            "C:x",
            "~root",
            "a/b/c/d/e",
            "ü",
            "-rf",
            &long,
        ];
        for id in wrong {
            assert!(
                matches!(validate_model_id(&id.into()), Err(InferenceError::InvalidModelId { .. })),
                "{id:?}"
            );
        }
    }

    #[test]
    fn towers_are_preferred_to_the_graph_that_does_both() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, b"123").unwrap();
        };
        write("two/onnx/model.onnx");
        write("two/onnx/vision_model.onnx");
        let repository = Repository::new(folder.path());
        let graphs = |id: &str| {
            let files = repository.find(&id.into()).unwrap();
            let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
            let companions: Vec<(Part, String)> =
                files.companions.iter().map(|(part, path)| (*part, name(path))).collect();
            (name(&files.graph), companions, files.bytes)
        };
        assert_eq!(graphs("two"), ("model.onnx".to_owned(), vec![], 3));
        write("two/onnx/text_model.onnx");
        let both = vec![(Part::Text, "text_model.onnx".to_owned())];
        assert_eq!(graphs("two"), ("vision_model.onnx".to_owned(), both, 6));
        write("texts/text_model.onnx");
        assert_eq!(graphs("texts"), ("text_model.onnx".to_owned(), vec![], 3));
        assert_eq!(repository.list().len(), 2);
    }

    #[test]
    fn all_layouts_are_found_and_listed() {
        let folder = tempfile::tempdir().unwrap();
        for graph in [
            "plain/model.onnx",
            "acme/hub/onnx/model.onnx",
            ".hidden/model.onnx",
            "named/exports/best.onnx",
            "export/yolo11n.onnx",
            "variant/onnx/model_quantized.onnx",
            "several/onnx/model_fp16.onnx",
            "several/onnx/model_q4.onnx",
            "two/best.onnx",
            "two/onnx/best_int8.onnx",
            "vendor/yolo11n.onnx",
            "vendor/clip/onnx/model.onnx",
        ] {
            let path = folder.path().join(graph);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, b"12345").unwrap();
        }
        std::fs::write(folder.path().join("acme/hub/onnx/model.onnx_data"), b"1234567").unwrap();
        std::fs::write(folder.path().join("named/millrace.toml"), "graph = \"exports/best.onnx\"").unwrap();
        std::fs::create_dir(folder.path().join("empty")).unwrap();
        let repository = Repository::new(folder.path());
        let ids: Vec<String> = repository.list().iter().map(ToString::to_string).collect();
        assert_eq!(ids, ["acme/hub", "export", "named", "plain", "variant", "vendor", "vendor/clip"]);
        assert_eq!(repository.find(&"plain".into()).unwrap().bytes, 5);
        assert!(repository.find(&"export".into()).unwrap().graph.ends_with("yolo11n.onnx"));
        let several = repository.find(&"several".into()).unwrap_err();
        assert!(several.to_string().contains("`graph` in its millrace.toml"), "{several}");
        let hub = repository.find(&"acme/hub".into()).unwrap();
        assert_eq!(hub.bytes, 12);
        assert!(hub.graph.ends_with("onnx/model.onnx"));
        for missing in ["empty", "nobody"] {
            let error = repository.find(&missing.into()).unwrap_err();
            assert!(matches!(error, InferenceError::ModelNotFound { .. }), "{error}");
        }
    }
    #[test]
    fn what_was_put_in_its_place_is_found_there_until_it_is_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        for graph in ["own/model.onnx", "first/model.onnx", "second/model.onnx"] {
            let path = folder.path().join(graph);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, b"12345").unwrap();
        }
        let (repository, id) = (Repository::new(folder.path()), ModelId::from("own"));
        let at = |name: &str| folder.path().join(name);
        let places = ["first", "first", "second"].map(|name| repository.place(&id, &at(name)));
        assert_eq!(places, [true, false, true], "another place is news, the first one too");
        assert_eq!(repository.find(&id).unwrap().folder, at("second"));
        repository.unplace(&id);
        assert_eq!(repository.find(&id).unwrap().folder, at("own"));
    }

    #[test]
    fn a_model_by_url_is_where_it_came_first_until_it_is_put_elsewhere() {
        let (folder, id) = (tempfile::tempdir().unwrap(), ModelId::from("https://models.example/best.onnx"));
        let repository = Repository::elsewhere().with_downloads(folder.path());
        let (first, later) = (download_folder(folder.path(), id.as_str()), folder.path().join("later"));
        for folder in [&first, &later] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("model.onnx"), b"12345").unwrap();
        }
        let places = [&first, &later, &later, &first, &first].map(|place| {
            let is_news = repository.place(&id, place);
            (is_news, repository.find(&id).unwrap().folder == *place)
        });
        assert_eq!(places, [(false, true), (true, true), (false, true), (true, true), (false, true)]);
    }
}
