//! A model repository in a bucket, by a real S3 server.

use std::path::Path;
use std::time::Duration;

use millrace_config::{Io, Location, Models, Objects};
use millrace_contracts::values::ImageValue;
use millrace_contracts::{ErrorKind, Job, ModelId};
use millrace_testkit::{TestBucket, eventually};
use serde_json::json;

use crate::desk::{Desk, Running, on, repository, settings};
use crate::{models, scene};

const PATIENCE: Duration = Duration::from_secs(20);
const DETECTOR: &str = "shapes-detector";

/// A bucket with a detector in it, and what a worker needs to read it.
struct World {
    desk: Desk,
    bucket: TestBucket,
    downloads: tempfile::TempDir,
    image: ImageValue,
}

impl World {
    async fn open() -> Self {
        let (desk, bucket) = (Desk::open().await, TestBucket::start().unwrap());
        copy(&models().join(DETECTOR), &bucket.folder().join("models").join(DETECTOR));
        let image = desk.image(scene("scene_00.jpg")).await;
        Self { desk, bucket, downloads: tempfile::tempdir().unwrap(), image }
    }

    fn models(&self, look_every: Duration) -> Models {
        let dir: Location = self.bucket.url("models").parse().unwrap();
        Models { dir, look_every, downloads: self.downloads.path().to_owned(), ..repository() }
    }

    async fn worker(&self, look_every: Duration) -> Running {
        self.worker_with(look_every, self.bucket.objects()).await
    }

    async fn worker_with(&self, look_every: Duration, objects: Objects) -> Running {
        self.desk.worker_on(settings(), self.models(look_every), (Io::default(), objects)).await
    }

    fn job(&self, id: &str) -> Job {
        Desk::job("detection@1", on(&self.image), json!({"model_id": id, "confidence": 0.4}))
    }

    /// A file of the detector in the bucket.
    fn file(&self, name: &str) -> std::path::PathBuf {
        self.bucket.folder().join("models").join(DETECTOR).join(name)
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_model_in_a_bucket_gives_what_the_same_model_in_a_folder_gives_and_outlives_the_store() {
    let mut world = World::open().await;
    let folder = world.desk.worker().await;
    let expected = world.desk.run(world.job(DETECTOR)).await.unwrap();
    folder.stop().await;

    let worker = world.worker(Duration::from_secs(3600)).await;
    let cold = world.desk.run(world.job(DETECTOR)).await.unwrap();
    assert_eq!(cold.outputs["count"], expected.outputs["count"]);
    assert_eq!(cold.metrics.model_digest, expected.metrics.model_digest, "the same files, the same copy");
    assert!(cold.metrics.model_load_time_ms > 0.0);

    world.desk.bus.put_models(&[], true).await.unwrap();
    let missing = world.desk.run(world.job("shapes-detectr")).await.unwrap_err();
    assert_eq!(
        (missing.kind, missing.pointer.as_deref()),
        (ErrorKind::ModelNotFound, Some("/config/model_id"))
    );
    world.bucket.stop();
    let warm = world.desk.run(world.job(DETECTOR)).await.unwrap();
    assert_eq!(warm.metrics.model_load_time_ms, 0.0, "a model that is here needs no store");
    let away = world.desk.run(world.job("never-seen")).await.unwrap_err();
    assert_eq!((away.kind, away.retryable), (ErrorKind::Network, true), "{away}");
    assert!(away.message.contains("s3://test-bucket/models cannot be reached"), "{away}");
    worker.stop().await;
}

#[tokio::test]
async fn models_that_are_added_and_changed_are_noticed_and_told() {
    let mut world = World::open().await;
    let worker = world.worker(Duration::from_millis(100)).await;
    let before = world.desk.run(world.job(DETECTOR)).await.unwrap();
    let id = ModelId::from(DETECTOR);
    let bus = world.desk.bus.clone();
    let described = async || {
        let found = bus.descriptions(std::slice::from_ref(&id)).await?.remove(&id);
        Ok::<_, millrace_bus::BusError>(found)
    };
    let description = eventually(PATIENCE, "a description of what is on the disk", described).await.unwrap();
    assert_eq!((description.task.as_str(), description.labels.is_empty()), ("detection", false));

    copy(&models().join(DETECTOR), &world.bucket.folder().join("models/acme/added"));
    let told = async || {
        let workers = bus.workers().await?;
        let info = workers.first().and_then(|worker| worker.info.clone()).unwrap_or_default();
        Ok::<_, millrace_bus::BusError>(
            info.contains(r#""inventory":["acme/added","shapes-detector"]"#).then_some(()),
        )
    };
    eventually(PATIENCE, "the added model to be told", told).await.unwrap();
    let labels = ["one", "two", "three", "four"];
    std::fs::write(world.file("millrace.toml"), format!("labels = {labels:?}")).unwrap();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let after = loop {
        let after = world.desk.run(world.job(DETECTOR)).await.unwrap();
        if after.metrics.model_digest != before.metrics.model_digest {
            break after;
        }
        assert!(tokio::time::Instant::now() < deadline, "the old copy is still used");
    };
    assert_eq!(after.outputs["count"], before.outputs["count"]);
    worker.stop().await;
}

#[tokio::test]
async fn what_changed_since_it_was_listed_fails_once_and_is_then_read_as_it_is() {
    let mut world = World::open().await;
    let worker = world.worker(Duration::from_secs(3600)).await;
    let bus = world.desk.bus.clone();
    let listed = async || {
        let workers = bus.workers().await?;
        let info = workers.first().and_then(|worker| worker.info.clone()).unwrap_or_default();
        Ok::<_, millrace_bus::BusError>(info.contains(r#""inventory":["shapes-detector"]"#).then_some(()))
    };
    eventually(PATIENCE, "the repository to be looked through", listed).await.unwrap();
    let whole = std::fs::read(world.file("model.onnx")).unwrap();
    std::fs::write(world.file("model.onnx"), &whole[..whole.len() / 2]).unwrap();
    let changed = world.desk.run(world.job(DETECTOR)).await.unwrap_err();
    assert_eq!((changed.kind, changed.retryable), (ErrorKind::Network, true), "{changed}");
    assert!(changed.message.contains("model.onnx has changed since it was listed"), "{changed}");
    let broken = world.desk.run(world.job(DETECTOR)).await.unwrap_err();
    assert_eq!(broken.kind, ErrorKind::ModelLoadError, "half a graph: {broken}");
    worker.stop().await;

    std::fs::write(world.file("model.onnx"), &whole).unwrap();
    let worker = world.worker(Duration::from_secs(3600)).await;
    world.desk.run(world.job(DETECTOR)).await.unwrap();
    worker.stop().await;
}

#[tokio::test]
async fn a_key_that_is_not_known_is_the_operators_matter() {
    let mut world = World::open().await;
    let stranger = Objects { access_key_id: Some("stranger".to_owned()), ..world.bucket.objects() };
    let worker = world.worker_with(Duration::from_secs(3600), stranger).await;
    let refused = world.desk.run(world.job(DETECTOR)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::ModelLoadError, "{refused}");
    assert!(refused.message.contains("refuses") && refused.message.contains("key is right"), "{refused}");
    worker.stop().await;
}
