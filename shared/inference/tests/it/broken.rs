//! Models that cannot be loaded, each for its own reason and with its own kind.

use std::path::Path;

use millrace_contracts::ErrorKind;
use millrace_inference::{
    InferenceError, LoaderSettings, ModelLoader, Repository, SessionSettings, library_from_environment,
};
use millrace_onnx::{Attribute, Convnet, Element, Graph, Head, Side, convnet};

use crate::ORT_VERSION;

async fn load(folder: &Path, id: &str, max_bytes: u64) -> InferenceError {
    let loader = ModelLoader::new(LoaderSettings {
        library: library_from_environment(ORT_VERSION).unwrap(),
        repository: Repository::new(folder),
        max_bytes,
        sessions: SessionSettings::default(),
        serving: std::collections::HashMap::new(),
    });
    loader.load(&id.into()).await.unwrap_err()
}

fn put(folder: &Path, id: &str, file: &[u8]) {
    std::fs::create_dir_all(folder.join(id)).unwrap();
    std::fs::write(folder.join(id).join("model.onnx"), file).unwrap();
}

fn small() -> Vec<u8> {
    convnet(&Convnet { width: 2, size: 32, head: Head::Boxes { count: 2 }, ballast: 0, seed: 1 })
}

/// A graph of one node that no runtime knows.
fn unknown_operator() -> Vec<u8> {
    let mut graph = Graph::new("odd");
    let sides = [Side::Free("batch"), Side::Fixed(3)];
    graph.input("x", Element::F32, &sides).output("y", Element::F32, &sides);
    graph.node("org.example::Conjure", &["x"], "y", &[("mood", Attribute::Text("good"))]);
    graph.encode()
}

/// A classifier's graph whose batch axis is `rows` and that does not say how many classes it has.
fn free_classes(rows: Side) -> Vec<u8> {
    let mut graph = Graph::new("free");
    graph.input("pixel_values", Element::F32, &[rows, Side::Free("planes"), Side::Fixed(8), Side::Fixed(8)]);
    graph.output("logits", Element::F32, &[rows, Side::Free("planes")]);
    let mean = [("axes", Attribute::Ints(&[2, 3])), ("keepdims", Attribute::Int(0))];
    graph.node("ReduceMean", &["pixel_values"], "logits", &mean);
    graph.encode()
}

/// What a model says of itself is believed within bounds: memory for it would be asked for before anything fails.
#[tokio::test]
async fn numbers_that_nobody_can_mean_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let beside =
        |id: &str, name: &str, text: &str| std::fs::write(folder.path().join(id).join(name), text).unwrap();
    put(folder.path(), "labels", &free_classes(Side::Free("batch")));
    let config = r#"{"architectures": ["ViTForImageClassification"], "model_type": "vit", "num_labels": 100000000000}"#;
    beside("labels", "config.json", config);
    beside("labels", "preprocessor_config.json", r#"{"size": 8}"#);
    put(folder.path(), "rows", &free_classes(Side::Fixed(1_000_000)));
    for (id, words) in [("labels", "100000000000 classes"), ("rows", "1000000 rows")] {
        let error = load(folder.path(), id, u64::MAX).await;
        assert!(matches!(error, InferenceError::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn every_broken_model_says_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let whole = small();
    put(folder.path(), "corrupt", b"this is no protocol buffer");
    put(folder.path(), "truncated", &whole[..whole.len() / 2]);
    put(folder.path(), "empty", b"");
    put(folder.path(), "odd-operator", &unknown_operator());
    put(folder.path(), "good-detector", &whole);
    std::fs::create_dir_all(folder.path().join("no-graph")).unwrap();
    std::fs::write(folder.path().join("no-graph/config.json"), "{}").unwrap();
    let cases = [
        ("corrupt", u64::MAX, ErrorKind::ModelLoadError, "corrupt"),
        ("truncated", u64::MAX, ErrorKind::ModelLoadError, "truncated"),
        ("empty", u64::MAX, ErrorKind::ModelLoadError, "empty"),
        ("odd-operator", u64::MAX, ErrorKind::ModelLoadError, "Conjure"),
        ("good-detector", 100, ErrorKind::ModelLoadError, "the limit is 100"),
        ("no-graph", u64::MAX, ErrorKind::ModelNotFound, "no-graph/model.onnx"),
        ("god-detector", u64::MAX, ErrorKind::ModelNotFound, "did you mean \"good-detector\"?"),
        ("xyz", u64::MAX, ErrorKind::ModelNotFound, "does not exist"),
        ("https://example.org/model.onnx", u64::MAX, ErrorKind::InvalidConfig, "not a model id"),
    ];
    for (id, most, kind, words) in cases {
        let error = load(folder.path(), id, most).await;
        assert_eq!(error.kind(), kind, "{id}: {error}");
        assert!(error.to_string().contains(words), "{id}: {error}");
    }
}
