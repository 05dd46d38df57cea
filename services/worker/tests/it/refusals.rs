//! What cannot be done, and what the report says then.

use millrace_bus::Abandon;
use millrace_contracts::{ErrorKind, UnixMillis};
use serde_json::json;

use crate::desk::{Desk, on};
use crate::scene;

fn model(id: &str) -> serde_json::Value {
    json!({"model_id": id})
}

#[tokio::test]
async fn bad_pictures_are_refused_by_kind_and_place() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let whole = scene("scene_00.jpg");
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x4e\x20\0\0\x4e\x20\x08\x02\0\0\0".to_vec();
    bomb.extend(crc32(&bomb[12..29]).to_be_bytes());
    bomb.extend(b"\0\0\0\x04IDAT");
    let bad = [
        (whole[..whole.len() / 2].to_vec(), "truncated JPEG"),
        (b"just some text, whatever its name\n".to_vec(), "is text"),
        (bomb, "image too large: 20000 x 20000"),
    ];
    for (bytes, words) in bad {
        let image = desk.image(bytes).await;
        for task in ["detection@1", "resize@1"] {
            let config = if task == "resize@1" { json!({"width": 10}) } else { model("shapes-detector") };
            let error = desk.run(Desk::job(task, on(&image), config)).await.unwrap_err();
            assert_eq!((error.kind, error.retryable), (ErrorKind::InvalidInput, false), "{error}");
            assert!(error.message.contains(words), "{error}");
            assert_eq!(error.pointer.as_deref(), Some("/inputs/image"), "{error}");
        }
    }
    worker.stop().await;
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[tokio::test]
async fn what_is_asked_for_wrongly_has_its_kind() {
    let mut desk = Desk::open().await;
    desk.bus.put_models(&[], true).await.unwrap();
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_04.jpg")).await;
    let gone =
        millrace_contracts::values::ImageValue::root(millrace_contracts::BlobId::of(b"gone"), 1, 1, "png");
    let masked = json!({"image": image, "detections": []});
    let many = json!({"image": image, "detections": [vec![json!({"bbox": [0, 0, 1, 1]}); 30_001]]});
    let cases = [
        (Desk::job("detection@1", on(&image), model("nobody")), ErrorKind::ModelNotFound, "/config/model_id"),
        (
            Desk::job("detection@1", on(&image), model("../models/shapes-detector")),
            ErrorKind::InvalidConfig,
            "/config/model_id",
        ),
        (
            Desk::job("resize@1", on(&image), json!({"width": "wide"})),
            ErrorKind::InvalidConfig,
            "/config/width",
        ),
        (
            Desk::job("draw_masks@1", masked, json!({"outline": u32::MAX})),
            ErrorKind::InvalidConfig,
            "/config/outline",
        ),
        (Desk::job("stitch@1", many, json!({})), ErrorKind::InvalidInput, "/inputs/detections"),
        (
            Desk::job("resize@1", on(&image), json!({"width": 16_000, "height": 16_000})),
            ErrorKind::InvalidConfig,
            "/config",
        ),
        (Desk::job("resize@1", json!({}), json!({"width": 10})), ErrorKind::InvalidInput, "/inputs/image"),
        (
            Desk::job("resize@1", json!({"image": 7}), json!({"width": 10})),
            ErrorKind::InvalidInput,
            "/inputs/image",
        ),
        (Desk::job("resize@1", on(&gone), json!({"width": 10})), ErrorKind::InvalidInput, "/inputs/image"),
    ];
    for (job, kind, pointer) in cases {
        let error = desk.run(job).await.unwrap_err();
        assert_eq!((error.kind, error.pointer.as_deref()), (kind, Some(pointer)), "{error}");
    }
    let unknown = desk.run(Desk::job("teleport@9", on(&image), json!({}))).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::Unsupported);
    worker.stop().await;
}

#[tokio::test]
async fn detections_of_another_image_are_refused() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let (one, other) = (desk.image(scene("scene_00.jpg")).await, desk.image(scene("scene_04.jpg")).await);
    let found = desk.run(Desk::job("detection@1", on(&one), model("shapes-detector"))).await.unwrap();
    let inputs = json!({"image": other, "detections": found.outputs["detections"]});
    for task in ["draw_boxes@1", "crop@1"] {
        let error = desk.run(Desk::job(task, inputs.clone(), json!({}))).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.message.contains("DETECTIONS_IMAGE_MISMATCH"), "{error}");
        assert_eq!(error.pointer.as_deref(), Some("/inputs/detections"));
    }
    // A bare list is the image's own.
    let bare = json!({"image": other, "detections": [{"bbox": [10, 10, 50, 50], "class_name": "fed"}]});
    assert!(desk.run(Desk::job("draw_boxes@1", bare, json!({}))).await.is_ok());
    worker.stop().await;
}

#[tokio::test]
async fn late_and_cancelled_jobs_cost_nothing() {
    let mut desk = Desk::open().await;
    let image = desk.image(scene("scene_04.jpg")).await;
    let mut late = Desk::job("resize@1", on(&image), json!({"width": 10}));
    late.deadline = Some(UnixMillis(UnixMillis::now().0 - 1));
    let worker = desk.worker().await;
    let error = desk.run(late.clone()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert_eq!(desk.counts(late.id).await.get("started"), None);

    // The notice comes first, as it does for jobs that wait; it travels on another connection than the job, and may lose.
    let mut refused = None;
    for _ in 0..20 {
        let unwanted = Desk::job("resize@1", on(&image), json!({"width": 10}));
        desk.bus
            .abandon(&[Abandon { execution_id: unwanted.execution_id, job_ids: vec![unwanted.id] }])
            .await
            .unwrap();
        if let Err(error) = desk.run(unwanted).await {
            refused = Some(error);
            break;
        }
    }
    assert_eq!(refused.unwrap().kind, ErrorKind::Cancelled);
    desk.queues_become_empty().await;
    worker.stop().await;
}
