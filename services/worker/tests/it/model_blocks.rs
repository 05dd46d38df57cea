//! The blocks for vectors, masks and raw tensors, from job to report.

use millrace_contracts::ErrorKind;
use millrace_contracts::values::{Detections, Masks, MasksKind};
use millrace_vision::{Encoding, Frame, encode};
use serde_json::{Value, json};

use crate::desk::{Desk, on};
use crate::goldens;

fn picture(name: &str) -> Vec<u8> {
    std::fs::read(goldens().join("images").join(name)).unwrap()
}

async fn resolved(desk: &Desk, value: &Value) -> Value {
    desk.blobs.resolve(value).await.unwrap()
}

#[tokio::test]
async fn instances_come_as_masks_as_detections_and_as_areas() {
    let mut desk = Desk::open().await;
    let worker = desk.worker_of(goldens()).await;
    let image = desk.image(picture("coffee.jpg")).await;
    let config = json!({"model_id": "ultralytics-segment", "mode": "instance", "confidence": 0.8});
    let done = desk.run(Desk::job("segmentation@1", on(&image), config)).await.unwrap();
    let masks: Masks = serde_json::from_value(resolved(&desk, &done.outputs["masks"]).await).unwrap();
    let found: Detections =
        serde_json::from_value(resolved(&desk, &done.outputs["detections"]).await).unwrap();
    assert_eq!(
        (masks.kind, masks.image_id, masks.width, masks.height),
        (MasksKind::Segments, Some(image.blob), 480, 320)
    );
    assert!(!masks.items.is_empty() && masks.items.len() == found.items.len());
    for (item, detection) in masks.items.iter().zip(&found.items) {
        assert_eq!(detection.mask.as_ref(), Some(&item.mask));
        assert_eq!((item.area, item.mask.size), (item.mask.area(), [320, 480]));
        assert_eq!(item.confidence, Some(detection.confidence));
    }
    let areas = done.outputs["areas"].as_object().unwrap();
    let all: u64 = areas.values().map(|area| area.as_u64().unwrap()).sum();
    assert_eq!(all, masks.items.iter().map(|item| item.area).sum::<u64>());
    assert!(found.items.windows(2).all(|pair| pair[0].confidence >= pair[1].confidence));
    // What comes out can be drawn.
    let inputs = json!({"image": image, "masks": done.outputs["masks"]});
    assert!(desk.run(Desk::job("draw_masks@1", inputs, json!({}))).await.is_ok());

    let config = json!({"model_id": "ultralytics-segment", "mode": "semantic"});
    let refused = desk.run(Desk::job("segmentation@1", on(&image), config)).await.unwrap_err();
    assert_eq!((refused.kind, refused.pointer.as_deref()), (ErrorKind::InvalidConfig, Some("/config/mode")));
    let config = json!({"model_id": "ultralytics-segment"});
    let refused = desk.run(Desk::job("embedding@1", on(&image), config)).await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.pointer.as_deref()),
        (ErrorKind::InvalidConfig, Some("/config/model_id"))
    );
    worker.stop().await;
}

