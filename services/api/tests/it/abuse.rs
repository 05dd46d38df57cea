//! Whatever is sent, however it is mangled, gets a typed answer or a closed connection, and the server goes on: thousands of
//! mutated bodies, forms, paths and heads against a real api over loopback. The choice is random and the same every time.

mod bodies;
mod heads;
mod multiparts;
mod mutate;
mod refused;

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{World, constant};

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);
/// No answer to nonsense is larger, bytes.
const MAX_ANSWER: u64 = 1 << 20;

/// What came back for the bytes of one connection: the status and the body; none where it was closed without a word. A client
/// that `hangs_up` says nothing more, so that nobody waits for what does not come.
async fn exchange(world: &World, sent: &[u8], hangs_up: bool) -> anyhow::Result<Option<(u16, String)>> {
    let mut connection = TcpStream::connect(world.base.trim_start_matches("http://")).await?;
    let talk = async {
        // The server may have heard enough before everything is said.
        if connection.write_all(sent).await.is_ok() && hangs_up {
            drop(connection.shutdown().await);
        }
        let mut answer = Vec::new();
        drop((&mut connection).take(MAX_ANSWER).read_to_end(&mut answer).await);
        answer
    };
    let answer = tokio::time::timeout(PATIENCE, talk).await;
    let answer = answer.map_err(|_| anyhow::anyhow!("it hangs: {:?}", String::from_utf8_lossy(sent)))?;
    if answer.is_empty() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| anyhow::anyhow!("no HTTP: {head:?}"))?;
    Ok(Some((status, body.to_owned())))
}

/// Sends a request with this body, and checks that the answer is one that its caller can understand.
async fn expect_sense(world: &World, head: &str, body: &[u8]) -> anyhow::Result<u16> {
    let mut sent = format!("{head}content-length: {}\r\nconnection: close\r\n\r\n", body.len()).into_bytes();
    sent.extend_from_slice(body);
    let shown = || format!("{head:?} {:?}", String::from_utf8_lossy(&body[..body.len().min(2000)]));
    let Some((status, answer)) = exchange(world, &sent, false).await? else {
        anyhow::bail!("no answer to {}", shown());
    };
    anyhow::ensure!(status < 500, "{status} {answer} to {}", shown());
    if status >= 400 {
        // Chunks may frame it; the object is what counts.
        let object = answer.find('{').zip(answer.rfind('}')).map(|(from, to)| &answer[from..=to]);
        let problem: Value = serde_json::from_str(object.unwrap_or_default())?;
        anyhow::ensure!(problem["code"].is_string(), "{status} {answer} to {}", shown());
    }
    Ok(status)
}

/// The server is none the worse for it.
async fn expect_health(world: &World) -> anyhow::Result<()> {
    assert_eq!(world.get("/healthz").await?.status, 200);
    let accepted = world.post("/api/v1/executions", &serde_json::json!({"workflow": constant()})).await?;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    Ok(())
}
