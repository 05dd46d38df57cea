//! Models that cannot be had, and what their errors say.

use std::collections::HashMap;

use millrace_contracts::{ErrorKind, ModelId};
use millrace_inference::{InferenceError, LoaderSettings, ModelLoader, Repository, SessionSettings};

use crate::{loader, loader_of, root};

async fn refused(loader: &ModelLoader, id: &str) -> InferenceError {
    loader.load(&ModelId::from(id)).await.map(|model| format!("{model:?}")).unwrap_err()
}

#[tokio::test]
async fn each_fault_has_its_kind() {
    let loader = loader();
    assert_eq!(refused(&loader, "nobody").await.kind(), ErrorKind::ModelNotFound);
    assert_eq!(refused(&loader, "../models/shapes-detector").await.kind(), ErrorKind::InvalidConfig);
    assert_eq!(refused(&loader, "/etc").await.kind(), ErrorKind::InvalidConfig);
}

#[tokio::test]
async fn a_file_that_is_no_graph_does_not_load() {
    let folder = tempfile::tempdir().unwrap();
    let graph = std::fs::read(root().join("models/shapes-detector/model.onnx")).unwrap();
    for (id, bytes) in
        [("text", &b"this is not a graph"[..]), ("empty", &[]), ("cut", &graph[..graph.len() / 2])]
    {
        std::fs::create_dir(folder.path().join(id)).unwrap();
        std::fs::write(folder.path().join(id).join("model.onnx"), bytes).unwrap();
    }
    let loader = loader_of(folder.path().to_owned(), SessionSettings::default());
    for id in ["text", "empty", "cut"] {
        let error = refused(&loader, id).await;
        assert_eq!(error.kind(), ErrorKind::ModelLoadError, "{id}: {error}");
        assert!(error.to_string().contains(id), "{error}");
    }
}

#[tokio::test]
async fn a_missing_library_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libonnxruntime.so");
    let repository = Repository::new(root().join("models"));
    let settings = LoaderSettings {
        library,
        repository,
        max_bytes: 1 << 30,
        sessions: SessionSettings::default(),
        serving: HashMap::new(),
    };
    // Each test is a process of its own, so nothing has loaded the library yet.
    let error = refused(&ModelLoader::new(settings), "shapes-detector").await;
    assert!(matches!(error, InferenceError::LibraryMissing { .. }), "{error}");
    assert!(
        error.to_string().contains("scripts/setup.sh") && error.to_string().contains("ORT_DYLIB_PATH"),
        "{error}"
    );
}

#[tokio::test]
async fn a_model_larger_than_allowed_is_refused_unread() {
    let library = folder_without_library();
    let repository = Repository::new(root().join("models"));
    let settings = LoaderSettings {
        library,
        repository,
        max_bytes: 1000,
        sessions: SessionSettings::default(),
        serving: HashMap::new(),
    };
    let error = refused(&ModelLoader::new(settings), "shapes-detector").await;
    assert!(error.to_string().contains("the limit is 1000"), "{error}");
}

fn folder_without_library() -> std::path::PathBuf {
    "/nonexistent/libonnxruntime.so".into()
}
