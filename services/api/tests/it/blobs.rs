//! `/blobs`: up, down, in parts, and for ever.

mod bucket;
mod models;
mod thumbnail;

use millrace_config::{Api, ByteSize};
use millrace_contracts::BlobId;
use millrace_testkit::TestPostgres;
use reqwest::Method;
use reqwest::multipart::{Form, Part};

use crate::support::{Reply, World, png};

#[tokio::test]
async fn bytes_come_back_whole_in_parts_and_with_what_caches_need() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut bytes = png(12, 7);
    bytes.extend((0..3_000_000u32).map(|at| (at % 251) as u8));
    let stored = Reply::of(world.request(Method::POST, "/api/v1/blobs").body(bytes.clone())).await?;
    let (id, size) = (BlobId::of(&bytes), bytes.len());
    assert_eq!((stored.status, stored.body["blob"].as_str()), (201, Some(id.to_string().as_str())));
    assert_eq!(stored.body["content_type"], "image/png");
    assert_eq!((&stored.body["width"], &stored.body["height"]), (&12.into(), &7.into()));
    let path = format!("/api/v1/blobs/{id}");
    let named_as_in_inputs = world.get(&format!("/api/v1/blobs/blob:{id}")).await?;
    assert_eq!((named_as_in_inputs.status, named_as_in_inputs.header("etag")), (200, &*format!("\"{id}\"")));
    assert_eq!(stored.header("location"), path);

    let whole = world.get(&path).await?;
    assert!(whole.bytes == bytes);
    assert_eq!(whole.header("content-type"), "image/png");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert!(whole.header("cache-control").contains("immutable"));
    assert_eq!(whole.header("etag"), format!("\"{id}\""));

    let range = |text: &str| Reply::of(world.request(Method::GET, &path).header("range", text));
    let part = range("bytes=1048570-1048589").await?;
    assert_eq!((part.status, &part.bytes[..]), (206, &bytes[1_048_570..1_048_590]));
    assert_eq!(part.header("content-range"), format!("bytes 1048570-1048589/{size}"));
    let tail = range("bytes=-5").await?;
    assert_eq!((tail.status, &tail.bytes[..]), (206, &bytes[size - 5..]));
    let outside = range(&format!("bytes={size}-")).await?;
    assert_eq!(
        outside.problem(416, "RANGE_NOT_SATISFIABLE").header("content-range"),
        format!("bytes */{size}")
    );

    let head = Reply::of(world.request(Method::HEAD, &path)).await?;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-length"), size.to_string());
    let known = world.request(Method::GET, &path).header("if-none-match", format!("\"{id}\""));
    assert_eq!(Reply::of(known).await?.status, 304);
    world.stop().await
}

#[tokio::test]
async fn files_of_a_form_are_stored_each_and_nothing_is_served_that_runs() -> anyhow::Result<()> {
    let world = World::start().await?;
    let form = Form::new().part("a", Part::bytes(png(1, 1)).file_name("a.png")).part(
        "b",
        Part::bytes(b"<html><script>alert(1)</script>".to_vec()).file_name("b.html").mime_str("text/html")?,
    );
    let stored = Reply::of(world.request(Method::POST, "/api/v1/blobs").multipart(form)).await?;
    assert_eq!(stored.status, 201, "{stored:?}");
    assert_eq!(stored.body["blobs"][0]["file_name"], "a.png");
    let page = world.get(stored.body["blobs"][1]["url"].as_str().unwrap()).await?;
    assert_eq!(page.header("content-type"), "application/octet-stream");
    assert!(page.header("content-security-policy").contains("sandbox"));
    let empty = Reply::of(world.request(Method::POST, "/api/v1/blobs").body("")).await?;
    assert_eq!(world.get(empty.body["url"].as_str().unwrap()).await?.bytes, b"");
    world.get(&format!("/api/v1/blobs/{}", BlobId::of(b"nobody's"))).await?.problem(404, "NOT_FOUND");
    world.get("/api/v1/blobs/xyz").await?.problem(404, "NOT_FOUND");
    world.stop().await
}

#[tokio::test]
async fn a_form_that_is_too_large_is_told_so() -> anyhow::Result<()> {
    let settings = Api { max_body: ByteSize::mib(1), ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let form = Form::new().part("a", Part::bytes(vec![7; 1_100_000]).file_name("a.bin"));
    let sent = Reply::of(world.request(Method::POST, "/api/v1/blobs").multipart(form)).await?;
    sent.problem(413, "PAYLOAD_TOO_LARGE");
    world.stop().await
}

/// As `curl -T- -H "Transfer-Encoding: chunked"` sends it: nobody says how long it is.
#[tokio::test]
async fn a_body_without_a_length_is_held_to_the_limit_as_well() -> anyhow::Result<()> {
    let settings = Api { max_body: ByteSize::mib(1), ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    for (mib, status) in [(1, 201), (2, 413)] {
        let chunks = vec![vec![mib as u8; 64 << 10]; mib << 4];
        let bytes = chunks.concat();
        let chunks = futures::stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>));
        let upload = world.request(Method::POST, "/api/v1/blobs").body(reqwest::Body::wrap_stream(chunks));
        let sent = Reply::of(upload).await?;
        assert_eq!(sent.status, status, "{sent:?}");
        if status == 413 {
            sent.problem(413, "PAYLOAD_TOO_LARGE");
        }
        assert_eq!(world.blobs.head(BlobId::of(&bytes)).await?.is_some(), status == 201);
    }
    world.stop().await
}
