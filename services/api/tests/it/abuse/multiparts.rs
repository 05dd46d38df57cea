//! Forms: runs and uploads.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::mutate::{damaged, damages, next};
use super::{expect_health, expect_sense};
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
