//! `/models`: registered, shown, copied to Redis, wished for, deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use millrace_bus::{LiveItem, Registered};
use millrace_config::Api;
use millrace_contracts::ModelId;
use millrace_contracts::model::{ModelDescription, ModelWish};
use millrace_testkit::{TestPostgres, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{DEADLINE, Reply, World};

async fn checkpoint(world: &World) -> anyhow::Result<String> {
    let id = world.blobs.put(Bytes::from_static(b"an ONNX file, as far as the api knows")).await?;
    Ok(format!("blob:{id}"))
}

fn parts(checkpoint: &str) -> Value {
    json!({"id": "acme/parts", "task": "detection", "labels": ["bolt", "nut"], "checkpoint": checkpoint})
}

async fn worker(world: &World, info: &Value) -> anyhow::Result<()> {
    world.bus.register_worker(&"w1".into(), &info.to_string(), Duration::from_secs(60)).await?;
    Ok(())
}

#[tokio::test]
async fn a_model_is_registered_shown_replaced_and_deleted() -> anyhow::Result<()> {
    let world = World::start().await?;
    let checkpoint = checkpoint(&world).await?;
    let made = world.post("/api/v1/models", &parts(&checkpoint)).await?;
    assert_eq!((made.status, made.header("location")), (201, "/api/v1/models/acme%2Fparts"));
    let shown = world.get("/api/v1/models/acme%2Fparts").await?;
    assert_eq!(shown.body, made.body);
    assert_eq!((&shown.body["source"], &shown.body["checkpoint"]), (&json!("trained"), &json!(checkpoint)));
    assert_eq!((&shown.body["labels"], &shown.body["workers"]), (&json!(["bolt", "nut"]), &json!([])));

    let other = json!({
        "id": "acme/parts", "task": "classification", "checkpoint": "https://models.example/parts.onnx",
    });
    let replaced = world.post("/api/v1/models", &other).await?;
    assert_eq!((replaced.status, &replaced.body["task"]), (200, &json!("classification")));
    assert_eq!(replaced.body["created_at"], made.body["created_at"]);
    let listed = world.get("/api/v1/models").await?.body;
    assert_eq!(listed["models"], json!([replaced.body]));
    // Workers tell a registration from the same one before: what is at its address may have changed.
    for _ in 0..2 {
        let again = world.post("/api/v1/models", &other).await?;
        let copied = world.bus.registered_model(&"acme/parts".into()).await?;
        let Registered::Known(model) = copied else { panic!("{copied:?}") };
        assert_eq!(json!(model.registered_at), again.body["updated_at"]);
        assert_ne!(again.body["updated_at"], replaced.body["updated_at"]);
    }

    let delete = || Reply::of(world.request(Method::DELETE, "/api/v1/models/acme%2Fparts"));
    assert_eq!(delete().await?.status, 204);
    delete().await?.problem(404, "NOT_FOUND");
    world.get("/api/v1/models/acme%2Fparts").await?.problem(404, "NOT_FOUND");
    // A copy that was begun before may still be written.
    let whole = async || Ok::<_, millrace_bus::BusError>(world.bus.has_all_models().await?.then_some(()));
    eventually(DEADLINE, "a whole copy", whole).await?;
    assert_eq!(world.bus.registered_model(&"acme/parts".into()).await?, Registered::Unknown);
    world.stop().await
}

#[tokio::test]
async fn what_cannot_be_registered_is_told() -> anyhow::Result<()> {
    let world =
        World::start_with(Api { max_models: 1, ..Api::default() }, TestPostgres::start().await?).await?;
    let checkpoint = checkpoint(&world).await?;
    world.post("/api/v1/models", &json!({"id": "../etc"})).await?.problem(422, "INVALID_REQUEST");
    let nowhere = world.post("/api/v1/models", &parts(&format!("blob:{}", "0".repeat(64)))).await?;
    assert_eq!(nowhere.problem(422, "INVALID_REQUEST").body["errors"][0]["code"], "BLOB_NOT_FOUND");
    worker(&world, &json!({"inventory": ["acme/parts"]})).await?;
    world.post("/api/v1/models", &parts(&checkpoint)).await?.problem(409, "MODEL_IN_REPOSITORY");
    let named = |id: &str| json!({"id": id, "task": "detection", "checkpoint": checkpoint});
    assert_eq!(world.post("/api/v1/models", &named("one")).await?.status, 201);
    world.post("/api/v1/models", &named("two")).await?.problem(409, "TOO_MANY_MODELS");
    assert_eq!(world.post("/api/v1/models", &named("one")).await?.status, 200);
    world.stop().await
}

#[tokio::test]
async fn a_model_in_a_repository_is_shown_with_what_its_files_say() -> anyhow::Result<()> {
    let world = World::start().await?;
    worker(&world, &json!({"inventory": ["shapes", "plain"]})).await?;
    let described = |id: &str, labels: &[&str]| ModelDescription {
        id: id.into(),
        family: "ultralytics-detect".into(),
        task: "detection".into(),
        labels: labels.iter().map(|&label| label.to_owned()).collect(),
        embedding_dimension: Some(384),
        input_size: Some([320, 640]),
        file_bytes: Some(4_096),
        digest: (id == "shapes").then(|| "12ab".into()),
    };
    let models = [described("shapes", &["circle", "square"]), described("forgotten", &[])];
    world.bus.describe_models(&"w1".into(), &models, Duration::from_secs(60)).await?;
    let shown = world.get("/api/v1/models/shapes").await?.body;
    let expected = json!({
        "model_id": "shapes", "source": "pretrained", "family": "ultralytics-detect", "task": "detection",
        "labels": ["circle", "square"], "embedding_dimension": 384, "input_size": [320, 640], "file_bytes": 4096,
        "digest": "12ab", "workers": [], "loading": [], "in_repository": true,
    });
    assert_eq!(shown, expected);
    let delete = world.request(Method::DELETE, "/api/v1/models/shapes");
    Reply::of(delete).await?.problem(409, "MODEL_IN_REPOSITORY");
    let plain = json!({
        "model_id": "plain", "source": "pretrained", "embedding_dimension": null, "workers": [], "loading": [],
        "in_repository": true,
    });
    assert_eq!(world.get("/api/v1/models").await?.body["models"], json!([plain, expected]));
    world.stop().await
}

#[tokio::test]
async fn a_loaded_model_is_shown_with_what_it_turned_out_to_be() -> anyhow::Result<()> {
    let world = World::start().await?;
    let address = "https://models.example/parts.onnx";
    let copy = |id: &str, digest: &str| ModelDescription {
        id: id.into(),
        family: "ultralytics-detect".into(),
        task: "detection".into(),
        labels: vec!["bolt".into(), "nut".into()],
        embedding_dimension: None,
        input_size: Some([640, 640]),
        file_bytes: Some(4_096),
        digest: Some(digest.into()),
    };
    let copies = [copy("acme/parts", "12"), copy(address, "34")];
    world.bus.describe_copies(&copies, Duration::from_secs(60)).await?;
    let warm = json!([{"model_id": "acme/parts", "digest": "12", "bytes": 9_000}, {"model_id": address, "digest": "34"}]);
    worker(&world, &json!({"models": ["acme/parts", address], "warm": warm})).await?;
    let mut model = parts(&checkpoint(&world).await?);
    model.as_object_mut().and_then(|fields| fields.remove("labels"));
    let made = world.post("/api/v1/models", &model).await?;
    let own = "an ONNX file, as far as the api knows".len();
    assert_eq!((made.status, &made.body["file_bytes"]), (201, &json!(own)), "the blob's");

    let shown = world.get("/api/v1/models/acme%2Fparts").await?.body;
    for (name, value) in [
        ("source", json!("trained")),
        ("labels", json!(["bolt", "nut"])),
        ("input_size", json!([640, 640])),
        ("file_bytes", json!(4_096)),
        ("bytes", json!(9_000)),
        ("digest", json!("12")),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    let listed = world.get("/api/v1/models").await?.body;
    assert_eq!(listed["models"][0], shown);
    let by_address = &listed["models"][1];
    assert_eq!((&by_address["model_id"], &by_address["source"]), (&json!(address), &json!("url")));
    assert_eq!(by_address["labels"], json!(["bolt", "nut"]));
    let path = "/api/v1/models/https:%2F%2Fmodels.example%2Fparts.onnx";
    let delete = Reply::of(world.request(Method::DELETE, path)).await?;
    delete.problem(404, "NOT_FOUND");
    let detail = delete.body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("models.downloads_quota"), "it says what becomes of the files: {detail}");
    world.stop().await
}

/// The models of all pages, none of which is larger than is asked for.
async fn all(world: &World, query: &str) -> anyhow::Result<Vec<Value>> {
    let (mut models, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/api/v1/models?{query}{cursor}")).await?;
        assert_eq!(page.status, 200, "{page:?}");
        models.extend(page.body["models"].as_array().cloned().unwrap_or_default());
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(models),
        }
    }
}

