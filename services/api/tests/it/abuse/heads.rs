//! Request lines and headers that no client of ours would send.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::mutate::{damaged, damages, next};
use super::{exchange, expect_health};
use crate::support::World;

const CASES: usize = 1_000;

const HEADS: [&str; 12] = [
    "GET /api/v1/executions?status=completed&limit=5&cursor=abc HTTP/1.1\r\nhost: localhost\r\n",
    "GET /api/v1/blobs/../../../../etc/passwd HTTP/1.1\r\nhost: localhost\r\n",
    "GET /api/v1/blobs/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nhost: localhost\r\n",
    "GET /api/v1/executions/%00%ff%fe/events?from=-1 HTTP/1.1\r\nhost: localhost\r\n",
    "GET /docs/%2e%2e/%2e%2e/Cargo.toml HTTP/1.1\r\nhost: localhost\r\n",
    "GET //api//v1//blocks;x=1#frag HTTP/1.1\r\nhost: localhost\r\n",
    "GET http://evil.example/api/v1/blocks HTTP/1.1\r\nhost: localhost\r\n",
    "POST /api/v1/executions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n",
    "POST /api/v1/executions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\ncontent-length: 6\r\n",
    "POST /api/v1/executions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    "GET /api/v1/blocks HTTP/1.1\r\nhost: localhost\r\nrange: bytes=9-1,,-0\r\nif-match: \"\r\ntraceparent: 00-x\r\nlast-event-id: 9-9-9\r\n",
    "GET /api/v1/blocks HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer mr_\u{e9}\r\ncookie: a=b; =; ;;\r\n",
];

#[tokio::test]
async fn mangled_heads_are_refused_or_answered() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut runner = TestRunner::deterministic();
    let case = (prop::sample::select(HEADS.to_vec()), damages());
    let mut answered = 0;
    for _ in 0..CASES {
        let (head, damages) = next(&mut runner, &case);
        let mut sent = damaged(head.as_bytes().to_vec(), &damages);
        sent.extend_from_slice(b"connection: close\r\n\r\n");
        let answer = exchange(&world, &sent, true).await?;
        let status = answer.as_ref().map(|(status, _)| *status);
        assert!(
            status.is_none_or(|status| status < 500),
            "{answer:?} to {:?}",
            String::from_utf8_lossy(&sent)
        );
        answered += usize::from(status.is_some());
    }
    assert!(answered > CASES / 2, "{answered} of {CASES} were answered");
    expect_health(&world).await?;
    world.stop().await
}

/// Postgres holds no NUL in a text, whatever an address says, and what is no text at all is no name either.
#[tokio::test]
async fn addresses_that_are_no_text_name_nothing() -> anyhow::Result<()> {
    let world = World::start().await?;
    for path in [
        "collections/a%00b",
        "collections/a%00b/points/c",
        "collections/a/points/%00",
        "models/%00",
        "workflows/%ff",
        "executions/a%C3/nodes/b",
    ] {
        world.get(&format!("/api/v1/{path}")).await?.problem(404, "NOT_FOUND");
    }
    world.get("/api/v1/inference/jobs?model_id=a%00b").await?.problem(400, "INVALID_QUERY");
    world.stop().await
}

#[tokio::test]
async fn heads_without_end_are_cut_off() -> anyhow::Result<()> {
    let world = World::start().await?;
    let start = "GET /api/v1/blocks HTTP/1.1\r\nhost: localhost\r\n";
    let end = "connection: close\r\n\r\n";
    let status = async |head: String| {
        anyhow::Ok(exchange(&world, head.as_bytes(), false).await?.map(|(status, _)| status))
    };
    let long = format!("{start}x-long: {}\r\n{end}", "x".repeat(1 << 20));
    assert!(matches!(status(long).await?, None | Some(400 | 431)));
    let many: String = (0..20_000).map(|at| format!("x-{at}: 1\r\n")).collect();
    assert!(matches!(status(format!("{start}{many}{end}")).await?, None | Some(400 | 431)));
    let path = format!("GET /api/v1/{} HTTP/1.1\r\nhost: localhost\r\n{end}", "a/".repeat(100_000));
    assert!(matches!(status(path).await?, None | Some(400 | 404 | 414 | 431)));
    expect_health(&world).await?;
    world.stop().await
}
