//! Models in a folder whose files change while workers run.

use std::path::Path;
use std::time::Duration;

use millrace_contracts::model::{ModelDescription, ModelWish};
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

/// The same detector under another name, without its files twice.
fn link(folder: &Path, name: &str) {
    std::os::unix::fs::symlink(models().join(DETECTOR).canonicalize().unwrap(), folder.join(name)).unwrap();
}

/// What is told of a model, once it is as is wanted.
async fn told(desk: &Desk, id: &str, is_wanted: impl Fn(&ModelDescription) -> bool) -> ModelDescription {
    let asked = [ModelId::from(id)];
    let found = async || {
        let found = desk.bus.descriptions(&asked).await?.into_values().next();
        Ok::<_, millrace_bus::BusError>(found.filter(&is_wanted))
    };
    eventually(PATIENCE, &format!("{id} to be described"), found).await.unwrap()
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

#[tokio::test]
async fn a_model_of_the_repository_is_told_with_its_digest_from_when_it_was_loaded() {
    let (mut desk, folder) = (Desk::open().await, folder());
    let models =
        millrace_config::Models { dir: folder.path().to_owned().into(), look_every: SOON, ..repository() };
    let worker = desk.worker_with(models).await;
    let id = ModelId::from(DETECTOR);
    let description = async || {
        let found = desk.bus.descriptions(std::slice::from_ref(&id)).await?.remove(&id);
        Ok::<_, millrace_bus::BusError>(found)
    };
    let cold = eventually(PATIENCE, "the model to be described", description).await.unwrap();
    let bytes = std::fs::metadata(folder.path().join(DETECTOR).join("model.onnx")).unwrap().len();
    assert_eq!((cold.file_bytes, cold.digest), (Some(bytes), None));

    let image = desk.image(scene("scene_00.jpg")).await;
    let job = Desk::job("detection@1", on(&image), json!({"model_id": DETECTOR}));
    let digest = desk.run(job).await.unwrap().metrics.model_digest;
    let told = async || {
        let found = desk.bus.descriptions(std::slice::from_ref(&id)).await?.remove(&id);
        Ok::<_, millrace_bus::BusError>(found.filter(|found| found.digest == digest))
    };
    eventually(PATIENCE, "the digest to be told", told).await.unwrap();
    worker.stop().await;
}

#[tokio::test]
async fn models_beyond_those_of_a_sign_of_life_are_named_elsewhere() {
    let (desk, folder) = (Desk::open().await, test_folder().unwrap());
    let add = |number: u32| {
        let model = folder.path().join(format!("model-{number:03}"));
        std::fs::create_dir(&model).unwrap();
        std::fs::write(model.join("model.onnx"), "not looked into").unwrap();
    };
    (0..300).for_each(add);
    let models =
        millrace_config::Models { dir: folder.path().to_owned().into(), look_every: SOON, ..repository() };
    let worker = desk.worker_with(models).await;
    let further = async |count: usize| {
        let told = async || {
            let worker = desk.bus.workers().await?.pop();
            let info = worker.and_then(|worker| worker.info).unwrap_or_default();
            let info: Value = serde_json::from_str(&info).unwrap_or_default();
            let further = &info["further_inventory"];
            let names = further["names"].as_str().filter(|_| further["models"] == count);
            Ok::<_, millrace_bus::BusError>(names.map(|names| (info["inventory"].clone(), names.to_owned())))
        };
        let (named, names) = eventually(PATIENCE, "further models to be told of", told).await.unwrap();
        let names = desk.bus.model_names(&[names].into()).await.unwrap();
        (named.as_array().map(Vec::len), names.len(), names.first().cloned(), names.last().cloned())
    };
    let (first, last) = (Some("model-256".into()), Some("model-299".into()));
    assert_eq!(further(44).await, (Some(256), 44, first.clone(), last));
    add(300);
    assert_eq!(further(45).await, (Some(256), 45, first, Some("model-300".into())));
    worker.stop().await;
}

#[tokio::test]
async fn models_beyond_those_of_a_sign_of_life_are_described_like_the_others() {
    let (desk, folder) = (Desk::open().await, folder());
    (0..300).for_each(|number| link(folder.path(), &format!("a{number:03}")));
    let models =
        millrace_config::Models { dir: folder.path().to_owned().into(), look_every: NEVER, ..repository() };
    let worker = desk.worker_with(models).await;
    // Told in the order of their names: this is the last one.
    let last = told(&desk, DETECTOR, |_| true).await;
    assert_eq!((last.task.as_str(), last.input_size.is_some()), ("detection", true));
    assert!(last.labels.contains(&"circle".to_owned()));
    let all: Vec<ModelId> = (0..300).map(|number| format!("a{number:03}").into()).collect();
    assert_eq!(desk.bus.descriptions(&all).await.unwrap().len(), 300);
    worker.stop().await;
}

#[tokio::test]
async fn a_model_that_changed_is_described_again_however_many_there_are_before_it() {
    let (desk, folder) = (Desk::open().await, folder());
    (0..256).for_each(|number| link(folder.path(), &format!("a{number:03}")));
    let models =
        millrace_config::Models { dir: folder.path().to_owned().into(), look_every: SOON, ..repository() };
    let worker = desk.worker_with(models).await;
    told(&desk, DETECTOR, |model| model.labels.contains(&"circle".to_owned())).await;
    rename_class(folder.path());
    told(&desk, DETECTOR, |model| model.labels.contains(&"roundy".to_owned())).await;
    std::fs::remove_file(folder.path().join("a007")).unwrap();
    let gone = async || {
        let found = desk.bus.descriptions(&["a007".into(), "a008".into()]).await?;
        Ok::<_, millrace_bus::BusError>((found.len() == 1).then_some(()))
    };
    eventually(PATIENCE, "what was said of a model that is gone to be taken back", gone).await.unwrap();
    worker.stop().await;
}

#[tokio::test]
async fn workers_with_other_folders_each_describe_their_models_again_after_a_loss_of_redis() {
    let (desk, one, other) = (Desk::open().await, test_folder().unwrap(), test_folder().unwrap());
    link(one.path(), "one");
    link(other.path(), "other");
    let looking = |folder: &Path| {
        let models =
            millrace_config::Models { dir: folder.to_owned().into(), look_every: SOON, ..repository() };
        desk.worker_as(millrace_config::Worker { heartbeat: SOON, ..settings() }, models)
    };
    let (first, second) = (looking(one.path()).await, looking(other.path()).await);
    for _ in 0..3 {
        told(&desk, "one", |_| true).await;
        told(&desk, "other", |_| true).await;
        desk.redis.flush().await.unwrap();
    }
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn workers_that_see_other_files_under_one_name_do_not_talk_over_each_other() {
    let (mut desk, one, other) = (Desk::open().await, folder(), folder());
    rename_class(other.path());
    link(other.path(), "z-only-here");
    let looking = |folder: &Path| millrace_config::Models {
        dir: folder.to_owned().into(),
        look_every: SOON,
        ..repository()
    };
    let first = desk.worker_with(looking(one.path())).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let job = Desk::job("detection@1", on(&image), json!({"model_id": DETECTOR}));
    let digest = desk.run(job).await.unwrap().metrics.model_digest;
    let said = told(&desk, DETECTOR, |model| model.digest == digest).await;
    assert!(said.labels.contains(&"circle".to_owned()));

    let second = desk.worker_with(looking(other.path())).await;
    // Read after the detector, and told with it.
    told(&desk, "z-only-here", |_| true).await;
    assert_eq!(told(&desk, DETECTOR, |_| true).await, said, "who said it is still there");
    first.stop().await;
    let now = told(&desk, DETECTOR, |model| model.labels.contains(&"roundy".to_owned())).await;
    assert_eq!(now.digest, None, "this one was not loaded");
    second.stop().await;
}
