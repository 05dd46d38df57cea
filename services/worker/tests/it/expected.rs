//! Models that runs under way will need: loaded ahead where there is room, and nobody leaves for them.

use std::time::Duration;

use millrace_contracts::model::ModelWish;
use millrace_contracts::{ModelId, Pool};
use serde_json::{Value, json};

use crate::desk::{Desk, copies, on, repository, settings};
use crate::scene;

const PATIENCE: Duration = Duration::from_secs(30);

fn expect(model: &str, pool: &str) -> ModelWish {
    ModelWish::Expect { model: ModelId::from(model), pool: Pool::from(pool) }
}

#[tokio::test]
async fn a_model_that_is_expected_is_loaded_ahead_of_its_first_job() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    desk.warm("shapes-detector", &expect("shapes-detector", "fast")).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let done =
        desk.run(Desk::job("detection@1", on(&image), json!({"model_id": "shapes-detector"}))).await.unwrap();
    assert!(done.metrics.model_load_time_ms.abs() < f64::EPSILON);
    worker.stop().await;
}

#[tokio::test]
async fn no_model_leaves_for_one_that_is_only_expected() {
    let mut desk = Desk::open().await;
    let folder = millrace_testkit::test_folder().unwrap();
    copies(folder.path(), &["a", "b"]);
    let models =
        millrace_config::Models { dir: folder.path().to_owned().into(), max_loaded: 1, ..repository() };
    let worker = desk.worker_as(settings(), models).await;
    desk.warm("a", &expect("a", "fast")).await;
    desk.bus.wish(&expect("b", "fast")).await.unwrap();
    let image = desk.image(scene("scene_00.jpg")).await;
    for _ in 0..3 {
        let done = desk.run(Desk::job("detection@1", on(&image), json!({"model_id": "a"}))).await.unwrap();
        assert!(done.metrics.model_load_time_ms.abs() < f64::EPSILON, "it is still there");
    }
    worker.stop().await;
}

#[tokio::test]
async fn of_models_that_are_expected_together_those_are_loaded_that_fit_together() {
    let mut desk = Desk::open().await;
    let folder = millrace_testkit::test_folder().unwrap();
    copies(folder.path(), &["a", "b", "c"]);
    let models =
        millrace_config::Models { dir: folder.path().to_owned().into(), max_loaded: 2, ..repository() };
    let worker = desk.worker_as(settings(), models).await;
    desk.warm("a", &expect("a", "fast")).await;
    for id in ["b", "c"] {
        desk.bus.wish(&expect(id, "fast")).await.unwrap();
    }
    let two = async || {
        let workers = desk.bus.workers().await?;
        let info: Value =
            serde_json::from_str(workers[0].info.as_deref().unwrap_or("{}")).unwrap_or_default();
        let count = info["models"].as_array().map_or(0, Vec::len);
        Ok::<_, millrace_bus::BusError>((count == 2).then_some(()))
    };
    millrace_testkit::eventually(PATIENCE, "two warm models", two).await.unwrap();
    let image = desk.image(scene("scene_00.jpg")).await;
    for _ in 0..3 {
        let done = desk.run(Desk::job("detection@1", on(&image), json!({"model_id": "a"}))).await.unwrap();
        assert!(done.metrics.model_load_time_ms.abs() < f64::EPSILON, "it is still there");
    }
    worker.stop().await;
}
