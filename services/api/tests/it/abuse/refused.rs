//! Who is refused before the body is read, and sends all of it before it listens, hears why all the same.

use millrace_config::Api;
use millrace_testkit::TestPostgres;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::PATIENCE;
use crate::support::{Reply, World};

/// More than the buffers of a connection take.
const MUCH: usize = 24 << 20;

/// The status of the answer, which is read when everything is sent.
async fn status_after_all(world: &World, head: &str) -> anyhow::Result<u16> {
    let mut connection = TcpStream::connect(world.base.trim_start_matches("http://")).await?;
    let head = format!("{head}\r\nhost: localhost\r\ncontent-length: {MUCH}\r\n\r\n");
    let talk = async {
        connection.write_all(head.as_bytes()).await?;
        connection.write_all(&vec![b'7'; MUCH]).await?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await?;
        let text = String::from_utf8_lossy(&answer);
        let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or_default();
        anyhow::ensure!(text.contains("\"code\""), "the whole answer: {text}");
        Ok(status.parse()?)
    };
    tokio::time::timeout(PATIENCE, talk).await?
}

#[tokio::test]
async fn a_sender_of_much_hears_why_it_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let cases = [
        ("POST /api/v1/executions HTTP/1.1\r\ncontent-type: text/plain", 415),
        ("POST /api/v1/blobs HTTP/1.1\r\ncontent-type: image/png\r\ncontent-encoding: gzip", 415),
        ("POST /api/v1/nothing HTTP/1.1", 404),
        ("POST /api/v1/blobs HTTP/1.1\r\norigin: https://evil.example", 403),
    ];
    for (head, status) in cases {
        assert_eq!(status_after_all(&world, head).await?, status, "{head}");
    }
    let key = world.request(Method::POST, "/api/v1/keys").json(&json!({"name": "a", "scopes": ["admin"]}));
    assert_eq!(Reply::of(key).await?.status, 201);
    assert_eq!(status_after_all(&world, "POST /api/v1/blobs HTTP/1.1").await?, 401);
    world.stop().await
}

#[tokio::test]
async fn an_overloaded_server_says_so_to_a_sender_of_much() -> anyhow::Result<()> {
    let settings = Api { max_concurrent_requests: 0, ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    assert_eq!(status_after_all(&world, "POST /api/v1/blobs HTTP/1.1").await?, 503);
    world.stop().await
}
