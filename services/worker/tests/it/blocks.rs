//! The blocks, from job to report.

use std::time::Duration;

use millrace_contracts::values::{Detection, Detections, ImageValue};
use millrace_vision::{Frame, Limits, decode};
use serde_json::{Value, json};

use crate::desk::{Desk, Done, on, repository, settings};
use crate::scene;

fn image_of(done: &Done, port: &str) -> ImageValue {
    ImageValue::from_value(&done.outputs[port]).unwrap()
}

async fn pixels(desk: &Desk, image: &ImageValue) -> Frame {
    decode(&desk.blobs.get(image.blob).await.unwrap(), &Limits::default()).unwrap()
}

fn detect(image: &ImageValue) -> millrace_contracts::Job {
    Desk::job(
        "detection@1",
        on(image),
        json!({"model_id": "shapes-detector", "confidence": 0.5, "iou_threshold": 0.45}),
    )
}

fn detections(done: &Done) -> Detections {
    serde_json::from_value(done.outputs["detections"].clone()).unwrap()
}

#[tokio::test]
async fn a_detection_is_found_measured_and_acknowledged() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let done = desk.run(detect(&image)).await.unwrap();
    let found = detections(&done);
    assert_eq!((found.image_id, found.width, found.height), (Some(image.blob), 640, 480));
    assert_eq!(done.outputs["count"], found.items.len());
    assert_eq!(done.outputs["classes"][0], "star");
    let best = &found.items[0];
    assert!((best.confidence - 0.972).abs() < 0.01 && (best.bbox[0] - 330.16).abs() < 1.0, "{best:?}");
    assert!(found.items.windows(2).all(|pair| pair[0].confidence >= pair[1].confidence));

    let cold = &done.metrics;
    assert!(cold.model_load_time_ms > 0.0 && cold.decode_ms > 0.0 && cold.preprocess_ms > 0.0, "{cold:?}");
    assert!(cold.inference_time_ms > 0.0 && cold.postprocess_ms > 0.0, "{cold:?}");
    assert!(cold.total_time_ms >= cold.inference_time_ms, "{cold:?}");
    assert_eq!((cold.batch_size, cold.device.as_deref()), (1, Some("cpu")));
    assert!(cold.worker_id.is_some() && cold.inference_job_id.is_some());
    // The second time model and pixels are there.
    let warm = desk.run(detect(&image)).await.unwrap().metrics;
    assert_eq!((warm.model_load_time_ms, warm.decode_ms, warm.fetch_ms > 1.0), (0.0, 0.0, false));
    desk.queues_become_empty().await;
    worker.stop().await;
}

