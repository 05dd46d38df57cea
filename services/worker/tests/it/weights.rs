//! Models from elsewhere whose weights are in files beside the graph, and folders of more than one graph.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use bytes::Bytes;
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_contracts::model::{Origin, RegisteredModel};
use millrace_contracts::{ErrorKind, Job};
use millrace_onnx::{Element, Graph, Side};
use serde_json::{Map, Value, json};

use crate::desk::{Desk, Running, on};
use crate::goldens;

/// `y = x · factors`, with the factors in `file` beside the graph.
fn graph(file: &str) -> Vec<u8> {
    let mut graph = Graph::new("scale");
    graph.input("x", Element::F32, &[Side::Free("rows"), Side::Fixed(3)]);
    graph.external("factors", &[3], file);
    graph.node("Mul", &["x", "factors"], "y", &[]);
    graph.output("y", Element::F32, &[Side::Free("rows"), Side::Fixed(3)]);
    graph.encode()
}

fn factors() -> Vec<u8> {
    [2.0_f32, 3.0, 4.0].iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Serves `files`, and under `goldens/` the models that the tests know the answers of; its address.
async fn server(files: BTreeMap<&'static str, Vec<u8>>) -> String {
    drop(rustls::crypto::ring::default_provider().install_default());
    let found = move |Path(path): Path<String>| {
        let golden = path.strip_prefix("goldens/").and_then(|path| std::fs::read(goldens().join(path)).ok());
        let found = files.get(path.as_str()).cloned().or(golden);
        async move { found.ok_or(StatusCode::NOT_FOUND) }
    };
    let routes = Router::new().route("/{*path}", get(found));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

fn models(downloads: &std::path::Path) -> millrace_config::Models {
    millrace_config::Models {
        dir: goldens().into(),
        downloads: downloads.to_owned(),
        allowed_hosts: vec!["127.0.0.1".to_owned()],
        ..millrace_config::Models::default()
    }
}

async fn worker(desk: &Desk, downloads: &std::path::Path) -> Running {
    desk.worker_with(models(downloads)).await
}

fn of(mut job: Job, source: &str) -> Job {
    if let Some(model) = &mut job.model {
        source.clone_into(&mut model.source);
    }
    job
}

fn scaled(id: &str, source: &str) -> Job {
    let inputs = json!({"tensors": {"x": [[1, 2, 3]]}});
    of(Desk::job("tensor@1", inputs, json!({"model_id": id})), source)
}

fn twelve() -> Value {
    json!({"y": {"shape": [1, 3], "dtype": "float32", "data": [2.0, 6.0, 12.0]}})
}

#[tokio::test]
async fn a_model_by_url_comes_with_the_files_of_its_weights() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let files = [
        ("best.onnx", graph("best.onnx_data")),
        ("best.onnx_data", factors()),
        ("hub/onnx/model.onnx", graph("model.onnx_data")),
        ("hub/onnx/model.onnx_data", factors()),
        ("lone.onnx", graph("lone.onnx_data")),
        ("evil.onnx", graph("../../evil.data")),
    ];
    let server = server(files.into()).await;
    let worker = worker(&desk, downloads.path()).await;
    for path in ["best.onnx", "best.onnx?key=1", "hub/"] {
        let done = desk.run(scaled(&format!("{server}/{path}"), "url")).await.unwrap();
        assert_eq!(done.outputs["outputs"], twelve(), "{path}");
    }
    for (path, kind, words) in [
        ("lone.onnx", ErrorKind::ModelNotFound, "its weights are in lone.onnx_data"),
        ("evil.onnx", ErrorKind::ModelLoadError, "no plain name"),
    ] {
        let error = desk.run(scaled(&format!("{server}/{path}"), "url")).await.unwrap_err();
        assert_eq!((error.kind, error.pointer.as_deref()), (kind, Some("/config/model_id")), "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn other_weights_are_another_copy_whatever_they_are_called() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let others: Vec<u8> = [3.0_f32; 3].iter().flat_map(|number| number.to_le_bytes()).collect();
    let files = [
        ("one/best.onnx", graph("weights.bin")),
        ("one/weights.bin", factors()),
        ("other/best.onnx", graph("weights.bin")),
        ("other/weights.bin", others),
    ];
    let server = server(files.into()).await;
    let worker = worker(&desk, downloads.path()).await;
    let one = desk.run(scaled(&format!("{server}/one/best.onnx"), "url")).await.unwrap();
    let other = desk.run(scaled(&format!("{server}/other/best.onnx"), "url")).await.unwrap();
    assert_eq!(one.outputs["outputs"], twelve());
    assert_ne!(other.outputs["outputs"], twelve());
    assert_ne!(one.metrics.model_digest, other.metrics.model_digest);
    worker.stop().await;
}

#[tokio::test]
async fn a_model_may_be_as_large_as_a_file_of_it_may_be_alone() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let mut two = Graph::new("scale");
    two.input("x", Element::F32, &[Side::Free("rows"), Side::Fixed(3)]);
    two.external("factors", &[3], "one.data").external("more", &[3], "two.data");
    two.node("Mul", &["x", "factors"], "y", &[]);
    two.output("y", Element::F32, &[Side::Free("rows"), Side::Fixed(3)]);
    let large = || vec![0; 40 << 10];
    let files = [("m.onnx", two.encode()), ("one.data", large()), ("two.data", large())];
    let server = server(files.into()).await;
    let max_file = millrace_config::ByteSize::kib(64);
    let worker = desk.worker_with(millrace_config::Models { max_file, ..models(downloads.path()) }).await;
    let error = desk.run(scaled(&format!("{server}/m.onnx"), "url")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ModelLoadError, "{error}");
    assert!(error.message.contains("(its weights are in two.data)"), "{error}");
    worker.stop().await;
}

#[tokio::test]
async fn a_folder_of_two_towers_by_url_gives_what_the_same_folder_on_disk_gives() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let server = server(BTreeMap::new()).await;
    let worker = worker(&desk, downloads.path()).await;
    let image = desk.image(std::fs::read(goldens().join("images/coffee.jpg")).unwrap()).await;
    let job =
        |id: &str, source: &str| of(Desk::job("embedding@1", on(&image), json!({"model_id": id})), source);
    let expected = desk.run(job("clip-tiny", "pretrained")).await.unwrap();
    let fetched = desk.run(job(&format!("{server}/goldens/clip-tiny/"), "url")).await.unwrap();
    assert_eq!(fetched.metrics.model_digest, expected.metrics.model_digest, "the same files, the same copy");
    let vector = |outputs: &Map<String, Value>| outputs["embedding"].clone();
    assert_eq!(vector(&fetched.outputs), vector(&expected.outputs));
    worker.stop().await;
}

#[tokio::test]
async fn a_registered_model_has_the_files_of_its_weights() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let files = [("far.onnx", graph("far.onnx_data")), ("far.onnx_data", factors())];
    let server = server(files.into()).await;
    let stored = async |bytes: Vec<u8>| Origin::Blob(desk.blobs.put(Bytes::from(bytes)).await.unwrap());
    let registered = |id: &str, checkpoint: Origin, files: &[(&str, Origin)]| RegisteredModel {
        id: id.into(),
        source: "trained".into(),
        task: "raw tensors".into(),
        family: None,
        labels: Vec::new(),
        checkpoint,
        sha256: None,
        files: files.iter().map(|(name, origin)| ((*name).to_owned(), origin.clone())).collect(),
        preprocess: Map::new(),
        image: None,
        registered_at: None,
    };
    let checkpoint = stored(graph("model.onnx_data")).await;
    let weights = stored(factors()).await;
    let whole = registered("whole", checkpoint.clone(), &[("model.onnx_data", weights)]);
    let half = registered("half", checkpoint, &[]);
    let far = registered("far", Origin::Url(format!("{server}/far.onnx")), &[]);
    desk.bus.put_models(&[whole, half, far], true).await.unwrap();
    let worker = worker(&desk, downloads.path()).await;
    for id in ["whole", "far"] {
        let done = desk.run(scaled(id, "trained")).await.unwrap();
        assert_eq!(done.outputs["outputs"], twelve(), "{id}");
    }
    let error = desk.run(scaled("half", "trained")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ModelLoadError, "{error}");
    assert!(error.message.contains("model.onnx_data, which is not registered among its files"), "{error}");
    worker.stop().await;
}

