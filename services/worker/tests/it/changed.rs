//! Models in a folder whose files change while workers run.

use std::path::Path;
use std::time::Duration;

use millrace_contracts::model::ModelWish;
use millrace_contracts::{ModelId, Pool};
use millrace_testkit::{eventually, test_folder};
use serde_json::{Value, json};

use crate::desk::{Desk, on, repository, settings};
use crate::{models, scene};

const PATIENCE: Duration = Duration::from_secs(30);
const DETECTOR: &str = "shapes-detector";
const SOON: Duration = Duration::from_millis(100);
const NEVER: Duration = Duration::from_secs(3600);

/// A repository of its own with the demo's detector.
fn folder() -> tempfile::TempDir {
    let folder = test_folder().unwrap();
    std::fs::create_dir(folder.path().join(DETECTOR)).unwrap();
    let graph = models().join(DETECTOR).join("model.onnx");
    std::fs::copy(graph, folder.path().join(DETECTOR).join("model.onnx")).unwrap();
    folder
}

/// The copies of the detector that workers have loaded.
async fn loaded(desk: &Desk) -> Vec<String> {
    let mut digests = Vec::new();
    for worker in desk.bus.workers().await.unwrap() {
        let info: Value = serde_json::from_str(worker.info.as_deref().unwrap_or("{}")).unwrap();
        let warm = info["warm"].as_array().cloned().unwrap_or_default();
        digests.extend(warm.iter().map(|model| model["digest"].as_str().unwrap().to_owned()));
    }
    digests
}

/// Writes the graph again, of the same size, with another name for one of its classes.
fn rename_class(folder: &Path) {
    let graph = folder.join(DETECTOR).join("model.onnx");
    let mut bytes = std::fs::read(&graph).unwrap();
    let at = bytes.windows(6).position(|window| window == b"circle").unwrap();
    bytes[at..at + 6].copy_from_slice(b"roundy");
    std::fs::write(graph, bytes).unwrap();
}

#[tokio::test]
async fn a_model_whose_files_changed_is_loaded_anew_and_described_again() {
    let (mut desk, folder) = (Desk::open().await, folder());
    let looking = |look_every| {
        let models =
            millrace_config::Models { dir: folder.path().to_owned().into(), look_every, ..repository() };
        let settings = millrace_config::Worker { heartbeat: SOON, ..settings() };
        desk.worker_as(settings, models)
    };
    // The other one is told.
    let (first, second) = (looking(SOON).await, looking(NEVER).await);
    let image = desk.image(scene("scene_00.jpg")).await;
    let job = || Desk::job("detection@1", on(&image), json!({"model_id": DETECTOR, "confidence": 0.4}));
    let reference = job().model.unwrap();
    let both = async || {
        let wish = ModelWish::Load { model: reference.clone(), pool: Pool::from("fast") };
        desk.bus.wish(&wish).await?;
        Ok::<_, millrace_bus::BusError>((loaded(&desk).await.len() == 2).then_some(()))
    };
    eventually(PATIENCE, "both workers have the model", both).await.unwrap();
    let before = desk.run(job()).await.unwrap();
    let old = before.metrics.model_digest.unwrap().to_string();

    rename_class(folder.path());
    let none = async || {
        let digests = loaded(&desk).await;
        Ok::<_, millrace_bus::BusError>((!digests.contains(&old)).then_some(()))
    };
    eventually(PATIENCE, "both workers give the old copy up", none).await.unwrap();
    let after = desk.run(job()).await.unwrap();
    assert_eq!(after.outputs["count"], before.outputs["count"]);
    let named = |class: &str| after.outputs["classes"].as_array().unwrap().contains(&json!(class));
    assert!(named("roundy") && !named("circle"), "{}", after.outputs["classes"]);
    let described = async || {
        let found = desk.bus.descriptions(&[ModelId::from(DETECTOR)]).await?;
        let found = found.values().find(|model| model.labels.contains(&"roundy".to_owned()));
        Ok::<_, millrace_bus::BusError>(found.cloned())
    };
    eventually(PATIENCE, "the new name of the class", described).await.unwrap();
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_model_that_changed_is_given_up_however_many_there_are_before_it() {
    let (desk, folder) = (Desk::open().await, folder());
    for number in 0..256 {
        let other = folder.path().join(format!("a{number:03}"));
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join("model.onnx"), b"no graph").unwrap();
    }
    let models =
        millrace_config::Models { dir: folder.path().to_owned().into(), look_every: SOON, ..repository() };
    let worker = desk.worker_as(millrace_config::Worker { heartbeat: SOON, ..settings() }, models).await;
    let model = Desk::job("detection@1", json!({}), json!({"model_id": DETECTOR})).model.unwrap();
    let wish = ModelWish::Load { model, pool: Pool::from("fast") };
    let there = async || {
        desk.bus.wish(&wish).await?;
        Ok::<_, millrace_bus::BusError>(loaded(&desk).await.first().cloned())
    };
    let old = eventually(PATIENCE, "the worker has the model", there).await.unwrap();
    rename_class(folder.path());
    let gone = async || {
        let digests = loaded(&desk).await;
        Ok::<_, millrace_bus::BusError>((!digests.contains(&old)).then_some(()))
    };
    eventually(PATIENCE, "the old copy is given up", gone).await.unwrap();
    worker.stop().await;
}
