//! `/session`: browsers.

use std::time::Duration;

use millrace_config::Api;
use millrace_testkit::TestPostgres;
use reqwest::Method;
use serde_json::json;

use super::{keyed, make};
use crate::support::{Follower, Reply, World, constant};

#[tokio::test]
async fn a_browser_logs_in_and_only_its_own_pages_change_things() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (id, admin) = make(&world, "admin", None).await?;
    let wrong = world.post("/api/v1/session", &json!({"key": "mr_wrong"})).await?;
    wrong.problem(401, "UNAUTHENTICATED");
    let session = world.post("/api/v1/session", &json!({"key": admin})).await?;
    let set = session.header("set-cookie").to_owned();
    assert!(session.status == 200 && session.body["scope"] == "admin", "{session:?}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = set.split(';').next().unwrap_or_default().to_owned();
    let with = |method: Method, path: &str| world.request(method, path).header("cookie", &cookie);
    assert_eq!(Reply::of(with(Method::GET, "/api/v1/executions")).await?.status, 200);
    let submit = || with(Method::POST, "/api/v1/executions").json(&json!({"workflow": constant()}));
    Reply::of(submit()).await?.problem(403, "CROSS_SITE");
    Reply::of(submit().header("sec-fetch-site", "cross-site")).await?.problem(403, "CROSS_SITE");
    Reply::of(submit().header("origin", "https://evil.example")).await?.problem(403, "CROSS_SITE");
    assert_eq!(Reply::of(submit().header("sec-fetch-site", "same-origin")).await?.status, 202);
    assert_eq!(Reply::of(submit().header("origin", &world.base)).await?.status, 202);

    let out = Reply::of(with(Method::DELETE, "/api/v1/session")).await?;
    assert!(out.status == 204 && out.header("set-cookie").contains("Max-Age=0"), "{out:?}");
    // A session ends with its key.
    let revoke = world.request(Method::DELETE, &format!("/api/v1/keys/{id}"));
    let (_, other) = make(&world, "admin", Some(&admin)).await?;
    assert_eq!(Reply::of(keyed(revoke, Some(&other))).await?.status, 204);
    Reply::of(with(Method::GET, "/api/v1/executions")).await?.problem(401, "UNAUTHENTICATED");
    world.stop().await
}

#[tokio::test]
async fn a_token_opens_streams_and_nothing_else() -> anyhow::Result<()> {
    let world = World::start().await?;
    let run = world.submit().await?;
    let (_, admin) = make(&world, "admin", None).await?;
    let made = Reply::of(world.request(Method::POST, "/api/v1/session/token").bearer_auth(&admin)).await?;
    let token = made.body["token"].as_str().unwrap_or_default().to_owned();
    let stream =
        |token: &str| world.request(Method::GET, &format!("/api/v1/executions/{run}/events?token={token}"));
    let mut follower = Follower::open(stream(&token)).await?;
    follower.expect("snapshot").await?;
    Reply::of(stream("x")).await?.problem(401, "UNAUTHENTICATED");
    world.get(&format!("/api/v1/executions/{run}?token={token}")).await?.problem(401, "UNAUTHENTICATED");
    drop(follower);
    world.stop().await
}

#[tokio::test]
async fn streams_end_with_the_key_that_opened_them() -> anyhow::Result<()> {
    let settings = Api { stream_ping: Duration::from_millis(20), ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let run = world.submit().await?;
    // Nobody was asked for a key when this one was opened.
    let mut early = world.follow(run, None).await?;
    early.expect("snapshot").await?;
    let (_, admin) = make(&world, "admin", None).await?;
    early.expect("unauthorized").await?;
    assert!(early.next().await?.is_none());

    let (id, reader) = make(&world, "read", Some(&admin)).await?;
    let open = |path: &str, key: &str| Follower::open(world.request(Method::GET, path).bearer_auth(key));
    let own = format!("/api/v1/executions/{run}/events");
    let (mut its, mut all) = (open(&own, &reader).await?, open("/api/v1/events", &reader).await?);
    let mut others = open(&own, &admin).await?;
    its.expect("snapshot").await?;
    others.expect("snapshot").await?;
    let revoke = world.request(Method::DELETE, &format!("/api/v1/keys/{id}"));
    assert_eq!(Reply::of(keyed(revoke, Some(&admin))).await?.status, 204);
    for follower in [&mut its, &mut all] {
        follower.expect("unauthorized").await?;
        assert!(follower.next().await?.is_none());
    }
    world.shut_down();
    assert_eq!(others.rest().await?, ["reconnect@1-0"], "whose key is good stays");
    world.stop().await
}
