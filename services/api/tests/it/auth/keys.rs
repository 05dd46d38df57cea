//! `/keys`, and what a key may do.

use millrace_api::{ApiError, run};
use millrace_config::Api;
use millrace_store::KeySecret;
use millrace_tasks::CancellationToken;
use millrace_testkit::TestPostgres;
use reqwest::Method;
use serde_json::json;
use tokio::net::TcpListener;

use super::{get, keyed, make};
use crate::support::{Reply, World, constant};

#[tokio::test]
async fn from_the_first_key_on_every_caller_needs_one_whose_scope_reaches() -> anyhow::Result<()> {
    let world = World::start().await?;
    assert_eq!(world.get("/api/v1/session").await?.body["guarded"], false);
    // A first key that could make no other would shut everybody out.
    for scopes in [json!(["read"]), json!(["run", "read"])] {
        let refused = world.post("/api/v1/keys", &json!({"name": "first", "scopes": scopes})).await?;
        refused.problem(422, "INVALID_REQUEST").fault("INVALID_VALUE", None, "/scopes");
    }
    let (_, admin) = make(&world, "admin", None).await?;
    assert_eq!(world.get("/api/v1/openapi.json").await?.body["openapi"], "3.1.0", "/docs reads it");
    let refused = world.get("/api/v1/executions").await?;
    assert_eq!(
        refused.problem(401, "UNAUTHENTICATED").header("www-authenticate"),
        "Bearer realm=\"millrace\""
    );
    let (_, reader) = make(&world, "read", Some(&admin)).await?;
    let (_, runner) = make(&world, "run", Some(&admin)).await?;

    let run = |key: &str| {
        let request = world.request(Method::POST, "/api/v1/executions").bearer_auth(key);
        Reply::of(request.json(&json!({"workflow": constant()})))
    };
    assert_eq!(get(&world, "/api/v1/executions", &reader).await?.status, 200);
    run(&reader).await?.problem(403, "FORBIDDEN");
    assert_eq!(run(&runner).await?.status, 202);
    assert_eq!(get(&world, "/api/v1/executions", &runner).await?.status, 200);
    get(&world, "/api/v1/keys", &runner).await?.problem(403, "FORBIDDEN");
    let who = get(&world, "/api/v1/session", &runner).await?.body;
    assert_eq!(who, json!({"guarded": true, "name": "run", "scope": "run"}));

    let all = get(&world, "/api/v1/keys", &admin).await?;
    assert_eq!(all.body["keys"].as_array().map(Vec::len), Some(3));
    assert!(!String::from_utf8_lossy(&all.bytes).contains(&admin), "the text of a key is shown once");
    // Pages, and whether the server is alive, are everybody's.
    for path in ["/", "/docs", "/healthz"] {
        assert_eq!(world.get(path).await?.status, 200, "{path}");
    }
    world.stop().await
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_and_so_are_keys_that_are_none() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (_, admin) = make(&world, "admin", None).await?;
    let (id, reader) = make(&world, "read", Some(&admin)).await?;
    assert_eq!(get(&world, "/api/v1/executions", &reader).await?.status, 200);
    let revoke = world.request(Method::DELETE, &format!("/api/v1/keys/{id}"));
    assert_eq!(Reply::of(keyed(revoke, Some(&admin))).await?.status, 204);
    let never = KeySecret::generate();
    for key in [reader.as_str(), never.expose(), "mr_short", ""] {
        get(&world, "/api/v1/executions", key).await?.problem(401, "UNAUTHENTICATED");
    }
    let unknown = world.request(Method::DELETE, "/api/v1/keys/0199b5a2-0000-7000-8000-000000000000");
    Reply::of(keyed(unknown, Some(&admin))).await?.problem(404, "NOT_FOUND");
    let odd =
        world.request(Method::POST, "/api/v1/keys").json(&json!({"name": "", "scopes": ["all"], "x": 1}));
    let odd = Reply::of(keyed(odd, Some(&admin))).await?;
    for (code, place) in [("INVALID_VALUE", "/name"), ("INVALID_VALUE", "/scopes"), ("UNKNOWN_FIELD", "/x")] {
        odd.problem(422, "INVALID_REQUEST").fault(code, None, place);
    }
    world.stop().await
}

