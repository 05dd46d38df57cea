//! What holds at every address: wrong addresses, who may call, limits, request ids and traces.

use std::time::Duration;

use millrace_config::Api;
use millrace_contracts::BlobId;
use millrace_testkit::TestPostgres;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Version};
use serde_json::json;

use crate::support::{Follower, Reply, World, constant, operations};

#[tokio::test]
async fn wrong_addresses_methods_and_callers_are_told_so() -> anyhow::Result<()> {
    let world = World::start().await?;
    let lost = world.get("/api/v1/nothing").await?;
    assert_eq!(lost.problem(404, "ROUTE_NOT_FOUND").body["instance"], "/api/v1/nothing");
    let method = Reply::of(world.request(Method::DELETE, "/api/v1/blocks")).await?;
    assert!(method.problem(405, "METHOD_NOT_ALLOWED").header("allow").contains("GET"));
    let foreign = world.request(Method::GET, "/api/v1/blocks").header("origin", "https://evil.example");
    Reply::of(foreign).await?.problem(403, "CROSS_SITE");
    let rebound = world.request(Method::GET, "/api/v1/blocks").header("host", "evil.example");
    Reply::of(rebound).await?.problem(421, "MISDIRECTED_HOST");
    world.get("/api/v1/blocks?x=1").await?.problem(400, "INVALID_QUERY").fault("UNKNOWN_FIELD", None, "/x");
    world.stop().await
}

/// Behind a proxy that speaks HTTP/2 without encryption (h2c with prior knowledge), on the same port as HTTP/1.1.
#[tokio::test]
async fn http_2_is_served_beside_http_1_and_carries_event_streams() -> anyhow::Result<()> {
    let world = World::start().await?;
    let client = reqwest::Client::builder().http2_prior_knowledge().build()?;
    let url = |path: &str| format!("{}/api/v1{path}", world.base);
    let answer = client.get(url("/blocks")).send().await?;
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_2, 200));
    assert_eq!(world.request(Method::GET, "/api/v1/blocks").send().await?.version(), Version::HTTP_11);

    let mut player = world.play().await?;
    player.start().await?;
    // Both over the one connection.
    let path = format!("/executions/{}/events?from=0", player.run);
    let mut one = Follower::open(client.get(url(&path))).await?;
    let mut two = Follower::open(client.get(url(&path))).await?;
    player.complete(json!({})).await?;
    for follower in [&mut one, &mut two] {
        assert_eq!(follower.rest().await?, ["started@1-1", "completed@1-2", "end@1-2"]);
    }
    world.stop().await
}

#[tokio::test]
async fn every_operation_is_served_over_http_2_and_carries_uploads() -> anyhow::Result<()> {
    let world = World::start().await?;
    let client = reqwest::Client::builder().http2_prior_knowledge().build()?;
    let url = |path: &str| format!("{}{path}", world.base);
    let all = operations();
    assert!(all.len() > 50, "{} operations", all.len());
    for (method, path) in all {
        let of_old = world.request(method.clone(), &path).send().await?.status();
        // Only the head is waited for: event streams have no end.
        let answer = client.request(method.clone(), url(&path)).send().await?;
        assert_eq!((answer.version(), answer.status()), (Version::HTTP_2, of_old), "{method} {path}");
    }
    // Larger than the windows of a stream and of the connection.
    let (raw, file) = (vec![7; 5 << 20], vec![8; 3 << 20]);
    let form = Form::new().part("one", Part::bytes(file.clone()).file_name("one.bin"));
    let uploads = [
        client.post(url("/api/v1/blobs")).body(raw.clone()),
        client.post(url("/api/v1/blobs")).multipart(form),
    ];
    for (upload, bytes) in uploads.into_iter().zip([raw, file]) {
        let stored = upload.send().await?;
        assert_eq!((stored.version(), stored.status().as_u16()), (Version::HTTP_2, 201));
        let path = format!("/api/v1/blobs/{}", BlobId::of(&bytes));
        assert!(client.get(url(&path)).send().await?.bytes().await? == bytes, "it comes back as it went");
    }
    world.stop().await
}

