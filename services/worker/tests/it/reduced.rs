//! Pictures decoded at less than their size, where a job asks for that.

use millrace_contracts::ErrorKind;
use millrace_contracts::values::{Detections, ImageValue, shortest_double};
use millrace_vision::{Encoding, Filter, Frame, Limits, decode, encode, resize};
use serde_json::{Value, json};

use crate::desk::{Desk, Done, on};
use crate::{goldens, scene};

/// A pixel of what the detector sees, which is an eighth of the picture. Its reference takes single pixels of the whole one where we
/// take means, so that edges lie a little differently.
const BOX_TOLERANCE: f32 = 8.0;
const SCORE_TOLERANCE: f32 = 0.03;
/// Levels, of pictures full of sharp edges: a mean of means is smoother than one filter over all pixels.
const MEAN_TOLERANCE: f64 = 2.5;

/// A golden picture, four times as large, as a camera would give it.
fn photograph(small: &[u8]) -> Vec<u8> {
    let small = decode(small, &Limits::default()).unwrap();
    let large = resize(&small, small.width() * 4, small.height() * 4, Filter::Bicubic).unwrap();
    encode(&large, Encoding::Jpeg(95)).unwrap()
}

fn detect(image: &ImageValue, reduced: bool) -> millrace_contracts::Job {
    let config = json!({
        "model_id": "shapes-detector", "confidence": 0.5, "iou_threshold": 0.45, "reduced_decode": reduced
    });
    Desk::job("detection@1", on(image), config)
}

async fn pixels(desk: &Desk, done: &Done) -> (ImageValue, Frame) {
    let image = ImageValue::from_value(&done.outputs["image"]).unwrap();
    let frame = decode(&desk.blobs.get(image.blob).await.unwrap(), &Limits::default()).unwrap();
    (image, frame)
}

#[tokio::test]
async fn boxes_are_where_they_are_on_the_whole_picture() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(photograph(&scene("scene_00.jpg"))).await;
    assert_eq!((image.width, image.height, image.format.as_str()), (2560, 1920, "jpeg"));
    let of =
        |done: &Done| -> Detections { serde_json::from_value(done.outputs["detections"].clone()).unwrap() };
    let whole = desk.run(detect(&image, false)).await.unwrap();
    let reduced = desk.run(detect(&image, true)).await.unwrap();
    // The whole pixels were at hand: a result does not depend on what a worker happens to remember.
    assert!(reduced.metrics.decode_ms > 0.0);
    let (whole, reduced) = (of(&whole), of(&reduced));
    assert!(!whole.items.is_empty() && whole.items.len() == reduced.items.len());
    assert_eq!((reduced.width, reduced.height), (2560, 1920));
    for (one, other) in whole.items.iter().zip(&reduced.items) {
        assert_eq!(one.class_id, other.class_id);
        assert!((one.confidence - other.confidence).abs() < SCORE_TOLERANCE, "{one:?} ~ {other:?}");
        assert!(
            one.bbox.iter().zip(other.bbox).all(|(a, b)| (a - b).abs() < BOX_TOLERANCE),
            "{one:?} ~ {other:?}"
        );
    }
    let again = of(&desk.run(detect(&image, true)).await.unwrap());
    assert_eq!(again.items, reduced.items);
    worker.stop().await;
}

#[tokio::test]
async fn classes_and_vectors_are_nearly_the_same() {
    let mut desk = Desk::open().await;
    let worker = desk.worker_of(goldens()).await;
    let coffee = std::fs::read(goldens().join("images/coffee.jpg")).unwrap();
    let image = desk.image(photograph(&coffee)).await;
    let vector = |done: &Done| -> Vec<f64> {
        let numbers = done.outputs["embedding"].as_array().unwrap();
        numbers.iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let mut vectors = Vec::new();
    for reduced in [false, true] {
        let config = json!({"model_id": "dinov2-tiny", "reduced_decode": reduced});
        let done = desk.run(Desk::job("embedding@1", on(&image), config)).await.unwrap();
        vectors.push(vector(&done));
    }
    let cosine: f64 = vectors[0].iter().zip(&vectors[1]).map(|(a, b)| a * b).sum();
    assert!(cosine > 0.999 && vectors[0] != vectors[1], "{}", shortest_double(cosine as f32));

    let mut scores = Vec::new();
    for reduced in [false, true] {
        let config = json!({"model_id": "vit-tiny", "top_k": 1, "reduced_decode": reduced});
        let done = desk.run(Desk::job("classification@1", on(&image), config)).await.unwrap();
        scores.push((done.outputs["top_class"].clone(), done.outputs["confidence"].as_f64().unwrap()));
    }
    assert!(scores[0].0 == scores[1].0 && (scores[0].1 - scores[1].1).abs() < 0.01, "{scores:?}");
    worker.stop().await;
}

#[tokio::test]
async fn a_small_picture_of_a_large_one_is_the_same_to_the_eye() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(photograph(&scene("scene_00.jpg"))).await;
    for config in [
        json!({"width": 300, "height": 300, "mode": "fit", "interpolation": "area"}),
        json!({"width": 300, "height": 300, "mode": "fill"}),
        json!({"width": 500, "height": 200, "mode": "letterbox", "interpolation": "bicubic"}),
        json!({"width": 100, "height": 300}),
    ] {
        let mut made = Vec::new();
        for reduced in [false, true] {
            let mut config = config.clone();
            config["reduced_decode"] = Value::from(reduced);
            let done = desk.run(Desk::job("resize@1", on(&image), config)).await.unwrap();
            made.push(pixels(&desk, &done).await);
        }
        let ((value, whole), (other, reduced)) = (&made[0], &made[1]);
        assert_eq!((value.width, value.height, value.lineage), (other.width, other.height, other.lineage));
        let sum: u64 =
            whole.pixels().iter().zip(reduced.pixels()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = sum as f64 / whole.pixels().len() as f64;
        assert!(mean < MEAN_TOLERANCE && whole != reduced, "{config}: {mean}");
    }
    // What is not much smaller, and what is no JPEG, is decoded whole.
    let png = encode(&Frame::filled(900, 900, [9, 99, 199]), Encoding::Png).unwrap();
    for (bytes, width) in [(photograph(&scene("scene_00.jpg")), 2000), (png, 64)] {
        let image = desk.image(bytes).await;
        let config = |reduced: bool| json!({"width": width, "reduced_decode": reduced});
        let whole = desk.run(Desk::job("resize@1", on(&image), config(false))).await.unwrap();
        let reduced = desk.run(Desk::job("resize@1", on(&image), config(true))).await.unwrap();
        assert_eq!(whole.outputs, reduced.outputs);
    }
    let lie = ImageValue { width: 4000, ..image };
    let small = Desk::job("resize@1", on(&lie), json!({"width": 300, "reduced_decode": true}));
    for job in [small, detect(&lie, true)] {
        let refused = desk.run(job).await.unwrap_err();
        assert_eq!(
            (refused.kind, refused.pointer.as_deref()),
            (ErrorKind::InvalidInput, Some("/inputs/image"))
        );
    }
    worker.stop().await;
}
