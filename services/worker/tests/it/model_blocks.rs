//! The blocks for vectors, masks and raw tensors, from job to report.

use millrace_contracts::ErrorKind;
use millrace_contracts::values::{Detections, Masks, MasksKind};
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
