//! Models that runs under way will need: loaded ahead where there is room, and nobody leaves for them.

use millrace_contracts::model::ModelWish;
use millrace_contracts::{ModelId, Pool};
use serde_json::json;

use crate::desk::{Desk, copies, on, repository, settings};
use crate::scene;

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
