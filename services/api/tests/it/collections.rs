//! `/collections`: made, filled, searched, bounded; and who may.

use anyhow::Context;
use millrace_config::Collections;
use millrace_store::KeySecret;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Reply, World};

const AT: &str = "/api/v1/collections";

async fn put(world: &World, name: &str, points: Value) -> anyhow::Result<Reply> {
    let request = world.request(Method::PUT, &format!("{AT}/{name}/points"));
    Reply::of(request.json(&json!({"points": points}))).await
}

async fn delete(world: &World, path: &str) -> anyhow::Result<Reply> {
    Reply::of(world.request(Method::DELETE, &format!("{AT}/{path}"))).await
}

fn ids(found: &Reply) -> Vec<&str> {
    let matches = found.body["matches"].as_array().into_iter().flatten();
    matches.filter_map(|one| one["id"].as_str()).collect()
}

#[tokio::test]
async fn what_is_near_is_found_by_score_and_payload() -> anyhow::Result<()> {
    let world = World::start().await?;
    let made = world.post(AT, &json!({"name": "pets", "dimension": 2})).await?;
    assert_eq!((made.status, made.header("location")), (201, "/api/v1/collections/pets"));
    assert_eq!((&made.body["metric"], &made.body["points"]), (&json!("cosine"), &json!(0)));
    let again = world.post(AT, &json!({"name": "pets", "dimension": 2, "metric": "cosine"})).await?;
    assert_eq!((again.status, again.body), (200, made.body));
    let other = world.post(AT, &json!({"name": "pets", "dimension": 3})).await?;
    other.problem(409, "COLLECTION_EXISTS");
    let points = json!([
        {"id": "cat", "vector": [2.0, 0.0], "payload": {"kind": "cat", "tags": ["a", "b"]}},
        {"id": "lynx", "vector": [0.6, 0.8], "payload": {"kind": "cat"}},
        {"id": "a/dog", "vector": [0.0, 3.0], "payload": {"kind": "dog"}},
    ]);
    assert_eq!(put(&world, "pets", points.clone()).await?.body, json!({"added": 3, "replaced": 0}));
    assert_eq!(put(&world, "pets", points).await?.body, json!({"added": 0, "replaced": 3}));
    assert_eq!(world.get(AT).await?.body["collections"][0]["points"], 3);

    let search = async |body: Value| world.post(&format!("{AT}/pets/search"), &body).await;
    let found = search(json!({"vector": [10, 0]})).await?;
    assert_eq!(ids(&found), ["cat", "lynx", "a/dog"]);
    let score = found.body["matches"][1]["score"].as_f64().context("a score")?;
    assert!((score - 0.6).abs() < 1e-6, "{found:?}");
    assert_eq!(ids(&search(json!({"vector": [1, 0], "top_k": 1})).await?), ["cat"]);
    assert_eq!(ids(&search(json!({"vector": [1, 0], "min_score": 0.5})).await?), ["cat", "lynx"]);
    assert_eq!(ids(&search(json!({"vector": [1, 0], "filter": {"kind": "dog"}})).await?), ["a/dog"]);
    assert_eq!(ids(&search(json!({"vector": [1, 0], "filter": {"tags": ["b"]}})).await?), ["cat"]);

    let dog = world.get(&format!("{AT}/pets/points/a%2Fdog")).await?;
    assert_eq!(dog.body, json!({"id": "a/dog", "vector": [0.0, 1.0], "payload": {"kind": "dog"}}));
    assert_eq!(delete(&world, "pets/points/a%2Fdog").await?.status, 204);
    delete(&world, "pets/points/a%2Fdog").await?.problem(404, "NOT_FOUND");
    world.get(&format!("{AT}/pets/points/a%2Fdog")).await?.problem(404, "NOT_FOUND");
    assert_eq!(ids(&search(json!({"vector": [0, 1]})).await?), ["lynx", "cat"]);
    assert_eq!(delete(&world, "pets").await?.status, 204);
    world.get(&format!("{AT}/pets")).await?.problem(404, "NOT_FOUND");
    search(json!({"vector": [1, 0]})).await?.problem(404, "NOT_FOUND");
    world.stop().await
}

