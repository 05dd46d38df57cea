//! Registered models: brought to the disk by what the registry in Redis says of them.

use std::time::Duration;

use bytes::Bytes;
use millrace_contracts::model::{ModelWish, Origin, RegisteredModel};
use millrace_contracts::values::ImageValue;
use millrace_contracts::{ErrorKind, Job, Pool};
use serde_json::{Map, json};

use crate::desk::{Desk, on, repository};
use crate::downloads::server;
use crate::{models, scene};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn registered(id: &str, checkpoint: Origin) -> RegisteredModel {
    RegisteredModel {
        id: id.into(),
        source: "trained".into(),
        task: "detection".into(),
        family: None,
        labels: Vec::new(),
        checkpoint,
        sha256: None,
        files: [].into(),
        preprocess: Map::new(),
        image: None,
        registered_at: None,
    }
}

pub(crate) fn job(image: &ImageValue, id: &str, source: &str) -> Job {
    let config = json!({"model_id": id, "model_source": source, "confidence": 0.4});
    let mut job = Desk::job("detection@1", on(image), config);
    if let Some(model) = &mut job.model {
        source.clone_into(&mut model.source);
    }
    job
}

/// A worker whose downloads are in a folder of their own, and may come from this machine.
pub(crate) async fn worker(desk: &Desk, downloads: &std::path::Path) -> crate::desk::Running {
    let allowed_hosts = vec!["127.0.0.1".to_owned()];
    let models = millrace_config::Models { downloads: downloads.to_owned(), allowed_hosts, ..repository() };
    desk.worker_with(models).await
}

async fn checkpoint(desk: &Desk) -> Origin {
    let file = std::fs::read(models().join("shapes-detector/model.onnx")).unwrap();
    Origin::Blob(desk.blobs.put(Bytes::from(file)).await.unwrap())
}

#[tokio::test]
async fn a_registered_model_gives_what_the_same_model_in_the_repository_gives() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let model = registered("acme/shapes", checkpoint(&desk).await);
    desk.bus.put_models(&[model], true).await.unwrap();
    let worker = worker(&desk, downloads.path()).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let expected = desk.run(job(&image, "shapes-detector", "pretrained")).await.unwrap();
    let trained = desk.run(job(&image, "acme/shapes", "trained")).await.unwrap();
    assert_eq!(trained.outputs["count"], expected.outputs["count"]);
    assert_ne!(
        trained.metrics.model_digest, expected.metrics.model_digest,
        "its millrace.toml has a say too"
    );
    // Whatever the workflow says of its source.
    let again = desk.run(job(&image, "acme/shapes", "pretrained")).await.unwrap();
    assert_eq!(again.metrics.model_digest, trained.metrics.model_digest);
    worker.stop().await;
}

