//! Hugging Face folders against `transformers`, picture by picture: what goes in, and what comes out.

use millrace_inference::{DetectParams, Model, Scoring, SessionSettings, Tensor};
use millrace_vision::{Frame, Limits, decode};
use serde_json::Value;

use crate::likeness::{Tolerance, boxes_are_like, tensor_is_like};
use crate::{goldens_folder, loader, loader_of};

/// For pictures that decode to the same bytes: scaling is Pillow's to the bit, so the tensors are the same but for the order
/// of sums in the summaries. Boxes and scores are as far apart as two runs of ONNX Runtime on different processors.
const EXACT: Tolerance = Tolerance { sample: 1e-6, mean: 1e-6, box_px: 0.05, score: 2e-4 };

/// JPEG decoders differ by up to 5 of 255 levels at single pixels (chroma upsampling, the cosine transform's rounding), by
/// 0.3 on average; after scaling by less, except with the nearest neighbour. `std` stretches that: up to 1 / 0.224.
fn jpeg(spread: f64) -> Tolerance {
    Tolerance { sample: 5.5 / 255.0 / spread, mean: 0.5 / 255.0 / spread, box_px: 1.0, score: 0.01 }
}

fn golden(model: &str) -> Value {
    let path = goldens_folder().join(model).join("golden.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The picture as we decode it, and as the reference did where that is known.
fn pictures(model: &str, golden: &Value, case: &Value) -> Vec<(Frame, Tolerance)> {
    let root = goldens_folder().join(model).join(golden["image_root"].as_str().unwrap());
    let path = root.join(case["image"].as_str().unwrap());
    let read = |path: &std::path::Path| decode(&std::fs::read(path).unwrap(), &Limits::default()).unwrap();
    if path.extension().unwrap() == "png" {
        return vec![(read(&path), EXACT)];
    }
    let decoded =
        path.parent().unwrap().join("decoded").join(path.with_extension("webp").file_name().unwrap());
    let reference = decoded.is_file().then(|| (read(&decoded), EXACT));
    [(read(&path), jpeg(spread(model)))].into_iter().chain(reference).collect()
}

/// The largest stretch of a level by the model's normalising.
fn spread(model: &str) -> f64 {
    match model {
        "rtdetr-tiny" | "dfine-tiny" => 1.0,
        "vit-tiny" | "shapes-classifier" => 0.5,
        // Divided by 0.5 twice.
        "efficientnet-tiny" => 0.25,
        _ => 0.224,
    }
}

async fn outputs(model: &Model, inputs: Vec<Tensor>) -> Vec<Tensor> {
    model.infer(inputs).await.unwrap().outputs
}

async fn detector_equals_the_reference(id: &str) {
    let loader = loader_of(goldens_folder(), SessionSettings::default());
    let model = loader.load(&id.into()).await.unwrap();
    assert_eq!((model.info().family, model.info().task), ("transformers-detect", "detection"));
    let (golden, detector) = (golden(id), model.detector().unwrap());
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() >= 7);
    for case in cases {
        let name = format!("{id} {} {}", case["image"], case["params"]);
        for (frame, tolerance) in pictures(id, &golden, case) {
            let prepared = detector.prepare(&frame).unwrap();
            tensor_is_like(&prepared.inputs[0], &case["preprocess"][0], tolerance, &name);
            if tolerance.sample > EXACT.sample {
                // Random weights make pixels of difference out of a grey level.
                continue;
            }
            let outputs = outputs(&model, prepared.inputs).await;
            let params = DetectParams {
                confidence: case["params"]["threshold"].as_f64().unwrap() as f32,
                max_detections: 1000,
                ..DetectParams::default()
            };
            let found = detector.read(&outputs, &prepared.placement, &params).unwrap();
            assert!(found.windows(2).all(|pair| pair[0].confidence >= pair[1].confidence), "{name}");
            boxes_are_like(&found, &case["expected"], tolerance, &name);
        }
    }
}

#[tokio::test]
async fn detr_equals_the_reference() {
    detector_equals_the_reference("detr-tiny").await;
}

#[tokio::test]
async fn table_transformer_equals_the_reference() {
    detector_equals_the_reference("table-transformer-tiny").await;
}

#[tokio::test]
async fn yolos_equals_the_reference() {
    detector_equals_the_reference("yolos-tiny").await;
}

#[tokio::test]
async fn rt_detr_equals_the_reference() {
    detector_equals_the_reference("rtdetr-tiny").await;
}

#[tokio::test]
async fn d_fine_equals_the_reference() {
    detector_equals_the_reference("dfine-tiny").await;
}

async fn classifier_equals_the_reference(id: &str) {
    let loader = match id {
        "shapes-classifier" => loader(),
        _ => loader_of(goldens_folder(), SessionSettings::default()),
    };
    let model = loader.load(&id.into()).await.unwrap();
    assert_eq!((model.info().family, model.info().task), ("transformers-classify", "classification"));
    let (golden, classifier) = (golden(id), model.classifier().unwrap());
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() >= 6);
    for case in cases {
        let name = format!("{id} {}", case["image"]);
        for (frame, tolerance) in pictures(id, &golden, case) {
            let prepared = classifier.prepare(&frame).unwrap();
            tensor_is_like(&prepared.inputs[0], &case["preprocess"][0], tolerance, &name);
            let outputs = outputs(&model, prepared.inputs).await;
            let scores = classifier.scores(&outputs, Scoring::Own).unwrap();
            let expected = case["expected"]["probs"].as_array().unwrap();
            assert_eq!(scores.len(), expected.len());
            for (score, expected) in scores.iter().zip(expected) {
                let expected = expected.as_f64().unwrap();
                assert!(
                    (f64::from(*score) - expected).abs() < tolerance.score,
                    "{name}: {score} ~ {expected}"
                );
            }
            let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
            let first = &case["expected"]["top_k"][0];
            assert!(first.to_string().contains(&model.info().labels[best]), "{name}: {best} {first}");
            let apart = classifier.scores(&outputs, Scoring::MultiLabel).unwrap();
            assert!(apart.iter().all(|score| (0.0..=1.0).contains(score)) && apart != scores);
        }
    }
}

