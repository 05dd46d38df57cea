//! Abuse leaves nothing behind: after a storm of large, mangled, slow and broken requests the process that took it answers as
//! before, and its memory is back at its level.

use std::time::Duration;

use anyhow::Context;
use futures::future::join_all;
use millrace_testkit::eventually;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::Stack;

/// What the process may keep beyond what it had after the first storm, KiB: allocators give back in their own time.
const MARGIN_KIB: u64 = 64 * 1024;
const MIB: usize = 1 << 20;
/// Longer than the server waits for heads that do not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Resident memory of a process, KiB.
fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a line of its memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Bodies beyond every limit, bodies that do not parse, forms, heads that are never finished.
async fn storm(stack: &Stack) -> anyhow::Result<()> {
    let client = stack.client();
    let large = format!("{{\"workflow\": \"{}\"}}", "x".repeat(36 * MIB));
    let nested = "[".repeat(MIB);
    let text = format!("{{\"input\": {{\"a\": \"{}\"}}, \"workflow\": {{}}}}", "y".repeat(8 * MIB));
    for body in [&large, &nested, &text] {
        let posts = (0..3).map(|_| client.post_text("/executions", body));
        // The server may hang up on what is far too large before all of it is sent.
        for answer in join_all(posts).await.into_iter().flatten() {
            let status = answer.status().as_u16();
            assert!((400..500).contains(&status) || status == 503, "{status}");
        }
    }
    let address = stack.api.trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    for _ in 0..200 {
        let mut slow = TcpStream::connect(&address).await?;
        slow.write_all(b"POST /api/v1/executions HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await?;
        held.push(slow);
    }
    for at in 0..500_u32 {
        let wrong = format!(
            "{{\"workflow\": {{\"name\": \"n{at}\", \"nodes\": [{{\"id\": \"a\", \"type\": \"t{at}\"}}]}}}}"
        );
        let status = client.post_text("/executions", &wrong).await?.status().as_u16();
        assert_eq!(status, 422, "while {} connections say nothing", held.len());
    }
    Ok(())
}

#[tokio::test]
async fn memory_is_back_at_its_level_after_a_storm() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    // Once to fill what is meant to be filled: pools, caches, arenas.
    storm(&stack).await?;
    let level = resident_kib(stack.pid())?;
    for _ in 0..2 {
        storm(&stack).await?;
    }
    let left = eventually(PATIENCE, "memory is back", async || {
        let now = resident_kib(stack.pid())?;
        anyhow::Ok((now <= level + MARGIN_KIB).then_some(now))
    })
    .await?;
    println!("resident: {level} KiB after the first storm, {left} KiB after two more");
    assert_eq!(stack.client().get("/blocks").await?.status(), 200);
    Ok(())
}