#[tokio::test]
async fn raw_tensors_go_in_and_come_out() {
    let mut desk = Desk::open().await;
    let worker = desk.worker_of(goldens()).await;
    let numbers = |tensors: Value, config: Value| Desk::job("tensor@1", json!({"tensors": tensors}), config);
    let config = json!({"model_id": "raw/numbers"});
    let tensors = json!({"x": [[1, 2, 3]], "count": {"shape": [1], "data": [2]}});
    let done = desk.run(numbers(tensors.clone(), config.clone())).await.unwrap();
    let outputs = &done.outputs["outputs"];
    assert_eq!(outputs["total"], json!({"shape": [], "dtype": "float32", "data": [12.0]}));
    assert_eq!(outputs["beyond"], json!({"shape": [1, 3], "dtype": "bool", "data": [false, false, true]}));
    let chosen = json!({"model_id": "raw/numbers", "outputs": ["twice"]});
    let done = desk.run(numbers(tensors.clone(), chosen)).await.unwrap();
    assert_eq!(done.outputs["outputs"], json!({"twice": {"shape": [1], "dtype": "int64", "data": [4]}}));

    let wide = json!({"x": vec![vec![1.5; 3]; 2000], "count": [2]});
    let done = desk.run(numbers(wide, config.clone())).await.unwrap();
    let outputs = resolved(&desk, &done.outputs["outputs"]).await;
    assert_eq!(outputs["scaled"]["shape"], json!([2000, 3]));

    let image = desk.image(picture("coffee.jpg")).await;
    let done = desk.run(Desk::job("tensor@1", on(&image), json!({"model_id": "raw/picture"}))).await.unwrap();
    assert_eq!(done.outputs["outputs"]["mean"]["shape"], json!([1, 3]));

    for (tensors, config, pointer) in [
        (json!({"x": [[1, 2]], "count": [2]}), config.clone(), None),
        (json!([[1, 2, 3]]), config.clone(), Some("/inputs/tensors")),
        (json!({"x": [[1], [2, 3]], "count": [2]}), config, Some("/inputs/tensors")),
        (tensors, json!({"model_id": "raw/numbers", "outputs": ["none"]}), Some("/config/outputs")),
    ] {
        let refused = desk.run(numbers(tensors, config)).await.unwrap_err();
        assert!(matches!(refused.kind, ErrorKind::InvalidInput | ErrorKind::InvalidConfig), "{refused}");
        assert_eq!(refused.pointer.as_deref(), pointer, "{refused}");
    }
    let refused =
        desk.run(Desk::job("tensor@1", json!({"tensors": ["a"]}), json!({"model_id": "raw/texts"}))).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Unsupported);
    worker.stop().await;
}

/// What a job gave, by a pointer into its outputs, is `expected`; numbers by tolerance.
fn gives(outputs: &Value, pointer: &str, expected: &Value, name: &str) {
    let have = outputs.pointer(pointer).unwrap_or(&Value::Null);
    let numbers = |value: &Value| {
        value.as_array().and_then(|all| all.iter().map(Value::as_f64).collect::<Option<Vec<_>>>())
    };
    match (numbers(have), numbers(expected)) {
        (Some(have), Some(expected)) => {
            let near = have.iter().zip(&expected).all(|(have, expected)| (have - expected).abs() < 1e-4);
            assert!(have.len() == expected.len() && near, "{name}: {have:?} ~ {expected:?}");
        }
        _ => assert_eq!(have, expected, "{name}"),
    }
}