#[tokio::test]
async fn vit_equals_the_reference() {
    classifier_equals_the_reference("vit-tiny").await;
}

#[tokio::test]
async fn convnext_equals_the_reference() {
    classifier_equals_the_reference("convnext-tiny").await;
}

#[tokio::test]
async fn swin_equals_the_reference() {
    classifier_equals_the_reference("swin-tiny").await;
}

#[tokio::test]
async fn efficientnet_equals_the_reference() {
    classifier_equals_the_reference("efficientnet-tiny").await;
}

#[tokio::test]
async fn resnet_equals_the_reference() {
    classifier_equals_the_reference("resnet-tiny").await;
}

#[tokio::test]
async fn the_demo_classifier_equals_the_reference() {
    classifier_equals_the_reference("shapes-classifier").await;
}

/// How far probabilities of a quantised graph (weights in a byte each, what runs through it in steps taken from each picture) may be
/// from those in full precision, which are the reference. ONNX Runtime by itself, given the reference's tensors, is up to 0.0502
/// off over these pictures; processors differ in how they round bytes. Another picture's probabilities are 0.3 away.
const QUANTISED: f32 = 0.08;

#[tokio::test]
async fn a_quantised_graph_is_near_the_one_it_was_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (goldens_folder().join("vit-tiny"), folder.path().join("m"));
    std::fs::create_dir_all(to.join("onnx")).unwrap();
    for file in ["config.json", "preprocessor_config.json", "onnx/model.onnx", "onnx/model_quantized.onnx"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    std::fs::write(to.join("millrace.toml"), "graph = \"onnx/model_quantized.onnx\"\n").unwrap();
    let loader = loader_of(folder.path().to_owned(), SessionSettings::default());
    let model = loader.load(&"m".into()).await.unwrap();
    let golden = golden("vit-tiny");
    let mut furthest = 0.0f32;
    for case in golden["cases"].as_array().unwrap() {
        for (frame, _) in pictures("vit-tiny", &golden, case) {
            let prepared = model.classifier().unwrap().prepare(&frame).unwrap();
            let outputs = outputs(&model, prepared.inputs).await;
            let scores = model.classifier().unwrap().scores(&outputs, Scoring::Own).unwrap();
            let expected = case["expected"]["probs"].as_array().unwrap();
            let expected: Vec<f32> = expected.iter().map(|share| share.as_f64().unwrap() as f32).collect();
            assert_eq!(scores.len(), expected.len());
            let off =
                scores.iter().zip(&expected).map(|(have, want)| (have - want).abs()).fold(0.0, f32::max);
            furthest = furthest.max(off);
            assert!(off < QUANTISED, "{}: {scores:?} ~ {expected:?}", case["image"]);
            let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
            let most = expected.iter().copied().fold(0.0, f32::max);
            assert!(most - expected[best] < QUANTISED, "{}: {best}", case["image"]);
        }
    }
    assert!(furthest > EXACT.score as f32, "{furthest}: it is the graph in full precision");
}
