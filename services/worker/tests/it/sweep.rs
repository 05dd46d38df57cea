//! What every block must stand: a picture of one pixel, nothing found, boxes outside the picture, ten thousand of them.

use std::time::{Duration, Instant};

use millrace_contracts::values::ImageValue;
use millrace_vision::{Encoding, Frame, encode};
use serde_json::{Value, json};

use crate::desk::Desk;

/// The pixel blocks that take one picture, and detections where they want some.
const BLOCKS: &[(&str, &str)] = &[
    ("crop@1", r#"{"mode": "detections"}"#),
    ("crop@1", r#"{"mode": "relative", "region": [0.25, 0.25, 0.75, 0.75]}"#),
    ("resize@1", r#"{"width": 7}"#),
    ("resize@1", r#"{"width": 64, "height": 32, "mode": "letterbox", "interpolation": "lanczos3"}"#),
    ("rotate_flip@1", r#"{"degrees": 33, "flip": "both"}"#),
    ("normalize@1", r#"{"equalize": "clahe"}"#),
    ("smoothing@1", r#"{"method": "median", "kernel_size": 7}"#),
    ("smoothing@1", r#"{"method": "bilateral", "kernel_size": 9}"#),
    ("blur_region@1", r#"{"shape": "ellipse", "padding": "10%"}"#),
    ("blur_region@1", r#"{"method": "pixelate"}"#),
    ("draw_boxes@1", r#"{"labels": "class_confidence"}"#),
    ("draw_masks@1", "{}"),
    ("heatmap@1", "{}"),
];

fn picture(width: u32, height: u32) -> Vec<u8> {
    let pixels = (0..width * height * 3).map(|at| (at % 251) as u8).collect();
    encode(&Frame::new(width, height, pixels).unwrap(), Encoding::Png).unwrap()
}

/// One of coloured patches, as a PNG that is far smaller than its pixels: a large one still fits the blob store.
fn patches(width: u32, height: u32) -> Vec<u8> {
    let patch =
        |x: u32, y: u32| [(x / 90 * 37 % 251) as u8, (y / 70 * 91 % 251) as u8, ((x + y) / 400 % 251) as u8];
    let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| patch(x, y))).collect();
    encode(&Frame::new(width, height, pixels).unwrap(), Encoding::Png).unwrap()
}

/// The configuration with its defaults, as the compiler fills them in.
fn filled(task: &str, config: &str) -> Value {
    let mut config: Value = serde_json::from_str(config).unwrap();
    let block = millrace_blocks::catalogue().resolve(task).unwrap();
    block.fill_defaults(config.as_object_mut().unwrap());
    config
}

async fn sweep(desk: &mut Desk, image: &ImageValue, detections: &Value) -> Duration {
    // Small pictures become many tiles too, and large ones no more than are allowed.
    let side = (image.width.max(image.height) / 16).max(16);
    let tile = format!(r#"{{"slice_width": {side}, "slice_height": {side}}}"#);
    let mut slowest = Duration::ZERO;
    for (task, config) in BLOCKS.iter().chain(&[("tile@1", tile.as_str())]) {
        let wants = millrace_blocks::catalogue().resolve(task).unwrap();
        let mut inputs = json!({"image": image});
        if wants.input("detections").is_some() {
            inputs["detections"] = detections.clone();
        }
        let begun = Instant::now();
        let done = desk.run(Desk::job(task, inputs, filled(task, config))).await;
        let done = done.unwrap_or_else(|error| panic!("{task} {config}: {error}"));
        assert!(!done.outputs.is_empty(), "{task}");
        slowest = slowest.max(begun.elapsed());
    }
    slowest
}

fn boxes(count: usize) -> Value {
    let one = |at: usize| {
        let (x, y) = ((at % 100) as f64, (at / 100 % 100) as f64);
        json!({"bbox": [x, y, x + 9.0, y + 7.0], "class_id": at % 7, "class_name": "thing", "confidence": 0.5})
    };
    (0..count).map(one).collect()
}

#[tokio::test]
async fn one_pixel_nothing_found_and_boxes_outside_are_no_fault() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let outside = json!([
        {"bbox": [-50.0, -50.0, -10.0, -10.0], "class_name": "left"},
        {"bbox": [1e6, 1e6, 2e6, 2e6], "class_name": "far"},
        {"bbox": [-5.0, -5.0, 5000.0, 5000.0], "class_name": "all around", "confidence": 1.0},
        {"bbox": [3.0, 3.0, 3.0, 3.0], "class_name": "a point"},
        {"bbox": [9.0, 9.0, 2.0, 2.0], "class_name": "inside out"},
    ]);
    for (width, height) in [(1, 1), (1, 40), (33, 21)] {
        let image = desk.image(picture(width, height)).await;
        sweep(&mut desk, &image, &json!([])).await;
        sweep(&mut desk, &image, &outside).await;
    }
    worker.stop().await;
}

#[tokio::test]
async fn ten_thousand_detections_take_their_time_and_no_more() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(picture(120, 110)).await;
    let slowest = sweep(&mut desk, &image, &boxes(10_000)).await;
    // Ten thousand crops are ten thousand pictures to store; without optimisation, beside other tests.
    assert!(slowest < Duration::from_secs(25), "{slowest:?}");
    let stitch = json!({"image": image, "detections": [boxes(5_000), boxes(5_000)]});
    let begun = Instant::now();
    let done = desk.run(Desk::job("stitch@1", stitch, filled("stitch@1", "{}"))).await.unwrap();
    assert!(done.outputs["count"].as_u64().unwrap() > 0 && begun.elapsed() < Duration::from_secs(25));
    worker.stop().await;
}

#[tokio::test]
#[ignore = "fifty megapixels take half a minute and 800 MB"]
async fn fifty_megapixels_go_through_every_block() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(patches(8_000, 6_250)).await;
    let slowest = sweep(&mut desk, &image, &boxes(100)).await;
    assert!(slowest < Duration::from_secs(60), "{slowest:?}");
    worker.stop().await;
}