/// In the blob store no file of a model has to be as small as other blobs are.
#[tokio::test]
async fn a_registered_model_may_be_larger_than_what_is_read_from_the_blob_store_at_once() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let settings = BlobsSettings::new(desk.folder.path().to_str().unwrap());
    desk.blobs = Blobs::open(&BlobsSettings { max_blob_bytes: 64 << 10, ..settings }).unwrap();
    let stored = async |bytes: Vec<u8>| {
        let pieces = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
        Origin::Blob(desk.blobs.put_stream_within(pieces, 8 << 20).await.unwrap())
    };
    let mut large = factors();
    large.resize(4 << 20, 0);
    let [checkpoint, weights] = [stored(graph("model.onnx_data")).await, stored(large).await];
    let model = RegisteredModel {
        files: [("model.onnx_data".to_owned(), weights)].into(),
        ..crate::registered::registered("large", checkpoint)
    };
    desk.bus.put_models(&[model], true).await.unwrap();
    let worker = worker(&desk, downloads.path()).await;
    let done = desk.run(scaled("large", "trained")).await.unwrap();
    assert_eq!(done.outputs["outputs"], twelve());
    worker.stop().await;

    // On the next machine, where a file may have less.
    let downloads = tempfile::tempdir().unwrap();
    let max_file = millrace_config::ByteSize::mib(1);
    let worker = desk.worker_with(millrace_config::Models { max_file, ..models(downloads.path()) }).await;
    let error = desk.run(scaled("large", "trained")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ModelLoadError, "{error}");
    assert!(error.message.contains("more than 1048576 bytes"), "{error}");
    worker.stop().await;
}

