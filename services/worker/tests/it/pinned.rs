//! A run's copy of a model: used where it is to be had, refused where it is not.

use std::io::Write;
use std::path::Path;

use millrace_contracts::{ErrorKind, Job, ModelDigest};
use serde_json::{Value, json};

use crate::desk::{Desk, on};
use crate::{models, scene};

/// A repository with a copy of the demo's model that may be changed.
fn own_repository() -> (tempfile::TempDir, millrace_config::Models) {
    let folder = millrace_testkit::test_folder().unwrap();
    let to = folder.path().join("shapes-detector");
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(models().join("shapes-detector")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    let models = millrace_config::Models {
        dir: folder.path().to_path_buf().into(),
        ..millrace_config::Models::default()
    };
    (folder, models)
}

/// Adds a `doc_string` (field 6) to the ONNX file: the same graph, and another file.
fn change(folder: &Path) {
    let path = folder.join("shapes-detector/model.onnx");
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(&[0x32, 1, b'x']).unwrap();
}

fn pinned(mut job: Job, digest: &ModelDigest) -> Job {
    job.model.as_mut().unwrap().digest = Some(digest.clone());
    job
}

#[tokio::test]
async fn a_run_keeps_its_copy_of_a_model_or_is_told_that_it_is_gone() {
    let mut desk = Desk::open().await;
    let (folder, models) = own_repository();
    let worker = desk.worker_with(models).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let job = || Desk::job("detection@1", on(&image), json!({"model_id": "shapes-detector"}));
    let first =
        desk.run(job()).await.unwrap().metrics.model_digest.expect("a model job says which copy it used");

    change(folder.path());
    // The copy in memory is the run's: what the repository has does not matter.
    let same = desk.run(pinned(job(), &first)).await.unwrap();
    assert_eq!(same.metrics.model_digest.as_ref(), Some(&first));
    // A run of the new copy makes the worker load it.
    let new = millrace_inference::Repository::new(folder.path());
    let new = new.find(&"shapes-detector".into()).unwrap();
    let new: ModelDigest = sha256(&std::fs::read(new.graph).unwrap()).into();
    assert_ne!(new, first);
    let done = desk.run(pinned(job(), &new)).await.unwrap();
    assert_eq!(done.metrics.model_digest.as_ref(), Some(&new));
    assert!(done.metrics.model_load_time_ms > 0.0, "it was loaded anew");
    // The run of the old copy cannot go on, and no retry helps.
    let gone = desk.run(pinned(job(), &first)).await.unwrap_err();
    assert_eq!((gone.kind, gone.retryable), (ErrorKind::ModelNotFound, false));
    assert!(gone.message.contains("changed during the run"), "{gone}");
    // Nobody else's copy was given up for it.
    let warm = desk.run(pinned(job(), &new)).await.unwrap();
    assert!(warm.metrics.model_load_time_ms.abs() < f64::EPSILON);

    let info = desk.bus.workers().await.unwrap().remove(0).info.unwrap();
    let said = async || {
        let info = desk.bus.workers().await?.remove(0).info.unwrap_or_else(|| info.clone());
        let info: Value = serde_json::from_str(&info).unwrap_or_default();
        Ok::<_, millrace_bus::BusError>((info["warm"][0]["digest"] == new.as_str()).then_some(()))
    };
    let patience = std::time::Duration::from_secs(20);
    millrace_testkit::eventually(patience, "the worker says which copy it has", said).await.unwrap();
    worker.stop().await;
}

fn sha256(bytes: &[u8]) -> String {
    millrace_contracts::BlobId::of(bytes).to_string()
}
