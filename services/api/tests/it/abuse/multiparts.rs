//! Forms: runs and uploads.

use millrace_config::{Api, ByteSize};
use millrace_testkit::TestPostgres;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::mutate::{damaged, damages, next};
use super::{PATIENCE, expect_health, expect_sense};
use crate::support::{World, png, show};

const CASES: usize = 600;

/// A form that would be taken.
fn form() -> Vec<u8> {
    let mut form = Vec::new();
    let mut part = |headers: &str, content: &[u8]| {
        form.extend_from_slice(format!("--edge\r\n{headers}\r\n\r\n").as_bytes());
        form.extend_from_slice(content);
        form.extend_from_slice(b"\r\n");
    };
    part("content-disposition: form-data; name=\"request\"", br#"{"labels": {"a": "b"}}"#);
    part(
        "content-disposition: form-data; name=\"input\"\r\ncontent-type: application/json",
        br#"{"min": 0.5}"#,
    );
    part(
        "content-disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\ncontent-type: image/png",
        &png(8, 8),
    );
    part("content-disposition: form-data; name=\"min\"", b"0.25");
    form.extend_from_slice(b"--edge--\r\n");
    form
}

#[tokio::test]
async fn mangled_forms_are_answered_and_leave_nothing_behind() -> anyhow::Result<()> {
    let world = World::start().await?;
    let run = format!("/api/v1/workflows/{}/run", world.save(&show()).await?);
    let mut runner = TestRunner::deterministic();
    let boundary =
        prop::sample::select(vec!["edge", "edge", "edge", "other", "", "\"edge", "e\u{0}", "edge; x=y"]);
    let case = (any::<bool>(), boundary, damages());
    let mut refused = 0;
    for _ in 0..CASES {
        let (uploads, boundary, damages) = next(&mut runner, &case);
        let path = if uploads { "/api/v1/blobs" } else { &run };
        let kind = format!("content-type: multipart/form-data; boundary={boundary}\r\n");
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{kind}");
        let status = expect_sense(&world, &head, &damaged(form(), &damages)).await;
        // A head with a NUL is no HTTP: there is no api yet to give a reason.
        if boundary.contains('\u{0}') {
            continue;
        }
        refused += usize::from(status? >= 400);
    }
    assert!(refused > CASES / 3 && refused < CASES, "{refused} of {CASES} were refused: both must happen");
    expect_health(&world).await?;
    world.stop().await
}

#[tokio::test]
async fn a_form_of_very_many_parts_is_bounded() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run", world.save(&show()).await?);
    let part = "--edge\r\ncontent-disposition: form-data; name=\"min\"\r\n\r\n0.5\r\n";
    let form = format!("{}--edge--\r\n", part.repeat(10_001));
    let kind = "content-type: multipart/form-data; boundary=edge\r\n";
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{kind}");
    assert_eq!(expect_sense(&world, &head, form.as_bytes()).await?, 422);
    expect_health(&world).await?;
    world.stop().await
}

/// What a client has to send before it listens, bytes: more than the buffers between it and the server hold.
const MUCH: usize = 8 << 20;

/// Sends all of a form with a large file, and only then reads the status.
async fn status_after_all(world: &World, path: &str, file: &str) -> anyhow::Result<u16> {
    let mut form =
        format!("--edge\r\ncontent-disposition: form-data; name=\"{file}\"; filename=\"a\"\r\n\r\n")
            .into_bytes();
    form.resize(form.len() + MUCH, b'7');
    form.extend_from_slice(b"\r\n--edge--\r\n");
    let kind = "content-type: multipart/form-data; boundary=edge";
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{kind}\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    let mut connection = TcpStream::connect(world.base.trim_start_matches("http://")).await?;
    let talk = async {
        connection.write_all(head.as_bytes()).await?;
        connection.write_all(&form).await?;
        let mut status = [0; "HTTP/1.1 200".len()];
        connection.read_exact(&mut status).await?;
        Ok::<_, anyhow::Error>(String::from_utf8_lossy(&status[9..]).parse()?)
    };
    tokio::time::timeout(PATIENCE, talk).await?
}

/// A connection that is closed on a sender costs it the answer.
#[tokio::test]
async fn a_form_that_is_refused_in_its_middle_is_read_to_its_end() -> anyhow::Result<()> {
    let settings = Api { max_body: ByteSize::mib(1), ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    for path in ["/api/v1/blobs", "/api/v1/inference/detection"] {
        assert_eq!(status_after_all(&world, path, "image").await?, 413, "{path}");
    }
    world.stop().await?;
    let world = World::start().await?;
    // The file before the `request` that it belongs to.
    assert_eq!(status_after_all(&world, "/api/v1/executions", "photo").await?, 422);
    world.stop().await
}