#[tokio::test]
async fn what_is_registered_wrongly_is_told() {
    let (mut desk, downloads, server) = (Desk::open().await, tempfile::tempdir().unwrap(), server().await);
    let wrong_sha = RegisteredModel {
        sha256: Some("0".repeat(64)),
        ..registered("wrong-sha", Origin::Url(format!("{server}/detector.onnx")))
    };
    let wrong_family = RegisteredModel {
        family: Some("no-such-family".into()),
        ..registered("family", checkpoint(&desk).await)
    };
    let gone = registered("gone", Origin::Blob(millrace_contracts::BlobId::of(b"nobody stored this")));
    let broken = registered("broken", Origin::Url(format!("{server}/broken.onnx")));
    let no_model = desk.blobs.put(Bytes::from_static(b"this is no model")).await.unwrap();
    let no_model = registered("no-model", Origin::Blob(no_model));
    desk.bus.put_models(&[wrong_sha, wrong_family, gone, broken, no_model], true).await.unwrap();
    let worker = worker(&desk, downloads.path()).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let cases = [
        ("wrong-sha", ErrorKind::ModelLoadError, "SHA-256"),
        ("family", ErrorKind::Unsupported, "no-such-family"),
        ("gone", ErrorKind::ModelNotFound, "could not be fetched: there is no blob"),
        ("broken", ErrorKind::ModelLoadError, "could not be loaded"),
        ("no-model", ErrorKind::ModelLoadError, "could not be loaded"),
        ("nobody", ErrorKind::ModelNotFound, "no model is registered"),
    ];
    for (id, kind, words) in cases {
        let error = desk.run(job(&image, id, "trained")).await.unwrap_err();
        assert_eq!((error.kind, error.pointer.as_deref()), (kind, Some("/config/model_id")), "{id}: {error}");
        assert!(error.message.contains(words), "{error}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_model_is_loaded_when_asked_for_and_given_up_when_it_changed() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let model = registered("acme/shapes", checkpoint(&desk).await);
    desk.bus.put_models(std::slice::from_ref(&model), true).await.unwrap();
    let worker = worker(&desk, downloads.path()).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let reference = job(&image, "acme/shapes", "trained").model.unwrap();
    let wish = ModelWish::Load { model: reference, pool: Pool::from("fast") };
    desk.warm("acme/shapes", &wish).await;
    let before = desk.run(job(&image, "acme/shapes", "trained")).await.unwrap();
    assert!(before.metrics.model_load_time_ms < 1_000.0);

    let changed = RegisteredModel { preprocess: Map::from_iter([("size".into(), json!(320))]), ..model };
    desk.bus.put_models(&[changed], true).await.unwrap();
    desk.bus.wish(&ModelWish::Forget { id: "acme/shapes".into() }).await.unwrap();
    let mut after = desk.run(job(&image, "acme/shapes", "trained")).await.unwrap();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while after.metrics.model_digest == before.metrics.model_digest {
        assert!(tokio::time::Instant::now() < deadline, "the old copy is still used");
        after = desk.run(job(&image, "acme/shapes", "trained")).await.unwrap();
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_registered_model_says_what_it_is_once_it_is_loaded() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let model = registered("acme/shapes", checkpoint(&desk).await);
    desk.bus.put_models(&[model], true).await.unwrap();
    let worker = worker(&desk, downloads.path()).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let done = desk.run(job(&image, "acme/shapes", "trained")).await.unwrap();
    let digest = done.metrics.model_digest.unwrap();
    let told = async || {
        let found = desk.bus.copies(std::slice::from_ref(&digest)).await?.remove(&digest);
        Ok::<_, millrace_bus::BusError>(found)
    };
    let told = millrace_testkit::eventually(PATIENCE, "the loaded copy to be described", told).await.unwrap();
    assert_eq!((told.task.as_str(), told.labels.contains(&"circle".to_owned())), ("detection", true));
    let bytes = std::fs::metadata(models().join("shapes-detector/model.onnx")).unwrap().len();
    assert_eq!((told.file_bytes, told.digest), (Some(bytes), Some(digest.clone())));
    assert!(told.input_size.is_some());
    worker.stop().await;
}

/// A worker that hears of no change: it is away whenever something is said.
#[tokio::test]
async fn a_model_that_was_replaced_or_deleted_is_never_answered_with_its_old_file() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let model = registered("acme/shapes", checkpoint(&desk).await);
    let smaller =
        RegisteredModel { preprocess: Map::from_iter([("size".into(), json!(320))]), ..model.clone() };
    let worker = worker(&desk, downloads.path()).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    for source in ["pretrained", "trained"] {
        desk.bus.put_models(std::slice::from_ref(&model), true).await.unwrap();
        let before = desk.run(job(&image, "acme/shapes", source)).await.unwrap();
        desk.bus.put_models(std::slice::from_ref(&smaller), true).await.unwrap();
        let after = desk.run(job(&image, "acme/shapes", source)).await.unwrap();
        assert_ne!(after.metrics.model_digest, before.metrics.model_digest, "{source}");
        desk.bus.put_models(std::slice::from_ref(&model), true).await.unwrap();
        let back = desk.run(job(&image, "acme/shapes", source)).await.unwrap();
        assert_eq!(back.metrics.model_digest, before.metrics.model_digest, "{source}");
        desk.bus.remove_model(&"acme/shapes".into()).await.unwrap();
        let gone = desk.run(job(&image, "acme/shapes", source)).await.unwrap_err();
        assert_eq!((gone.kind, gone.retryable), (ErrorKind::ModelNotFound, false), "{source}: {gone}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_model_that_was_deleted_is_given_up_by_who_is_told_and_by_who_was_away() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let model = registered("acme/shapes", checkpoint(&desk).await);
    let worker = worker(&desk, downloads.path()).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    for is_told in [true, false] {
        desk.bus.put_models(std::slice::from_ref(&model), true).await.unwrap();
        desk.run(job(&image, "acme/shapes", "pretrained")).await.unwrap();
        let is_warm = async |is_warm: bool| {
            let workers = desk.bus.workers().await?;
            let info = workers.first().and_then(|worker| worker.info.clone()).unwrap_or_default();
            anyhow::Ok((!info.is_empty() && warm_in(&info, "acme/shapes") == is_warm).then_some(()))
        };
        let warm = async || is_warm(true).await;
        millrace_testkit::eventually(PATIENCE, "the worker says that it has it", warm).await.unwrap();
        desk.bus.remove_model(&"acme/shapes".into()).await.unwrap();
        if !is_told {
            // It has listened before: the first round says so.
            desk.redis.tell(&["CLIENT", "KILL", "TYPE", "pubsub"]).await.unwrap();
        }
        let given_up = async || {
            if is_told {
                desk.bus.wish(&ModelWish::Forget { id: "acme/shapes".into() }).await?;
            }
            is_warm(false).await
        };
        millrace_testkit::eventually(PATIENCE, "the worker gives it up", given_up).await.unwrap();
    }
    worker.stop().await;
}

#[tokio::test]
async fn why_a_model_cannot_be_had_is_told_to_jobs_and_to_who_asked_for_it() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let gone = registered("gone", Origin::Blob(millrace_contracts::BlobId::of(b"nobody stored this")));
    let no_model = desk.blobs.put(Bytes::from_static(b"this is no model")).await.unwrap();
    let no_model = registered("no-model", Origin::Blob(no_model));
    desk.bus.put_models(&[gone, no_model], true).await.unwrap();
    let worker = worker(&desk, downloads.path()).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    // Whatever the workflow says of its source.
    let error = desk.run(job(&image, "gone", "pretrained")).await.unwrap_err();
    assert!(error.message.contains("could not be fetched: there is no blob"), "{error}");
    for (id, kind, words) in [
        ("gone", "MODEL_NOT_FOUND", "could not be fetched: there is no blob"),
        ("no-model", "MODEL_LOAD_ERROR", "could not be loaded"),
    ] {
        let model = job(&image, id, "trained").model.unwrap();
        let wish = ModelWish::Load { model, pool: Pool::from("fast") };
        let told = async || {
            desk.bus.wish(&wish).await?;
            let workers = desk.bus.workers().await?;
            let info = workers.first().and_then(|worker| worker.info.clone()).unwrap_or_default();
            let info: serde_json::Value = serde_json::from_str(&info).unwrap_or_default();
            let failed = info["failed"].as_array().cloned().unwrap_or_default();
            Ok::<_, millrace_bus::BusError>(failed.into_iter().find(|failed| failed["model_id"] == id))
        };
        let failed = millrace_testkit::eventually(PATIENCE, "why it is not there", told).await.unwrap();
        assert_eq!(failed["kind"], kind);
        assert!(failed["message"].as_str().unwrap().contains(words), "{failed}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn models_from_everywhere_are_loaded_at_the_start() {
    let (desk, downloads, server) = (Desk::open().await, tempfile::tempdir().unwrap(), server().await);
    let model = registered("acme/shapes", checkpoint(&desk).await);
    desk.bus.put_models(&[model], true).await.unwrap();
    let by_url = format!("{server}/detector.onnx");
    let preload = vec!["shapes-detector".to_owned(), "acme/shapes".to_owned(), by_url];
    let worker = desk
        .worker_with(millrace_config::Models {
            downloads: downloads.path().to_owned(),
            allowed_hosts: vec!["127.0.0.1".to_owned()],
            preload: preload.clone(),
            ..repository()
        })
        .await;
    let warm = async || {
        let workers = desk.bus.workers().await?;
        let info = workers.first().and_then(|worker| worker.info.clone()).unwrap_or_default();
        Ok::<_, millrace_bus::BusError>(preload.iter().all(|id| warm_in(&info, id)).then_some(()))
    };
    millrace_testkit::eventually(PATIENCE, "all models to be warm", warm).await.unwrap();
    worker.stop().await;
}

fn warm_in(info: &str, id: &str) -> bool {
    let info: serde_json::Value = serde_json::from_str(info).unwrap_or_default();
    info["models"].as_array().is_some_and(|warm| warm.contains(&json!(id)))
}
