//! Models that runs under way will need: loaded ahead where there is room, and nobody leaves for them.

use std::path::Path;
use std::time::Duration;

use millrace_contracts::model::ModelWish;
use millrace_contracts::{ModelId, Pool};
use serde_json::{Value, json};

use crate::desk::{Desk, on, repository, settings};
use crate::{models, scene};

const PATIENCE: Duration = Duration::from_secs(20);

fn copies(folder: &Path, ids: &[&str]) {
    for id in ids {
        std::fs::create_dir(folder.join(id)).unwrap();
        std::fs::copy(models().join("shapes-detector/model.onnx"), folder.join(id).join("model.onnx"))
            .unwrap();
    }
}

fn expect(model: &str, pool: &str) -> ModelWish {
    ModelWish::Expect { model: ModelId::from(model), pool: Pool::from(pool) }
}

/// What the only worker says of itself, once `model` is loaded; asked for again as long as nobody listens yet.
async fn warm(desk: &Desk, model: &str) -> Value {
    let warm = async || {
        let workers = desk.bus.workers().await?;
        let info = workers.first().and_then(|worker| worker.info.as_deref()).unwrap_or("{}");
        let info: Value = serde_json::from_str(info).unwrap_or_default();
        let is_warm = info["models"].as_array().is_some_and(|models| models.contains(&json!(model)));
        if !is_warm {
            desk.bus.wish(&expect(model, "fast")).await?;
        }
        Ok::<_, millrace_bus::BusError>(is_warm.then_some(info))
    };
    millrace_testkit::eventually(PATIENCE, "a warm model", warm).await.unwrap()
}

#[tokio::test]
async fn a_model_that_is_expected_is_loaded_ahead_of_its_first_job() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    warm(&desk, "shapes-detector").await;
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
    warm(&desk, "a").await;
    desk.bus.wish(&expect("b", "fast")).await.unwrap();
    let image = desk.image(scene("scene_00.jpg")).await;
    for _ in 0..3 {
        let done = desk.run(Desk::job("detection@1", on(&image), json!({"model_id": "a"}))).await.unwrap();
        assert!(done.metrics.model_load_time_ms.abs() < f64::EPSILON, "it is still there");
    }
    worker.stop().await;
}