#[tokio::test]
async fn what_cannot_be_compared_is_told_with_its_place() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.post(AT, &json!({"name": "a b", "dimension": 2})).await?.problem(422, "INVALID_REQUEST").fault(
        "INVALID_NAME",
        None,
        "/name",
    );
    world.post(AT, &json!({"name": "c", "dimension": 2})).await?;
    let good = json!({"id": "a", "vector": [1, 2]});
    let long = put(&world, "c", json!([good, {"id": "b", "vector": [1, 2, 3]}])).await?;
    long.problem(422, "INVALID_REQUEST").fault("DIMENSION_MISMATCH", None, "/points/1/vector");
    let nowhere = put(&world, "c", json!([{"id": "a", "vector": [0, 0]}, good])).await?;
    nowhere.problem(422, "INVALID_REQUEST").fault("INVALID_VALUE", None, "/points/0/vector");
    let large = put(&world, "c", json!([good, {"id": "b", "vector": [1e39, 1]}])).await?;
    large.problem(422, "INVALID_REQUEST").fault("INVALID_VALUE", None, "/points/1/vector");
    let request = world.request(Method::PUT, &format!("{AT}/c/points"));
    let nan = r#"{"points": [{"id": "a", "vector": [NaN, 1]}]}"#;
    let nan = Reply::of(request.header("content-type", "application/json").body(nan)).await?;
    nan.problem(400, "MALFORMED_BODY").fault("INVALID_JSON", None, "");
    assert_eq!(world.get(&format!("{AT}/c")).await?.body["points"], 0, "all or none");
    put(&world, "nobodys", json!([good])).await?.problem(404, "NOT_FOUND");

    let search = async |body: Value| world.post(&format!("{AT}/c/search"), &body).await;
    let mismatch = search(json!({"vector": [1]})).await?;
    mismatch.problem(422, "INVALID_REQUEST").fault("DIMENSION_MISMATCH", None, "/vector");
    let many = search(json!({"vector": [1, 2], "top_k": 1001})).await?;
    many.problem(422, "INVALID_REQUEST").fault("INVALID_VALUE", None, "/top_k");
    world.stop().await
}

#[tokio::test]
async fn there_are_only_so_many_collections_and_points() -> anyhow::Result<()> {
    let limits = Collections { max_collections: 1, max_points: 2, max_batch: 3, ..Collections::default() };
    let world = World::start_collecting(limits, None).await?;
    world.post(AT, &json!({"name": "one", "dimension": 1})).await?;
    world.post(AT, &json!({"name": "two", "dimension": 1})).await?.problem(409, "TOO_MANY_COLLECTIONS");
    let point = |id: &str| json!({"id": id, "vector": [1]});
    let four = put(&world, "one", json!([point("a"), point("b"), point("c"), point("d")])).await?;
    four.problem(422, "INVALID_REQUEST").fault("INVALID_VALUE", None, "/points");
    put(&world, "one", json!([point("a"), point("b"), point("c")])).await?.problem(409, "COLLECTION_FULL");
    assert_eq!(put(&world, "one", json!([point("a"), point("b")])).await?.status, 200);
    assert_eq!(put(&world, "one", json!([point("b")])).await?.body["replaced"], 1);
    world.stop().await
}

#[tokio::test]
async fn workers_may_search_with_the_key_of_their_process_and_nothing_else() -> anyhow::Result<()> {
    let key = KeySecret::generate();
    let world = World::start_collecting(Collections::default(), Some(key.hash())).await?;
    world.post(AT, &json!({"name": "c", "dimension": 1})).await?;
    let search = async |key: Option<&str>| {
        let request = world.request(Method::POST, &format!("{AT}/c/search")).json(&json!({"vector": [1]}));
        Reply::of(match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        })
        .await
    };
    assert_eq!(search(None).await?.status, 200, "the workers' key makes no api guarded");
    let admin = world.post("/api/v1/keys", &json!({"name": "admin", "scopes": ["admin"]})).await?;
    let admin = admin.body["key"].as_str().context("a key")?.to_owned();
    search(None).await?.problem(401, "UNAUTHENTICATED");
    search(Some(KeySecret::generate().expose())).await?.problem(401, "UNAUTHENTICATED");
    assert_eq!(search(Some(key.expose())).await?.status, 200);
    let make = world.request(Method::POST, AT).json(&json!({"name": "d", "dimension": 1}));
    Reply::of(make.bearer_auth(key.expose())).await?.problem(403, "FORBIDDEN");

    let made = world.request(Method::POST, "/api/v1/keys").json(&json!({"name": "run", "scopes": ["run"]}));
    let run = Reply::of(made.bearer_auth(&admin)).await?;
    let run = run.body["key"].as_str().context("a key")?;
    let point = json!({"points": [{"id": "a", "vector": [1]}]});
    let put = world.request(Method::PUT, &format!("{AT}/c/points")).json(&point);
    assert_eq!(Reply::of(put.bearer_auth(run)).await?.status, 200);
    let gone = |key: &str| Reply::of(world.request(Method::DELETE, &format!("{AT}/c")).bearer_auth(key));
    gone(run).await?.problem(403, "FORBIDDEN");
    assert_eq!(gone(&admin).await?.status, 204);
    world.stop().await
}
