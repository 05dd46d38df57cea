//! What abuse takes of the api's memory, it gives back: bodies too large and too wide, forms that never end, heads that come a
//! byte at a time, callers that hang up. Round after round, and the last one leaves no more behind than the first.

use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::{join_all, try_join_all};
use millrace_testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::roles::{Role, Site};
use crate::size;

const DEADLINE: Duration = Duration::from_secs(60);
const MIB: usize = 1024 * 1024;
/// The allocator keeps what is freed for a second, and is asked every second.
const KEPT: Duration = Duration::from_millis(2_500);

/// What the last round may leave beyond what the first one left: what the allocator keeps of the pages that its threads have used,
/// which is not the same every time. One of the large bodies of a round alone has more, and so has a leak of 2 KiB for each
/// request of the rounds between.
const BOUND_BYTES: u64 = 16 * MIB as u64;

/// Small requests of one round.
const SMALL: usize = 2_000;
/// Of them at once.
const SMALL_AT_ONCE: usize = 50;
/// Connections that send a part of a head, or of a body, and are silent then.
const SILENT: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_back_after_abuse() -> anyhow::Result<()> {
    let rounds = size(5, 15);
    let site = Site::start().await?;
    let api = site.api()?;
    let client = site.client().await?;
    let idle = settled(&api).await?;
    let mut levels = Vec::new();
    for _ in 0..rounds {
        round(&site).await?;
        levels.push(settled(&api).await?);
    }
    let first = levels[0];
    let back = eventually(DEADLINE, "the memory is back at its level", async || {
        let now = api.memory_bytes()?;
        anyhow::Ok((now <= first + BOUND_BYTES).then_some(now))
    });
    let last = back.await.with_context(|| format!("{idle} bytes at first, after each round {levels:?}"))?;
    eprintln!(
        "anonymous memory of the api: {} MiB at first, {} MiB after one round of abuse, {} MiB after {rounds}",
        idle >> 20,
        first >> 20,
        last >> 20
    );
    anyhow::ensure!(client.get("/blocks").await?.status().is_success(), "and it serves");
    Ok(())
}

/// The memory once it falls no more, for longer than the allocator keeps what is freed.
async fn settled(api: &Role) -> anyhow::Result<u64> {
    let (mut lowest, mut since) = (api.memory_bytes()?, Instant::now());
    eventually(DEADLINE, "the memory settles", async || {
        let now = api.memory_bytes()?;
        if now + MIB as u64 <= lowest {
            (lowest, since) = (now, Instant::now());
        }
        anyhow::Ok((since.elapsed() >= KEPT).then_some(now))
    })
    .await
}

/// Everything at once.
async fn round(site: &Site) -> anyhow::Result<()> {
    let silent = try_join_all((0..SILENT).map(|number| fall_silent(site, number))).await?;
    let large = async {
        let answers = [
            send(site, "/executions", JSON, format!("{{\"input\": \"{}\"}}", "x".repeat(40 * MIB))),
            send(site, "/executions", JSON, format!("{{\"input\": \"{}\"}}", "x".repeat(30 * MIB))),
            send(site, "/executions", JSON, format!("{{\"input\": [{}0]}}", "0,".repeat(MIB))),
            send(site, "/workflows/validate", JSON, format!("{{\"nodes\": {}", "[".repeat(MIB))),
            send(site, "/blobs", "application/octet-stream", "x".repeat(70 * MIB)),
            send(site, "/executions", FORM, format!("--edge\r\n{}", "a: b\r\n".repeat(MIB))),
        ];
        for status in join_all(answers).await {
            let status = status?;
            anyhow::ensure!(status.is_none_or(|status| (400..500).contains(&status)), "answered {status:?}");
        }
        anyhow::Ok(())
    };
    let small = async {
        for some in (0..SMALL).collect::<Vec<_>>().chunks(SMALL_AT_ONCE) {
            let answers = some.iter().map(|number| send(site, "/executions", JSON, nonsense(*number)));
            for status in try_join_all(answers).await? {
                anyhow::ensure!(status.is_some_and(|status| (400..500).contains(&status)), "{status:?}");
            }
        }
        anyhow::Ok(())
    };
    tokio::try_join!(large, small)?;
    drop(silent);
    Ok(())
}

const JSON: &str = "application/json";
const FORM: &str = "multipart/form-data; boundary=edge";

/// JSON that is refused for another reason each time, at another depth of the api.
fn nonsense(number: usize) -> String {
    let long = "y".repeat(number % 4_000);
    match number % 4 {
        0 => format!("{{\"workflow\": {number}"),
        1 => format!(
            "{{\"workflow\": {{\"name\": \"{long}\", \"nodes\": [{{\"id\": \"n{number}\", \"type\": \"none\"}}]}}}}"
        ),
        2 => format!("[{number}, \"{long}\"]"),
        _ => format!("{{\"workflow\": {{\"name\": \"w\", \"nodes\": []}}, \"field{number}\": \"{long}\"}}"),
    }
}

/// A connection that has said a part of what it announced.
async fn fall_silent(site: &Site, number: usize) -> anyhow::Result<TcpStream> {
    let mut connection = TcpStream::connect(site.address()).await?;
    let head = "POST /api/v1/executions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let said = match number % 2 {
        0 => head.to_owned(),
        _ => format!("{head}content-length: {}\r\n\r\n{{\"input\": \"{}", 16 * MIB, "z".repeat(64 * 1024)),
    };
    connection.write_all(said.as_bytes()).await?;
    Ok(connection)
}

/// Sends a body, and takes the answer's status; none where the api closed the connection before all was sent.
async fn send(site: &Site, path: &str, kind: &str, body: String) -> anyhow::Result<Option<u16>> {
    let mut connection = TcpStream::connect(site.address()).await?;
    let head = format!(
        "POST /api/v1{path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    let talk = async {
        connection.write_all(head.as_bytes()).await?;
        connection.write_all(body.as_bytes()).await?;
        let mut answer = Vec::new();
        connection.take(64 * 1024).read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let Ok(answer) = tokio::time::timeout(DEADLINE, talk).await.with_context(|| format!("{path} hangs"))?
    else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&answer);
    Ok(text.split(' ').nth(1).and_then(|status| status.parse().ok()))
}