#[tokio::test]
async fn the_stages_of_a_job_come_one_after_the_other() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    for number in 0..10 {
        let image = desk.image(scene(&format!("scene_0{number}.jpg"))).await;
        let told = desk.run(detect(&image)).await.unwrap().metrics;
        let before = told.model_load_time_ms + told.fetch_ms + told.decode_ms + told.preprocess_ms;
        let stages = before + told.batch_wait_ms + told.inference_time_ms + told.postprocess_ms;
        assert!(stages <= told.total_time_ms, "no moment is told of twice: {told:?}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_picture_is_classified() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let crop = std::fs::read(crate::goldens().join("shapes-classifier/crops/crop_01.png")).unwrap();
    let image = desk.image(crop).await;
    let config = json!({"model_id": "shapes-classifier", "top_k": 3});
    let done = desk.run(Desk::job("classification@1", on(&image), config)).await.unwrap();
    let predictions = done.outputs["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 3);
    let golden = std::fs::read_to_string(crate::goldens().join("shapes-classifier/golden.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let probs = golden["cases"][1]["expected"]["probs"].as_array().unwrap();
    for prediction in predictions {
        let class = prediction["class_id"].as_u64().unwrap() as usize;
        let (have, want) = (prediction["confidence"].as_f64().unwrap(), probs[class].as_f64().unwrap());
        assert!((have - want).abs() < 1e-3, "{prediction} ~ {want}");
    }
    assert_eq!(done.outputs["top_class"], predictions[0]["class_name"]);
    assert_eq!(done.outputs["confidence"], predictions[0]["confidence"]);
    assert!(done.metrics.inference_time_ms > 0.0 && done.metrics.batch_size == 1);

    let strict = json!({"model_id": "shapes-classifier", "threshold": 1.0});
    let none = desk.run(Desk::job("classification@1", on(&image), strict)).await.unwrap();
    assert_eq!((&none.outputs["predictions"], &none.outputs["top_class"]), (&json!([]), &Value::Null));
    let wrong = Desk::job("classification@1", on(&image), json!({"model_id": "shapes-detector"}));
    let refused = desk.run(wrong).await.unwrap_err();
    assert!(refused.message.contains("made for detection, not for classification"), "{refused}");
    worker.stop().await;
}

#[tokio::test]
async fn slices_find_what_the_whole_picture_shows_and_more() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let whole = detections(&desk.run(detect(&image)).await.unwrap());
    let config = |tile: Value| json!({"model_id": "shapes-detector", "confidence": 0.5, "iou_threshold": 0.45, "tile": tile});
    // One slice that holds everything is the picture itself.
    let one = Desk::job("detection@1", on(&image), config(json!({"slice_width": 640, "slice_height": 640})));
    let one = detections(&desk.run(one).await.unwrap());
    let boxes =
        |found: &Detections| found.items.iter().map(|item| (item.bbox, item.class_id)).collect::<Vec<_>>();
    assert_eq!(boxes(&one), boxes(&whole));
    // In slices, things that lie in one are found where they are.
    let sliced = json!({"slice_width": 400, "slice_height": 400, "overlap_x": 0.5, "overlap_y": 0.5});
    let done = desk.run(Desk::job("detection@1", on(&image), config(sliced))).await.unwrap();
    let sliced = detections(&done);
    assert_eq!((sliced.image_id, sliced.width), (Some(image.blob), 640));
    assert!(sliced.items.len() + 1 >= whole.items.len(), "{} of {}", sliced.items.len(), whole.items.len());
    assert!(sliced.items.windows(2).all(|pair| pair[0].confidence >= pair[1].confidence));
    // A large thing that a slice's edge cuts may come out as its pieces, and a slice shows things larger than the model may
    // know them: most are where they are on the whole.
    let is_there = |one: &&Detection| {
        let same = |item: &&Detection| {
            item.class_id == one.class_id && item.bbox.iter().zip(one.bbox).all(|(a, b)| (a - b).abs() < 8.0)
        };
        sliced.items.iter().filter(same).count() == 1
    };
    let kept = whole.items.iter().filter(is_there).count();
    assert!(kept * 3 >= whole.items.len() * 2, "{kept} of {} in {:?}", whole.items.len(), sliced.items);
    let tiny = json!({"slice_width": 16, "slice_height": 16, "overlap_x": 0.9, "overlap_y": 0.9});
    let refused = desk.run(Desk::job("detection@1", on(&image), config(tiny))).await.unwrap_err();
    assert!(
        refused.message.contains("slices") && refused.pointer.as_deref() == Some("/config/tile"),
        "{refused:?}"
    );
    worker.stop().await;
}

#[tokio::test]
async fn crops_resizes_and_drawings_keep_their_lineage() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let found = desk.run(detect(&image)).await.unwrap();
    let boxes = found.outputs["detections"].clone();

    let inputs = json!({"image": image, "detections": boxes});
    let cut = desk.run(Desk::job("crop@1", inputs.clone(), json!({"padding": "10%"}))).await.unwrap();
    let crops = cut.outputs["crops"].as_array().unwrap().clone();
    let shifted: Vec<Detections> = serde_json::from_value(cut.outputs["detections"].clone()).unwrap();
    let items = detections(&found).items;
    assert_eq!((crops.len(), shifted.len()), (items.len(), items.len()));
    for ((crop, own), item) in crops.iter().zip(&shifted).zip(&items) {
        let crop = ImageValue::from_value(crop).unwrap();
        assert_eq!((own.image_id, crop.parent_id.as_deref()), (Some(crop.blob), Some(&*item.detection_id)));
        assert_eq!(crop.lineage.root, image.blob);
        let (x, y) =
            crop.lineage.point_to_root(f64::from(own.items[0].bbox[0]), f64::from(own.items[0].bbox[1]));
        assert!((x - f64::from(item.bbox[0])).abs() < 0.5 && (y - f64::from(item.bbox[1])).abs() < 0.5);
    }

    // A crop, resized: detections made on the original follow it there, and back.
    let crop = ImageValue::from_value(&crops[0]).unwrap();
    let config = json!({"width": 200, "height": 200, "mode": "letterbox", "pad_color": "#ff0000"});
    let small = desk.run(Desk::job("resize@1", on(&crop), config)).await.unwrap();
    let small = image_of(&small, "image");
    assert_eq!((small.width, small.height, small.lineage.root), (200, 200, image.blob));
    let again = json!({"image": small, "detections": boxes});
    let inner = desk.run(Desk::job("crop@1", again, json!({"min_size": 20}))).await.unwrap();
    assert!(!inner.outputs["crops"].as_array().unwrap().is_empty());
    assert!(inner.warnings.iter().all(|warning| warning.contains("min_size")), "{:?}", inner.warnings);

    let drawn =
        desk.run(Desk::job("draw_boxes@1", inputs, json!({"labels": "class_confidence"}))).await.unwrap();
    let drawn = image_of(&drawn, "image");
    assert_eq!((drawn.format.as_str(), drawn.lineage), ("jpeg", image.lineage));
    let (before, after) = (pixels(&desk, &image).await, pixels(&desk, &drawn).await);
    assert_eq!((after.width(), after.height()), (640, 480));
    assert_ne!(before, after);
    worker.stop().await;
}

#[tokio::test]
async fn fixed_regions_and_sizes_that_change_nothing() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_04.jpg")).await;
    let half = json!({"mode": "relative", "region": [0.0, 0.0, 0.5, 7.0]});
    let half = image_of(&desk.run(Desk::job("crop@1", on(&image), half)).await.unwrap(), "image");
    assert_eq!((half.width, half.height, half.format.as_str()), (160, 240, "png"));
    let whole = json!({"mode": "absolute", "region": [-5, -5, 999, 999]});
    let whole = image_of(&desk.run(Desk::job("crop@1", on(&image), whole)).await.unwrap(), "image");
    assert_eq!(whole, image);
    let same =
        image_of(&desk.run(Desk::job("resize@1", on(&image), json!({"width": 320}))).await.unwrap(), "image");
    assert_eq!(same, image);
    let outside = json!({"mode": "absolute", "region": [900, 900, 950, 950]});
    let refused = desk.run(Desk::job("crop@1", on(&image), outside)).await.unwrap_err();
    assert!(refused.message.contains("no area"), "{refused}");
    worker.stop().await;
}

#[tokio::test]
async fn jobs_that_wait_together_run_in_one_batch() {
    let mut desk = Desk::open().await;
    let mut jobs = Vec::new();
    for number in 0..8 {
        let image = desk.image(scene(&format!("scene_{number:02}.jpg"))).await;
        jobs.push(detect(&image));
    }
    desk.bus.enqueue(&jobs, &[]).await.unwrap();
    // However much longer a batch takes than a row, on a core that is much, and however slowly they are decoded.
    let max_batch_delay = Duration::from_millis(200);
    let any_size = millrace_config::Worker { batch_stretch: 0, max_batch_delay, ..settings() };
    let worker = desk.worker_as(any_size, repository()).await;
    let mut rows = Vec::new();
    for job in &jobs {
        rows.push(desk.end_of(job.id).await.unwrap().metrics.batch_size);
    }
    assert!(rows.iter().any(|&rows| rows > 1), "{rows:?}");
    desk.queues_become_empty().await;
    worker.stop().await;
}

#[tokio::test]
async fn large_outputs_travel_by_reference() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let config = json!({"model_id": "shapes-detector", "confidence": 0.0001, "iou_threshold": 1.0, "max_detections": 300});
    let done = desk.run(Desk::job("detection@1", on(&image), config)).await.unwrap();
    assert!(done.outputs["detections"].get("$value").is_some(), "{}", done.outputs["detections"]);
    let found: Value = desk.blobs.resolve(&done.outputs["detections"]).await.unwrap();
    assert_eq!(found["items"].as_array().unwrap().len(), 300);
    // And are taken by reference.
    let inputs = json!({"image": image, "detections": done.outputs["detections"]});
    assert!(desk.run(Desk::job("draw_boxes@1", inputs, json!({}))).await.is_ok());
    worker.stop().await;
}