/// What its files say of it has no say then.
#[tokio::test]
async fn a_model_that_is_registered_for_plain_tensors_is_run_so_and_takes_pictures_as_it_says() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let file = std::fs::read(crate::models().join("shapes-detector/model.onnx")).unwrap();
    let checkpoint = Origin::Blob(desk.blobs.put(Bytes::from(file)).await.unwrap());
    let image = serde_json::from_value(json!({"size": [320, 320], "layout": "nchw"})).unwrap();
    let model = RegisteredModel {
        task: "tensor".into(),
        image: Some(image),
        ..crate::registered::registered("acme/plain", checkpoint)
    };
    let blind = RegisteredModel { id: "acme/blind".into(), image: None, ..model.clone() };
    desk.bus.put_models(&[model, blind], true).await.unwrap();
    let worker = worker(&desk, downloads.path()).await;
    let photo = desk.image(crate::scene("scene_00.jpg")).await;
    let plain = |id: &str| of(Desk::job("tensor@1", on(&photo), json!({"model_id": id})), "trained");
    let done = desk.run(plain("acme/plain")).await.unwrap();
    let outputs = desk.blobs.resolve(&done.outputs["outputs"]).await.unwrap();
    let [output] = outputs.as_object().unwrap().values().collect::<Vec<_>>()[..] else {
        panic!("one output")
    };
    assert_eq!(output["dtype"], "float32");
    let error = desk.run(plain("acme/blind")).await.unwrap_err();
    assert!(error.message.contains("as `image` where it is registered"), "{error}");
    let error = desk.run(crate::registered::job(&photo, "acme/plain", "trained")).await.unwrap_err();
    assert_eq!((error.kind, error.pointer.as_deref()), (ErrorKind::InvalidConfig, Some("/config/model_id")));
    assert!(error.message.contains("is made for raw tensors, not for detection; choose"), "{error}");
    worker.stop().await;
}
