//! Files of models: larger than any other blob, sent as they are, and only by those who may register a model.

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use millrace_contracts::BlobId;
use millrace_testkit::eventually;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{DEADLINE, MAX_MODEL, Reply, World};

const DOOR: &str = "/api/v1/blobs?for=model";
const MIB: u64 = 1 << 20;
const PIECE: usize = 64 << 10;

/// So many bytes that nobody holds together.
fn pattern(bytes: u64) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    let pieces = bytes / PIECE as u64;
    stream::iter((0..pieces).map(|at| Ok(Bytes::from(vec![(at % 251) as u8; PIECE]))))
}

async fn digest(bytes: u64) -> BlobId {
    let hasher = pattern(bytes)
        .fold(Sha256::new(), async |hasher, piece| hasher.chain_update(piece.unwrap_or_default()));
    BlobId::from_digest(hasher.await.finalize().into())
}

/// What this process takes of memory now, and what it took at most since [`forget_peak`], MiB.
fn memory() -> anyhow::Result<[u64; 2]> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        anyhow::Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? >> 10)
    };
    Ok([mib("VmRSS:")?, mib("VmHWM:")?])
}

fn forget_peak() -> std::io::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5")
}

/// The api, the client and the test are one process, and no other test is in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_model_may_be_larger_than_any_other_and_is_not_held_in_memory() -> anyhow::Result<()> {
    let world = World::start().await?;
    let size = 90 * MIB;
    let id = digest(size).await;
    let send = |path: &str, size: u64| {
        let body = Body::wrap_stream(pattern(size));
        Reply::of(world.request(Method::POST, path).header("content-length", size).body(body))
    };
    let refused = send("/api/v1/blobs", 64 * MIB + PIECE as u64).await?;
    let detail = refused.problem(413, "PAYLOAD_TOO_LARGE").body["detail"].to_string();
    assert!(detail.contains("64 MiB") && detail.contains("?for=model"), "{detail}");

    forget_peak()?;
    let [before, _] = memory()?;
    let stored = send(DOOR, size).await?;
    let [_, peak] = memory()?;
    assert_eq!(stored.status, 201, "{stored:?}");
    assert_eq!((&stored.body["blob"], &stored.body["bytes"]), (&json!(id), &json!(size)));
    assert!(peak < before + 60, "from {before} to {peak} MiB for {} MiB that pass through", size / MIB);

    let model = json!({"id": "acme/vit", "task": "classification", "checkpoint": format!("blob:{id}")});
    assert_eq!(world.post("/api/v1/models", &model).await?.status, 201);
    let last = world.request(Method::GET, stored.header("location")).header("range", "bytes=-3");
    assert_eq!(Reply::of(last).await?.bytes, [((size / PIECE as u64 - 1) % 251) as u8; 3]);
    world.stop().await
}

#[tokio::test]
async fn what_is_no_file_of_a_model_or_too_large_is_refused_and_leaves_nothing() -> anyhow::Result<()> {
    let world = World::start().await?;
    let other = world.request(Method::POST, "/api/v1/blobs?for=fun").body("x");
    Reply::of(other).await?.problem(400, "INVALID_QUERY").fault("INVALID_VALUE", None, "/for");
    let form = Form::new().part("file", Part::bytes(b"x".to_vec()).file_name("model.onnx"));
    let form = world.request(Method::POST, DOOR).multipart(form);
    Reply::of(form).await?.problem(415, "UNSUPPORTED_MEDIA_TYPE");

    // Nobody says how long it is.
    let larger = Body::wrap_stream(pattern(MAX_MODEL.bytes() + MIB));
    let refused = Reply::of(world.request(Method::POST, DOOR).body(larger)).await?;
    let detail = refused.problem(413, "PAYLOAD_TOO_LARGE").body["detail"].to_string();
    assert!(detail.contains("96 MiB") && detail.contains("models.max_file"), "{detail}");
    assert_eq!(kept(&world), 0);
    world.stop().await
}

/// As `Ctrl-C` does it.
#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_and_makes_room() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut begun = Vec::new();
    for _ in 0..4 {
        let mut connection = TcpStream::connect(world.base.trim_start_matches("http://")).await?;
        let head = format!("POST {DOOR} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", 80 * MIB);
        connection.write_all(head.as_bytes()).await?;
        connection.write_all(&vec![7; 8 << 20]).await?;
        begun.push(connection);
    }
    let grow = async || Ok::<_, std::io::Error>((kept(&world) == 4).then_some(()));
    eventually(DEADLINE, "four files that grow", grow).await?;
    // Nobody says how small it is.
    let send = || Reply::of(world.request(Method::POST, DOOR).body(Body::wrap_stream(pattern(MIB))));
    send().await?.problem(503, "OVERLOADED");
    let small = Reply::of(world.request(Method::POST, DOOR).body("weights")).await?;
    assert_eq!(small.status, 201, "it needs no place among the large ones");
    drop(begun);
    let gone = async || Ok::<_, std::io::Error>((kept(&world) == 1).then_some(()));
    eventually(DEADLINE, "nothing of them, but for the small one", gone).await?;
    let again = async || send().await.map(|reply| (reply.status == 201).then_some(()));
    eventually(DEADLINE, "room for another", again).await?;
    world.stop().await
}

#[tokio::test]
async fn only_who_may_register_a_model_sends_its_files() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut keys = Vec::new();
    for scope in ["admin", "run"] {
        let body = json!({"name": scope, "scopes": [scope]});
        let mut request = world.request(Method::POST, "/api/v1/keys").json(&body);
        if let Some(admin) = keys.first() {
            request = request.bearer_auth(admin);
        }
        let made = Reply::of(request).await?;
        keys.push(made.body["key"].as_str().unwrap_or_default().to_owned());
    }
    let send =
        |key: &str, path: &str| Reply::of(world.request(Method::POST, path).bearer_auth(key).body("x"));
    assert_eq!(send(&keys[0], DOOR).await?.status, 201);
    send(&keys[1], DOOR).await?.problem(403, "FORBIDDEN");
    assert_eq!(send(&keys[1], "/api/v1/blobs").await?.status, 201);
    world.stop().await
}

/// Files in the blob store, and those that grow.
fn kept(world: &World) -> usize {
    fn in_folder(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| if entry.path().is_dir() { in_folder(&entry.path()) } else { 1 }).sum()
    }
    in_folder(world.folder.path())
}
