//! How often a key may call, which sites may, what every answer carries, and who may hold a connection.

use std::time::{Duration, Instant};

use millrace_config::{Api, Auth};
use millrace_testkit::TestPostgres;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{get, make};
use crate::support::{DEADLINE, Reply, World};

#[tokio::test]
async fn a_key_that_calls_too_often_is_slowed_down_alone() -> anyhow::Result<()> {
    let auth = Auth { requests_per_second: 1, burst: 5, ..Auth::default() };
    let world = World::start_guarded(Api::default(), auth, TestPostgres::start().await?).await?;
    let (_, admin) = make(&world, "admin", None).await?;
    let (_, other) = make(&world, "read", Some(&admin)).await?;
    let mut replies = Vec::new();
    for _ in 0..12 {
        replies.push(get(&world, "/api/v1/blocks", &other).await?);
    }
    assert!(replies[..5].iter().all(|reply| reply.status == 200));
    let refused = replies.iter().find(|reply| reply.status == 429).expect("a refusal");
    refused.problem(429, "RATE_LIMITED");
    assert_eq!(get(&world, "/api/v1/blocks", &admin).await?.status, 200, "the other key is not slowed down");
    world.stop().await
}

#[tokio::test]
async fn named_sites_may_call_and_answers_are_protected() -> anyhow::Result<()> {
    let auth = Auth { allowed_origins: vec!["https://ours.example".to_owned()], ..Auth::default() };
    let world = World::start_guarded(Api::default(), auth, TestPostgres::start().await?).await?;
    let from = |origin: &str| world.request(Method::GET, "/api/v1/blocks").header("origin", origin);
    let ours = Reply::of(from("https://ours.example")).await?;
    assert_eq!((ours.status, ours.header("access-control-allow-origin")), (200, "https://ours.example"));
    let shown = ours.header("access-control-expose-headers");
    assert!(shown.contains("idempotency-replayed") && shown.contains("content-range"), "{shown}");
    let theirs = Reply::of(from("https://evil.example")).await?;
    assert_eq!(theirs.problem(403, "CROSS_SITE").header("access-control-allow-origin"), "");
    assert_eq!(ours.header("x-content-type-options"), "nosniff");
    assert!(ours.header("content-security-policy").contains("default-src 'none'"));
    let preflight = world
        .request(Method::OPTIONS, "/api/v1/executions")
        .header("origin", "https://ours.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    let allowed = preflight.send().await?;
    assert_eq!(allowed.status(), 200);
    assert_eq!(allowed.headers()["access-control-allow-origin"], "https://ours.example");
    world.stop().await
}

#[tokio::test]
async fn connections_that_say_nothing_or_little_are_closed_and_make_room() -> anyhow::Result<()> {
    let settings = Api { max_connections: 8, header_timeout: Duration::from_millis(300), ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let address = world.base.trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    // Nothing; the beginning of HTTP/2; the beginning of a head that never ends.
    for greeting in ["", "PRI * HTTP/2", "P", "GET /api/v1/blocks HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        for _ in 0..4 {
            let mut connection = TcpStream::connect(&address).await?;
            connection.write_all(greeting.as_bytes()).await?;
            held.push(connection);
        }
    }
    let begun = Instant::now();
    assert_eq!(tokio::time::timeout(DEADLINE, world.get("/api/v1/blocks")).await??.status, 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    for mut connection in held {
        let mut rest = Vec::new();
        // A reset is an end too.
        drop(tokio::time::timeout(DEADLINE, connection.read_to_end(&mut rest)).await?);
    }
    world.stop().await
}
