//! The shapes detector against the reference, case by case and as a whole.

use std::collections::BTreeMap;

use millrace_inference::{DetectParams, Found, Model, Tensor};
use millrace_vision::{Limits, decode};
use serde_json::Value;

use crate::likeness::{Tolerance, boxes_are_like, tensor_is_like};
use crate::precision::{Scene, mean_average_precision};
use crate::{goldens, loader};

const TOLERANCE: Tolerance =
    Tolerance { sample: SAMPLE_TOLERANCE, mean: MEAN_TOLERANCE, box_px: 1.0, score: 0.01 };
const PRECISION_TOLERANCE: f64 = 0.01;

/// Input tensors: pixels are 0 to 1, so one grey level is 0.004. JPEG decoders differ by up to 5 levels at single
/// pixels (chroma upsampling, rounding of the cosine transform); resizing is exact; means hardly move.
const SAMPLE_TOLERANCE: f64 = 5.5 / 255.0;
const MEAN_TOLERANCE: f64 = 0.5 / 255.0;

fn golden() -> Value {
    serde_json::from_str(&std::fs::read_to_string(goldens().join("golden.json")).unwrap()).unwrap()
}

fn params(case: &Value) -> DetectParams {
    let number = |name: &str| case["params"][name].as_f64().unwrap();
    DetectParams {
        confidence: number("conf") as f32,
        iou: number("iou") as f32,
        max_detections: number("max_det") as usize,
        agnostic: case["params"]["agnostic_nms"].as_bool().unwrap(),
        classes: None,
    }
}

/// One picture through the whole path: the input tensor, and what was found.
async fn detect(model: &Model, image: &str, params: &DetectParams) -> (Tensor, Vec<Found>) {
    let bytes = std::fs::read(goldens().join(image)).unwrap();
    let frame = decode(&bytes, &Limits::default()).unwrap();
    let detector = model.detector().unwrap();
    let prepared = detector.prepare(&frame).unwrap();
    let tensor = prepared.inputs[0].clone();
    let inferred = model.infer(prepared.inputs).await.unwrap();
    (tensor, detector.read(&inferred.outputs, &prepared.placement, params).unwrap())
}

#[tokio::test]
async fn every_case_equals_the_reference() {
    let model = loader().load(&"shapes-detector".into()).await.unwrap();
    assert_eq!((model.info().family, model.info().task), ("ultralytics-detect", "detection"));
    assert_eq!(model.info().labels, ["circle", "square", "triangle", "star"]);
    let golden = golden();
    for case in golden["cases"].as_array().unwrap() {
        let name = format!("{} {}", case["image"], case["params"]);
        let (tensor, found) = detect(&model, case["image"].as_str().unwrap(), &params(case)).await;
        tensor_is_like(&tensor, &case["preprocess"][0], TOLERANCE, &name);
        boxes_are_like(&found, &case["expected"], TOLERANCE, &name);
    }
}

#[tokio::test]
async fn the_mean_average_precision_equals_the_references() {
    let model = loader().load(&"shapes-detector".into()).await.unwrap();
    let truth = std::fs::read_to_string(goldens().join("scenes/ground_truth.json")).unwrap();
    let truth: BTreeMap<String, Value> = serde_json::from_str(&truth).unwrap();
    let golden = golden();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for (image, facts) in &truth {
        // The reference's boxes of the same scene at its usual thresholds, so that both are judged alike.
        let usual = |case: &&Value| {
            let conf = case["params"]["conf"].as_f64().unwrap();
            case["image"] == *image && (0.2..0.3).contains(&conf)
        };
        let case = golden["cases"].as_array().unwrap().iter().find(usual).unwrap();
        let (_, found) = detect(&model, image, &params(case)).await;
        ours.push(Scene::new(
            facts,
            found.iter().map(|one| (one.bbox.map(f64::from), f64::from(one.confidence), one.class_id)),
        ));
        theirs.push(Scene::of_golden(facts, &case["expected"]));
    }
    assert_eq!(ours.len(), 10);
    let classes = model.info().labels.len();
    let (ours, theirs) =
        (mean_average_precision(&ours, classes, 0.5), mean_average_precision(&theirs, classes, 0.5));
    println!("mAP50 over 10 scenes: ours {ours:.4}, the reference's {theirs:.4}");
    assert!((ours - theirs).abs() <= PRECISION_TOLERANCE, "{ours} ~ {theirs}");
    assert!(ours > 0.85, "{ours}: the model does not see what it was made for");
}

#[tokio::test]
async fn a_class_filter_keeps_only_its_classes() {
    let model = loader().load(&"shapes-detector".into()).await.unwrap();
    let params = DetectParams { classes: Some(vec![3]), ..DetectParams::default() };
    let (_, found) = detect(&model, "scenes/scene_00.jpg", &params).await;
    assert!(!found.is_empty() && found.iter().all(|one| one.class_name == "star"));
}
