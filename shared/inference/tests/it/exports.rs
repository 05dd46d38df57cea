//! Folders as exporters leave them that say less of themselves than a model hub's, or say it elsewhere.

use std::time::Duration;

use futures::future::join_all;
use millrace_inference::{DetectParams, InferenceError, Model, Scoring, SessionSettings};
use millrace_vision::Frame;
use serde_json::{Value, json};

use crate::{goldens_folder, loader_of};

/// The graph of the tiny model `id` as `graph` in a folder with these files, loaded.
async fn load(id: &str, graph: &str, files: &[(&str, String)]) -> Result<Model, InferenceError> {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("m");
    std::fs::create_dir_all(model.join(graph).parent().unwrap()).unwrap();
    let tiny = goldens_folder().join("tiny").join(id).join("model.onnx");
    std::fs::copy(tiny, model.join(graph)).unwrap();
    for (name, text) in files {
        std::fs::write(model.join(name), text).unwrap();
    }
    loader_of(folder.path().to_owned(), SessionSettings::default()).load(&"m".into()).await
}

async fn scores(model: &Model) -> Vec<f32> {
    let classifier = model.classifier().unwrap();
    let prepared = classifier.prepare(&Frame::filled(30, 20, [9; 3])).unwrap();
    let outputs = model.infer(prepared.inputs).await.unwrap().outputs;
    classifier.scores(&outputs, Scoring::Own).unwrap()
}

/// What softmax makes of 0, 2, −2.
fn are_shares(scores: &[f32]) {
    for (score, expected) in scores.iter().zip([0.117_310, 0.866_814, 0.015_876]) {
        assert!((score - expected).abs() < 1e-5, "{scores:?}");
    }
}

#[tokio::test]
async fn models_of_timm_need_no_image_processor_beside_them() {
    let data = json!({"input_size": [3, 8, 8], "interpolation": "bicubic", "crop_pct": 0.9, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]});
    let names = json!(["x", "y", "z"]);
    // As on the hub, as transformers wraps them, and as Optimum exports them.
    let hub =
        json!({"architecture": "resnet10t", "num_classes": 3, "pretrained_cfg": data, "label_names": names});
    let mut wrapped = hub.clone();
    wrapped["architectures"] = json!(["TimmWrapperForImageClassification"]);
    wrapped["model_type"] = "timm_wrapper".into();
    let mut flat = data;
    flat["architecture"] = "resnet10t".into();
    flat["label_names"] = names;
    for config in [hub, wrapped, flat] {
        let model = load("multi-label", "model.onnx", &[("config.json", config.to_string())]).await.unwrap();
        assert_eq!(model.info().family, "transformers-classify", "{config}");
        assert_eq!(model.info().labels, ["x", "y", "z"], "{config}");
        are_shares(&scores(&model).await);
        let placement =
            model.classifier().unwrap().prepare(&Frame::filled(30, 20, [9; 3])).unwrap().placement;
        // The shorter side becomes 8 of 8 / 0.9, the longer one 12; of both the middle.
        assert_eq!((placement.scaled, placement.canvas), ((8, 8), (8, 8)), "{config}");
        assert!(
            (placement.used[0] - 5.0).abs() < 1e-9 && (placement.used[2] - 20.0).abs() < 1e-9,
            "{placement:?}"
        );
    }
}

/// What timm says beside it may be what there is no processor for.
#[tokio::test]
async fn the_owners_processor_of_a_model_of_timm_is_all_there_is() {
    let config = json!({"architecture": "resnet10t", "num_classes": 3, "label_names": ["x", "y", "z"],
        "pretrained_cfg": {"input_size": [3, 8, 8], "crop_mode": "border", "mean": [0.1, 0.1, 0.1], "std": [0.2, 0.2, 0.2]}});
    let mut files = vec![("config.json", config.to_string())];
    let error = load("multi-label", "model.onnx", &files).await.unwrap_err();
    assert!(error.to_string().contains("crop_mode"), "{error}");
    let owned = "[preprocess]\nimage_processor_type = \"ViTImageProcessor\"\nsize = 8\n";
    files.push(("millrace.toml", owned.to_owned()));
    let model = load("multi-label", "model.onnx", &files).await.unwrap();
    let placement = model.classifier().unwrap().prepare(&Frame::filled(30, 20, [9; 3])).unwrap().placement;
    assert_eq!((placement.scaled, placement.canvas), ((8, 8), (8, 8)));
    assert!(placement.used[0].abs() < 1e-9, "nothing is cut off: {placement:?}");
}