#[tokio::test]
async fn request_ids_and_traces_are_taken_up() -> anyhow::Result<()> {
    let world = World::start().await?;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = world
        .request(Method::POST, "/api/v1/executions")
        .header("x-request-id", "mine-1")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .json(&json!({"workflow": constant()}));
    let accepted = Reply::of(request).await?;
    assert_eq!(accepted.header("x-request-id"), "mine-1");
    assert_eq!(accepted.body["trace_id"], trace);
    assert!(accepted.header("traceparent").contains(trace));
    let id = accepted.body["execution_id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/api/v1/executions/{id}")).await?.body["trace_id"], trace);
    let fresh = world.get("/api/v1/blocks").await?;
    assert!(!fresh.header("x-request-id").is_empty());
    world.stop().await
}

#[tokio::test]
async fn bodies_have_types_and_limits() -> anyhow::Result<()> {
    let world = World::start().await?;
    let post = |path: &str| world.request(Method::POST, path);
    let text = post("/api/v1/executions").header("content-type", "text/plain").body("{}");
    Reply::of(text).await?.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    Reply::of(post("/api/v1/executions").body("{}")).await?.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let json =
        |body: String| post("/api/v1/executions").header("content-type", "application/json").body(body);
    Reply::of(json("{\"workflow\": ".into())).await?.problem(400, "MALFORMED_BODY").fault(
        "INVALID_JSON",
        None,
        "",
    );
    Reply::of(json(String::new())).await?.problem(400, "MALFORMED_BODY");
    Reply::of(json("[]".into())).await?.problem(422, "INVALID_REQUEST").fault("INVALID_TYPE", None, "");
    let deep = json(format!("{}{}", "[".repeat(200), "]".repeat(200)));
    let deep = Reply::of(deep).await?;
    deep.problem(400, "MALFORMED_BODY");
    assert!(deep.body["detail"].as_str().is_some_and(|detail| detail.contains("too deep")), "{deep:?}");
    for (path, kind) in [("/api/v1/executions", "application/json"), ("/api/v1/blobs", "image/png")] {
        let packed = post(path).header("content-type", kind).header("content-encoding", "gzip").body("{}");
        Reply::of(packed).await?.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let huge = format!("{{\"input\": \"{}\"}}", "x".repeat(33 << 20));
    Reply::of(json(huge)).await?.problem(413, "PAYLOAD_TOO_LARGE");
    let broken =
        post("/api/v1/executions").header("content-type", "multipart/form-data; boundary=x").body("rubbish");
    Reply::of(broken).await?.problem(400, "MALFORMED_BODY");
    let unbounded = post("/api/v1/blobs").header("content-type", "multipart/form-data").body("rubbish");
    Reply::of(unbounded).await?.problem(400, "MALFORMED_BODY");
    let large = Reply::of(post("/api/v1/blobs").body(vec![0; 65 << 20])).await?;
    large.problem(413, "PAYLOAD_TOO_LARGE");
    let detail = large.body["detail"].as_str().unwrap_or_default();
    assert!(!detail.contains("/api/v1/blobs first"), "it was sent there: {detail}");
    assert!(detail.contains("blobs.max_blob"), "says what may be raised: {detail}");
    world.stop().await
}

#[tokio::test]
async fn more_than_may_be_served_is_turned_away_at_once() -> anyhow::Result<()> {
    let settings = Api { max_concurrent_requests: 0, ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    world.get("/api/v1/blocks").await?.problem(503, "OVERLOADED");
    assert_eq!(world.get("/healthz").await?.status, 200);
    world.stop().await?;

    let settings = Api { max_streams: 1, ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let run = world.submit().await?;
    let _one = world.follow(run, None).await?;
    world.get(&format!("/api/v1/executions/{run}/events")).await?.problem(503, "TOO_MANY_STREAMS");
    world.get("/api/v1/events").await?.problem(503, "TOO_MANY_STREAMS");
    world.stop().await
}

#[tokio::test]
async fn a_sender_that_stalls_does_not_hold_the_request_for_ever() -> anyhow::Result<()> {
    let settings = Api { request_timeout: Duration::from_millis(200), ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let stalled = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let request = world
        .request(Method::POST, "/api/v1/executions")
        .header("content-type", "application/json")
        .header("content-length", "10")
        .body(reqwest::Body::wrap_stream(stalled));
    Reply::of(request).await?.problem(503, "REQUEST_TIMEOUT");
    world.stop().await
}