#[tokio::test]
async fn the_last_key_that_may_make_others_goes_last() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (first, admin) = make(&world, "admin", None).await?;
    let (reader, _) = make(&world, "read", Some(&admin)).await?;
    let revoke = async |id: &str, by: &str| {
        Reply::of(keyed(world.request(Method::DELETE, &format!("/api/v1/keys/{id}")), Some(by))).await
    };
    revoke(&first, &admin).await?.problem(409, "LAST_ADMIN_KEY");
    let (second, other) = make(&world, "admin", Some(&admin)).await?;
    // Both at once: one of them stays.
    let statuses = tokio::try_join!(revoke(&first, &admin), revoke(&second, &admin))?;
    let stayed = match (statuses.0.status, statuses.1.status) {
        (204, 409) => (second, other),
        (409, 204) => (first, admin),
        // The one that asks was revoked before it asked a second time.
        (204, 401) => (second, other),
        others => anyhow::bail!("{others:?}"),
    };
    for id in [&reader, &reader, &stayed.0] {
        assert_eq!(revoke(id, &stayed.1).await?.status, 204);
    }
    assert_eq!(world.get("/api/v1/session").await?.body["guarded"], false, "as before the first");
    world.stop().await
}

#[tokio::test]
async fn other_machines_are_served_only_where_there_are_keys() -> anyhow::Result<()> {
    let world = World::start().await?;
    let listener = TcpListener::bind("0.0.0.0:0").await?;
    let refused = run(world.deps(), listener, CancellationToken::new()).await;
    assert!(matches!(refused, Err(ApiError::NotLoopback(_))), "{refused:?}");

    let (id, admin) = make(&world, "admin", None).await?;
    let listener = TcpListener::bind("0.0.0.0:0").await?;
    let address = format!("http://127.0.0.1:{}/api/v1", listener.local_addr()?.port());
    let stop = CancellationToken::new();
    let other = tokio::spawn(run(world.deps(), listener, stop.clone()));
    let ask = |key: &str| {
        let request = world.client.get(format!("{address}/executions")).header("host", "millrace.example");
        Reply::of(request.bearer_auth(key))
    };
    assert_eq!(ask(&admin).await?.status, 200);
    // With its last key revoked, such a server is closed and not open.
    world.store.api_keys().revoke(id.parse()?).await?;
    let gone = KeySecret::generate();
    ask(gone.expose()).await?.problem(401, "UNAUTHENTICATED");
    Reply::of(world.client.get(format!("{address}/executions"))).await?.problem(401, "UNAUTHENTICATED");
    stop.cancel();
    other.await??;
    world.stop().await
}

#[tokio::test]
async fn a_known_key_stays_good_while_the_database_is_away() -> anyhow::Result<()> {
    let auth = millrace_config::Auth { key_freshness: std::time::Duration::ZERO, ..Default::default() };
    let mut world = World::start_guarded(Api::default(), auth, TestPostgres::start_alone().await?).await?;
    let (_, admin) = make(&world, "admin", None).await?;
    assert_eq!(get(&world, "/api/v1/queues", &admin).await?.status, 200);
    world.postgres.server().expect("the server is this test's own").kill().await;
    assert_eq!(get(&world, "/api/v1/queues", &admin).await?.status, 200);
    let never = KeySecret::generate();
    get(&world, "/api/v1/queues", never.expose()).await?.problem(503, "DATABASE_UNAVAILABLE");
    world.stop().await
}

#[tokio::test]
async fn idempotency_keys_of_different_callers_do_not_meet() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (_, admin) = make(&world, "admin", None).await?;
    let (_, runner) = make(&world, "run", Some(&admin)).await?;
    let save = keyed(world.request(Method::POST, "/api/v1/workflows").json(&constant()), Some(&admin));
    let saved = Reply::of(save).await?.body["id"].as_str().unwrap_or_default().to_owned();
    let send = |path: &str, body: serde_json::Value, key: &str| {
        let request = world.request(Method::POST, path).bearer_auth(key).header("idempotency-key", "order-1");
        Reply::of(request.json(&body))
    };
    for (path, body) in [
        ("/api/v1/executions".to_owned(), json!({"workflow": constant()})),
        (format!("/api/v1/workflows/{saved}/run-batch"), json!({"inputs": [{}, {}]})),
    ] {
        let theirs = send(&path, body.clone(), &admin).await?;
        let own = send(&path, body.clone(), &runner).await?;
        assert_eq!((theirs.status, own.status), (202, 202), "{own:?}");
        let ids = |reply: &Reply| (reply.body["execution_id"].clone(), reply.body["execution_ids"].clone());
        assert_ne!(ids(&theirs), ids(&own), "{path}");
        assert_eq!(ids(&own), ids(&send(&path, body, &runner).await?), "{path}");
    }
    world.stop().await
}