#[tokio::test]
async fn what_was_exported_is_what_the_exporter_says() {
    let exported = |architecture: &str| json!({"schema_version": 1, "export_format": "onnx", "components": {"model": {"file": "model.onnx", "metadata": {"architecture": architecture}}}});
    let processor = json!({"image_processor_type": "ViTImageProcessor", "size": {"height": 8, "width": 8}});
    // Made anew, or taught from a model that had another head.
    for architectures in [Value::Null, json!(["ViTModel"])] {
        let config = json!({"model_type": "vit", "architectures": architectures, "id2label": {"0": "x", "1": "y", "2": "z"}});
        let files =
            [("config.json", config.to_string()), ("preprocessor_config.json", processor.to_string())];
        let with = |text: String| [files.to_vec(), vec![("export.json", text)]].concat();
        let exported = exported("ViTForImageClassification").to_string();
        let model = load("multi-label", "model.onnx", &with(exported)).await.unwrap();
        assert_eq!(model.info().labels, ["x", "y", "z"]);
        are_shares(&scores(&model).await);
        // A file of this name that is somebody else's says nothing.
        let nobody = load("multi-label", "model.onnx", &with("[1, 2]".to_owned())).await.unwrap();
        let error = nobody.classifier().err().unwrap();
        assert!(matches!(error, InferenceError::WrongTask { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_classifier_that_says_nothing_of_itself_is_one_by_its_owners_word() {
    let settings = "family = \"transformers-classify\"\nlabels = [\"x\", \"y\", \"z\"]\n[preprocess]\n\
                    image_processor_type = \"ViTImageProcessor\"\nsize = 8\n";
    let owned = [("millrace.toml", settings.to_owned())];
    let model = load("plain-classifier", "model.onnx", &owned).await.unwrap();
    are_shares(&scores(&model).await);
    assert_eq!(model.info().labels, ["x", "y", "z"]);
    let silent = load("plain-classifier", "model.onnx", &[]).await.unwrap();
    assert_eq!(silent.info().family, "raw");
}

#[tokio::test]
async fn the_only_graph_of_a_folder_is_the_model_whatever_it_is_called() {
    for graph in ["yolo11n.onnx", "onnx/model_quantized.onnx"] {
        let model = load("yolo-rows", graph, &[]).await.unwrap();
        assert_eq!(model.info().family, "ultralytics-detect", "{graph}");
    }
}

/// The exporter of `transformers` 5 calls an axis that turned out to be fixed by its number.
#[tokio::test]
async fn a_graph_of_two_rows_is_given_two() {
    let loader = loader_of(goldens_folder().join("tiny"), SessionSettings::default());
    let model = loader.load(&"fixed-by-name".into()).await.unwrap();
    are_shares(&scores(&model).await);
}

/// As many are waited for as a batch may have: with two in one the second would find nothing.
#[tokio::test]
async fn a_graph_that_answers_one_row_is_given_one() {
    let sessions =
        SessionSettings { max_batch: 2, max_delay: Duration::from_secs(60), ..SessionSettings::default() };
    let loader = loader_of(goldens_folder().join("tiny"), sessions);
    let model = loader.load(&"yolo-suppressed".into()).await.unwrap();
    let detector = model.detector().unwrap();
    let prepared = detector.prepare(&Frame::filled(128, 64, [9; 3])).unwrap();
    for inferred in join_all([model.infer(prepared.inputs.clone()), model.infer(prepared.inputs)]).await {
        let outputs = inferred.unwrap().outputs;
        let found = detector.read(&outputs, &prepared.placement, &DetectParams::default()).unwrap();
        assert_eq!(found.len(), 2);
    }
}

/// Each class of each query by itself, as of RT-DETR.
#[tokio::test]
async fn detectors_of_transformers_5_are_read() {
    for (kind, processor) in [
        ("rf_detr", "RfDetr"),
        ("deimv2", "RTDetr"),
        ("lw_detr", "DeformableDetr"),
        ("dab-detr", "ConditionalDetr"),
    ] {
        let config = json!({"model_type": kind, "architectures": ["AnyForObjectDetection"], "id2label": {"0": "x", "1": "y", "2": "z"}});
        let processor = json!({"image_processor_type": format!("{processor}ImageProcessor"), "size": {"height": 8, "width": 8}});
        let files =
            [("config.json", config.to_string()), ("preprocessor_config.json", processor.to_string())];
        let model = load("none", "model.onnx", &files).await.unwrap();
        let detector = model.detector().unwrap();
        let prepared = detector.prepare(&Frame::filled(20, 10, [9; 3])).unwrap();
        let outputs = model.infer(prepared.inputs).await.unwrap().outputs;
        let found = detector.read(&outputs, &prepared.placement, &DetectParams::default()).unwrap();
        assert_eq!(found.len(), 1, "{kind}");
        // The sigmoid of 5.
        assert!(
            &*found[0].class_name == "z" && (found[0].confidence - 0.993_307).abs() < 1e-5,
            "{kind}: {found:?}"
        );
    }
}