/// What each parameter changes, on models whose numbers are known (`tests/goldens/scripts/tiny_models.py`).
#[tokio::test]
async fn parameters_of_model_blocks_change_what_they_give() {
    let mut desk = Desk::open().await;
    let worker = desk.worker_of(goldens().join("tiny")).await;
    let image = desk.image(encode(&Frame::filled(128, 64, [9; 3]), Encoding::Png).unwrap()).await;
    let (classes, shares) = ("/classes", "/predictions/*/confidence");
    for (task, model, more, pointer, expected) in [
        // Two of b and one of a.
        ("detection@1", "rtdetr", json!({}), classes, json!(["b", "a"])),
        ("detection@1", "rtdetr", json!({}), "/count", json!(3)),
        ("detection@1", "rtdetr", json!({"class_filter": ["a"]}), "/count", json!(1)),
        ("detection@1", "rtdetr", json!({"class_filter": ["a"]}), "/detections/items/0/class_id", json!(0)),
        ("detection@1", "rtdetr", json!({"class_filter": ["b"]}), "/count", json!(2)),
        ("detection@1", "rtdetr", json!({"class_filter": ["b", "a"]}), classes, json!(["b", "a"])),
        ("detection@1", "rtdetr", json!({"max_detections": 1}), "/count", json!(1)),
        ("detection@1", "rtdetr", json!({"confidence": 0.75}), "/count", json!(2)),
        // Finished boxes on one place are left as they are, unless they are to be suppressed whatever their class.
        ("detection@1", "yolo-end2end", json!({}), "/count", json!(2)),
        ("detection@1", "yolo-end2end", json!({"agnostic_nms": true}), "/count", json!(1)),
        // Logits of 0, 2 and −2: shares of one whole, or each by itself.
        ("classification@1", "fixed-by-name", json!({}), shares, json!([0.866_814, 0.117_310, 0.015_876])),
        (
            "classification@1",
            "fixed-by-name",
            json!({"multi_label": true}),
            shares,
            json!([0.880_797, 0.5, 0.119_203]),
        ),
        ("classification@1", "fixed-by-name", json!({"top_k": 1}), shares, json!([0.866_814])),
        (
            "classification@1",
            "fixed-by-name",
            json!({"threshold": 0.1}),
            shares,
            json!([0.866_814, 0.117_310]),
        ),
        // A class token of 1, 2, 2, 4, and patches of ones and threes.
        ("embedding@1", "tokens", json!({}), "/embedding", json!([0.2, 0.4, 0.4, 0.8])),
        ("embedding@1", "tokens", json!({"normalize": false}), "/embedding", json!([1, 2, 2, 4])),
        ("embedding@1", "tokens", json!({"pooling": "cls"}), "/embedding", json!([0.2, 0.4, 0.4, 0.8])),
        ("embedding@1", "tokens", json!({"pooling": "mean"}), "/embedding", json!([0.5, 0.5, 0.5, 0.5])),
        (
            "embedding@1",
            "tokens",
            json!({"pooling": "mean", "normalize": false}),
            "/embedding",
            json!([2, 2, 2, 2]),
        ),
    ] {
        let name = format!("{task} {model} {more}");
        let mut config = more;
        config["model_id"] = json!(model);
        let done = desk.run(Desk::job(task, on(&image), config)).await.unwrap();
        let outputs = Value::Object(done.outputs);
        let outputs = resolved(&desk, &outputs).await;
        match pointer.split_once("/*") {
            None => gives(&outputs, pointer, &expected, &name),
            Some((list, field)) => {
                let items = outputs.pointer(list).and_then(Value::as_array).unwrap();
                let fields: Value = items.iter().map(|item| item.pointer(field).unwrap().clone()).collect();
                gives(&json!({"fields": fields}), "/fields", &expected, &name);
            }
        }
        assert!(done.warnings.is_empty(), "{name}: {:?}", done.warnings);
    }
    worker.stop().await;
}

#[tokio::test]
async fn what_a_model_cannot_do_with_its_parameters_is_said() {
    let mut desk = Desk::open().await;
    let worker = desk.worker_of(goldens().join("tiny")).await;
    let image = desk.image(encode(&Frame::filled(128, 64, [9; 3]), Encoding::Png).unwrap()).await;
    for (filter, count) in [(json!(["a", "zebra"]), 1), (json!(["zebra"]), 0)] {
        let config = json!({"model_id": "rtdetr", "class_filter": filter});
        let done = desk.run(Desk::job("detection@1", on(&image), config)).await.unwrap();
        assert_eq!(done.outputs["count"], json!(count), "{filter}");
        assert_eq!(done.warnings.len(), 1, "{filter}: {:?}", done.warnings);
        assert!(
            done.warnings[0].contains("\"zebra\"") && done.warnings[0].contains("a, b"),
            "{}",
            done.warnings[0]
        );
    }
    for (task, config, kind, pointer) in [
        (
            "embedding@1",
            json!({"model_id": "tokens", "pooling": "pooler"}),
            ErrorKind::InvalidConfig,
            Some("/config/pooling"),
        ),
        (
            "classification@1",
            json!({"model_id": "yolo-classify", "multi_label": true}),
            ErrorKind::InvalidConfig,
            None,
        ),
        ("embedding@1", json!({"model_id": "nan-embedding"}), ErrorKind::Unsupported, None),
        ("segmentation@1", json!({"model_id": "infinite-class-map"}), ErrorKind::Unsupported, None),
    ] {
        let refused = desk.run(Desk::job(task, on(&image), config.clone())).await.unwrap_err();
        assert_eq!((refused.kind, refused.pointer.as_deref()), (kind, pointer), "{config}: {refused}");
    }
    worker.stop().await;
}