#[tokio::test]
async fn models_are_listed_a_page_at_a_time_wherever_they_are_known_from() -> anyhow::Result<()> {
    let world = World::start().await?;
    let checkpoint = checkpoint(&world).await?;
    // Capitals come first, as in the order of the bytes, which both sides keep.
    for id in ["b-registered", "Zebra", "d-registered", "f-registered"] {
        let model = json!({"id": id, "task": "detection", "checkpoint": checkpoint});
        assert_eq!(world.post("/api/v1/models", &model).await?.status, 201);
    }
    worker(&world, &json!({"inventory": ["a-there", "c-there", "d-registered", "e-THERE"]})).await?;
    let names = |models: &[Value]| {
        models
            .iter()
            .map(|model| model["model_id"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let expected = ["Zebra", "a-there", "b-registered", "c-there", "d-registered", "e-THERE", "f-registered"];
    for limit in 1..=8 {
        assert_eq!(names(&all(&world, &format!("limit={limit}")).await?), expected, "{limit} at a time");
    }
    let first = world.get("/api/v1/models?limit=2").await?.body;
    assert_eq!(names(first["models"].as_array().unwrap_or(&vec![])), expected[..2]);
    let whole = world.get("/api/v1/models").await?.body;
    assert_eq!((whole["models"].as_array().map(Vec::len), &whole["next_cursor"]), (Some(7), &Value::Null));
    assert_eq!(names(&all(&world, "limit=1&name=There").await?), ["a-there", "c-there", "e-THERE"]);
    assert_eq!(names(&all(&world, "name=zeb").await?), ["Zebra"]);
    world.get("/api/v1/models?cursor=abc").await?.problem(400, "INVALID_CURSOR");
    world.get("/api/v1/models?limit=201").await?.problem(400, "INVALID_QUERY");
    world.stop().await
}

#[tokio::test]
async fn models_that_are_too_many_to_be_named_by_workers_are_there_all_the_same() -> anyhow::Result<()> {
    let world = World::start().await?;
    let names: BTreeSet<ModelId> = (0..1_000).map(|number| format!("many/{number:03}").into()).collect();
    let digest = world.bus.keep_model_names(&names, Duration::from_secs(60)).await?;
    let further = json!({"models": 1_000, "names": digest});
    let info = json!({"pools": ["fast"], "inventory": ["first"], "further_inventory": further});
    worker(&world, &info).await?;
    // Of the same repository.
    world.bus.register_worker(&"w2".into(), &info.to_string(), Duration::from_secs(60)).await?;
    let described = ModelDescription {
        id: "many/777".into(),
        family: "ultralytics-detect".into(),
        task: "detection".into(),
        labels: vec!["bolt".into()],
        embedding_dimension: None,
        input_size: Some([640, 640]),
        file_bytes: Some(4_096),
        digest: None,
    };
    world.bus.describe_models(&"w1".into(), &[described], Duration::from_secs(60)).await?;
    let listed = all(&world, "limit=150").await?;
    assert_eq!(listed.len(), 1_001);
    let shown = world.get("/api/v1/models/many%2F777").await?;
    assert_eq!((shown.status, &shown.body["in_repository"]), (200, &json!(true)));
    assert_eq!((&shown.body["input_size"], &shown.body["labels"]), (&json!([640, 640]), &json!(["bolt"])));
    assert_eq!(listed[778], shown.body);
    let asked = world.post("/api/v1/models/many%2F777/preload", &json!({})).await?;
    assert_eq!(asked.status, 202, "{asked:?}");
    let taken = json!({"id": "many/777", "task": "detection", "checkpoint": checkpoint(&world).await?});
    world.post("/api/v1/models", &taken).await?.problem(409, "MODEL_IN_REPOSITORY");
    let delete = Reply::of(world.request(Method::DELETE, "/api/v1/models/many%2F777")).await?;
    delete.problem(409, "MODEL_IN_REPOSITORY");
    world.get("/api/v1/models/many%2F1000").await?.problem(404, "NOT_FOUND");
    world.stop().await
}

/// The copy is made anew while the registry changes: what it holds once it is whole is what the registry holds.
#[tokio::test]
async fn a_model_that_is_deleted_while_the_copy_is_made_does_not_come_back() -> anyhow::Result<()> {
    let world = World::start().await?;
    let checkpoint = checkpoint(&world).await?;
    for round in 0..8 {
        let id = format!("model-{round}");
        let model = json!({"id": id, "task": "detection", "checkpoint": checkpoint});
        assert_eq!(world.post("/api/v1/models", &model).await?.status, 201);
        world.redis.flush().await?;
        // Somebody begins to copy it at any moment now.
        let gone = Reply::of(world.request(Method::DELETE, &format!("/api/v1/models/{id}"))).await?;
        assert_eq!(gone.status, 204);
        let whole = async || Ok::<_, millrace_bus::BusError>(world.bus.has_all_models().await?.then_some(()));
        eventually(DEADLINE, "a whole copy", whole).await?;
        assert_eq!(world.bus.registered_model(&id.as_str().into()).await?, Registered::Unknown);
    }
    world.stop().await
}

#[tokio::test]
async fn workers_find_a_registered_model_after_redis_was_lost() -> anyhow::Result<()> {
    let world = World::start().await?;
    let model = parts(&checkpoint(&world).await?);
    assert_eq!(world.post("/api/v1/models", &model).await?.status, 201);
    let known = async || {
        let found = world.bus.registered_model(&"acme/parts".into()).await?;
        Ok::<_, millrace_bus::BusError>(matches!(found, Registered::Known(_)).then_some(found))
    };
    let before = eventually(DEADLINE, "a copy", known).await?;
    world.redis.flush().await?;
    assert_eq!(eventually(DEADLINE, "a new copy", known).await?, before);
    let whole = async || Ok::<_, millrace_bus::BusError>(world.bus.has_all_models().await?.then_some(()));
    eventually(DEADLINE, "a whole copy", whole).await?;
    world.stop().await
}

#[tokio::test]
async fn workers_are_asked_to_load_a_model_and_the_answer_says_where_it_is() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.post("/api/v1/models/nobody/preload", &json!({})).await?.problem(404, "NOT_FOUND");
    worker(&world, &json!({"pools": ["heavy"], "inventory": ["shapes"]})).await?;
    // Whoever serves another pool is not meant, though it has the model.
    let elsewhere = json!({"pools": ["fast"], "models": ["shapes"]});
    world.bus.register_worker(&"w2".into(), &elsewhere.to_string(), Duration::from_secs(60)).await?;
    let nowhere = world.post("/api/v1/models/shapes/preload?pool=nope", &json!({})).await?;
    nowhere.problem(422, "INVALID_REQUEST").fault("INVALID_VALUE", None, "/pool");
    assert_eq!(nowhere.body["errors"][0]["hint"], "the pools that are served are fast, heavy");
    let mut wishes = world.bus.subscribe(&[&world.bus.model_wishes_channel()]).await?;
    let asked = world.post("/api/v1/models/shapes/preload?pool=heavy", &json!({})).await?;
    assert_eq!((asked.status, &asked.body["workers"]), (202, &json!([])));
    let heard = tokio::time::timeout(DEADLINE, wishes.next()).await?;
    let Some(LiveItem::Event(event)) = heard else { panic!("{heard:?}") };
    let ModelWish::Load { model, pool } = serde_json::from_str(&event.payload)? else { panic!("{event:?}") };
    assert_eq!((model.id.as_str(), pool.as_str()), ("shapes", "heavy"));

    let loads = async {
        wishes.next().await;
        worker(&world, &json!({"pools": ["heavy"], "models": ["shapes"]})).await
    };
    let path = "/api/v1/models/shapes/preload?pool=heavy&wait=20s";
    let body = json!({});
    let (answer, loaded) = tokio::join!(world.post(path, &body), loads);
    loaded?;
    let answer = answer?;
    assert_eq!((answer.status, &answer.body["workers"]), (200, &json!(["w1"])));
    world.stop().await
}

#[tokio::test]
async fn who_waits_for_a_model_hears_why_it_cannot_be_loaded() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut model = parts(&checkpoint(&world).await?);
    let id = model.as_object_mut().and_then(|fields| fields.remove("id"));
    model["model_id"] = id.unwrap_or_default();
    assert_eq!(world.post("/api/v1/models", &model).await?.status, 201, "as answers name it");
    let says = |at: u64| {
        let failure = json!({"model_id": "acme/parts", "kind": "MODEL_LOAD_ERROR", "message": "it is a picture", "at": at});
        json!({"pools": ["fast"], "failed": [failure]})
    };
    // What was said before does not count.
    worker(&world, &says(1)).await?;
    let path = "/api/v1/models/acme%2Fparts";
    let asked = world.post(&format!("{path}/preload"), &json!({})).await?;
    assert_eq!((asked.status, &asked.body["workers"]), (202, &json!([])));
    let mut wishes = world.bus.subscribe(&[&world.bus.model_wishes_channel()]).await?;
    let fails = async {
        wishes.next().await;
        worker(&world, &says(2)).await
    };
    let (path_and_wait, body) = (format!("{path}/preload?wait=30s"), json!({}));
    let (answer, failed) = tokio::join!(world.post(&path_and_wait, &body), fails);
    failed?;
    let answer = answer?;
    answer.problem(422, "MODEL_NOT_LOADED");
    assert_eq!(answer.body["detail"], "worker w1 cannot load acme/parts: it is a picture (MODEL_LOAD_ERROR)");
    let shown = world.get(path).await?.body;
    let expected = json!({
        "model_id": "acme/parts", "kind": "MODEL_LOAD_ERROR", "message": "it is a picture", "at": 2, "worker_id": "w1",
    });
    assert_eq!(shown["last_error"], expected);
    world.stop().await
}
