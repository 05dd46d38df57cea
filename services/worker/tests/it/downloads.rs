//! Models by URL, from a server of this machine that the settings allow.

use axum::Router;
use axum::routing::get;
use millrace_contracts::{ErrorKind, Job};
use serde_json::json;

use crate::desk::{Desk, on, repository};
use crate::{models, scene};

/// Serves the demo's detector; its address.
pub(crate) async fn server() -> String {
    // Refused where another test of this process was first.
    drop(rustls::crypto::ring::default_provider().install_default());
    let file = std::fs::read(models().join("shapes-detector/model.onnx")).unwrap();
    let routes = Router::new().route("/detector.onnx", get(async move || file.clone()));
    let routes = routes.route("/broken.onnx", get(async || "this is no model"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

fn by_url(image: &millrace_contracts::values::ImageValue, url: &str) -> Job {
    let config = json!({"model_id": url, "model_source": "url", "confidence": 0.4});
    let mut job = Desk::job("detection@1", on(image), config);
    if let Some(model) = &mut job.model {
        "url".clone_into(&mut model.source);
    }
    job
}

#[tokio::test]
async fn a_model_by_url_gives_what_the_same_model_on_disk_gives() {
    let (mut desk, server) = (Desk::open().await, server().await);
    let downloads = tempfile::tempdir().unwrap();
    let models = millrace_config::Models {
        downloads: downloads.path().to_owned(),
        allowed_hosts: vec!["127.0.0.1".to_owned()],
        ..repository()
    };
    let worker = desk.worker_with(models).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let local = json!({"model_id": "shapes-detector", "confidence": 0.4});
    let expected = desk.run(Desk::job("detection@1", on(&image), local)).await.unwrap();
    let fetched = desk.run(by_url(&image, &format!("{server}/detector.onnx"))).await.unwrap();
    assert_eq!(fetched.outputs["count"], expected.outputs["count"]);
    assert_eq!(fetched.outputs["classes"], expected.outputs["classes"]);
    assert!(fetched.metrics.model_load_time_ms > 0.0);

    let cases = [
        (format!("{server}/detector.onnx#sha256={}", "0".repeat(64)), ErrorKind::ModelLoadError, "SHA-256"),
        (format!("{server}/broken.onnx"), ErrorKind::ModelLoadError, "could not be loaded"),
        (format!("{server}/missing.onnx"), ErrorKind::ModelNotFound, "answered 404"),
        (
            server.replace("127.0.0.1", "localhost") + "/detector.onnx",
            ErrorKind::InvalidConfig,
            "not a public",
        ),
        ("shapes-detector".to_owned(), ErrorKind::ModelNotFound, "no model is registered"),
    ];
    desk.bus.put_models(&[], true).await.unwrap();
    for (url, kind, words) in cases {
        let error = desk.run(by_url(&image, &url)).await.unwrap_err();
        assert_eq!((error.kind, error.pointer.as_deref()), (kind, Some("/config/model_id")), "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    worker.stop().await;
}
