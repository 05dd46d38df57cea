//! Models that do what real ones rarely do: nothing found, too much found, no numbers, other shapes, files missing. The
//! graphs are made by tests/goldens/scripts/tiny_models.py.

use millrace_contracts::ErrorKind;
use millrace_inference::{
    DetectParams, Found, InferenceError, Modality, Model, Pooling, Scoring, Segment, SegmentMode,
    SegmentParams, SessionSettings,
};
use millrace_vision::Frame;

use crate::{goldens_folder, loader_of};

async fn load(folder: std::path::PathBuf, id: &str) -> Result<Model, InferenceError> {
    loader_of(folder, SessionSettings::default()).load(&id.into()).await
}

async fn tiny(id: &str) -> Result<Model, InferenceError> {
    load(goldens_folder().join("tiny"), id).await
}

async fn detect(id: &str, params: &DetectParams) -> Result<Vec<Found>, InferenceError> {
    let model = tiny(id).await?;
    let detector = model.detector()?;
    let prepared = detector.prepare(&Frame::filled(128, 64, [9; 3]))?;
    let outputs = model.infer(prepared.inputs).await?.outputs;
    detector.read(&outputs, &prepared.placement, params)
}

async fn classify(id: &str) -> Result<Vec<f32>, InferenceError> {
    let model = tiny(id).await?;
    let prepared = model.classifier()?.prepare(&Frame::filled(30, 20, [9; 3]))?;
    let outputs = model.infer(prepared.inputs).await?.outputs;
    model.classifier()?.scores(&outputs, Scoring::Own)
}

#[tokio::test]
async fn nothing_found_is_an_empty_list_and_five_thousand_are_bounded() {
    assert!(detect("none", &DetectParams::default()).await.unwrap().is_empty());
    let all = DetectParams { max_detections: 10_000, ..DetectParams::default() };
    let found = detect("many", &all).await.unwrap();
    assert_eq!(found.len(), 5_000);
    assert!(found.iter().all(|one| one.class_name == "a" && one.confidence > 0.99));
    assert_eq!(detect("many", &DetectParams::default()).await.unwrap().len(), 300);
    let other = DetectParams { classes: Some(vec![1]), ..all };
    assert!(detect("many", &other).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_number_or_no_box_is_an_error() {
    for (id, says) in [("nan-detector", "NaN"), ("infinite-detector", "infinity"), ("short-boxes", "x 3")] {
        let error = detect(id, &DetectParams::default()).await.unwrap_err();
        assert!(matches!(error, InferenceError::Output { .. }), "{id}: {error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    for id in ["nan-classifier", "infinite-classifier"] {
        let error = classify(id).await.unwrap_err();
        assert!(matches!(error, InferenceError::Output { .. }), "{id}: {error}");
    }
}

async fn read_segments(id: &str, mode: SegmentMode) -> Result<Vec<Segment>, InferenceError> {
    let model = tiny(id).await?;
    let segmenter = model.segmenter()?;
    let prepared = segmenter.prepare(&Frame::filled(64, 64, [9; 3]))?;
    let outputs = model.infer(prepared.inputs).await?.outputs;
    let params = SegmentParams { mode, confidence: 0.5, iou: 0.5, max_segments: 10 };
    segmenter.read(&outputs, &prepared.placement, &params)
}

async fn embed(id: &str, pooling: Option<Pooling>) -> Result<Vec<f32>, InferenceError> {
    let model = tiny(id).await?;
    let embedder = model.embedder()?;
    let inputs = embedder.prepare_image(&Frame::filled(30, 20, [9; 3]))?;
    let outputs = model.infer_part(embedder.part(Modality::Image)?, inputs).await?.outputs;
    embedder.read(Modality::Image, &outputs, pooling)
}

#[tokio::test]
async fn masks_and_vectors_of_what_is_no_number_are_errors_too() {
    let modes = [SegmentMode::Semantic, SegmentMode::Instance, SegmentMode::Panoptic];
    let (class_maps, queries, instances) = (&modes[..1], &modes[..], &modes[1..2]);
    for (id, modes) in [
        ("nan-class-map", class_maps),
        ("infinite-class-map", class_maps),
        ("nan-queries", queries),
        ("infinite-queries", queries),
        ("nan-masks", queries),
        ("infinite-masks", queries),
        ("yolo-segment-infinite", instances),
    ] {
        for mode in modes {
            let error = read_segments(id, *mode).await.unwrap_err();
            assert!(matches!(error, InferenceError::Output { .. }), "{id} {mode:?}: {error}");
            assert!(error.to_string().contains("NaN or infinity"), "{id} {mode:?}: {error}");
        }
    }
    for id in ["nan-embedding", "infinite-embedding"] {
        for pooling in [None, Some(Pooling::Cls)] {
            let error = embed(id, pooling).await.unwrap_err();
            assert!(matches!(error, InferenceError::Output { .. }), "{id} {pooling:?}: {error}");
            assert!(error.to_string().contains("NaN or infinity"), "{id} {pooling:?}: {error}");
        }
        assert_eq!(embed(id, Some(Pooling::Mean)).await.unwrap(), [1.0; 4], "of its patches it is none");
    }
}

#[tokio::test]
async fn several_labels_at_once_are_judged_one_by_one() {
    let scores = classify("multi-label").await.unwrap();
    // sigmoid of 0, 2, −2
    for (score, expected) in scores.iter().zip([0.5, 0.880_797, 0.119_203]) {
        assert!((score - expected).abs() < 1e-5, "{scores:?}");
    }
}

#[tokio::test]
async fn a_missing_file_and_a_missing_output_are_named() {
    let error = tiny("no-processor").await.unwrap_err();
    assert!(matches!(error, InferenceError::FileMissing { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::ModelLoadError);
    assert!(error.to_string().contains("preprocessor_config.json"), "{error}");
    let error = tiny("no-logits").await.unwrap_err();
    assert!(error.to_string().contains("\"logits\", only scores"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let copy = |file: &str, text: &str| {
        std::fs::create_dir_all(folder.path().join("m")).unwrap();
        std::fs::copy(
            goldens_folder().join("tiny/multi-label/model.onnx"),
            folder.path().join("m/model.onnx"),
        )
        .unwrap();
        std::fs::write(folder.path().join("m").join(file), text).unwrap();
    };
    copy("config.json", "{\"architectures\": [");
    let error = load(folder.path().to_owned(), "m").await.unwrap_err();
    assert!(matches!(error, InferenceError::Load { .. }), "{error}");
    assert!(error.to_string().contains("config.json"), "{error}");
}

#[tokio::test]
async fn the_owner_has_the_last_word() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("m");
    std::fs::create_dir_all(model.join("variants")).unwrap();
    std::fs::copy(goldens_folder().join("tiny/multi-label/model.onnx"), model.join("variants/small.onnx"))
        .unwrap();
    let settings = "family = \"transformers-classify\"\ngraph = \"variants/small.onnx\"\nlabels = [\"x\", \"y\", \"z\"]\n\
                    [preprocess]\nimage_processor_type = \"ViTImageProcessor\"\nsize = 8\n";
    std::fs::write(model.join("millrace.toml"), settings).unwrap();
    let loaded = load(folder.path().to_owned(), "m").await.unwrap();
    assert_eq!((loaded.info().family, &*loaded.info().labels.join("")), ("transformers-classify", "xyz"));

    std::fs::write(model.join("millrace.toml"), settings.replace("small", "gone")).unwrap();
    let error = load(folder.path().to_owned(), "m").await.unwrap_err();
    assert!(error.to_string().contains("variants/gone.onnx"), "{error}");
    std::fs::write(model.join("millrace.toml"), "graph = \"../other/model.onnx\"").unwrap();
    let error = load(folder.path().to_owned(), "m").await.unwrap_err();
    assert!(error.to_string().contains("not inside the folder"), "{error}");
}

/// A folder with the model `id` of the tiny ones as `m`, and what its owner says of it.
fn owned(id: &str, settings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("m");
    std::fs::create_dir_all(&model).unwrap();
    std::fs::copy(goldens_folder().join("tiny").join(id).join("model.onnx"), model.join("model.onnx"))
        .unwrap();
    std::fs::write(model.join("millrace.toml"), settings).unwrap();
    folder
}

#[tokio::test]
async fn the_owner_names_the_classes_of_ultralytics_exports_too() {
    let load = async |id: &str, settings: &str| load(owned(id, settings).path().to_owned(), "m").await;
    for id in ["yolo-rows", "rtdetr-nameless", "yolo-classify"] {
        let model = load(id, "labels = [\"x\", \"y\", \"z\"]").await.unwrap();
        assert_eq!(model.info().labels.join(""), "xyz", "{id}");
    }
    let error = load("yolo-rows", "labels = [\"x\", \"y\"]").await.map(drop).unwrap_err();
    assert!(error.to_string().contains("names 2 labels, its metadata 3"), "{error}");
    // One that says nothing of itself any more.
    let settings = "family = \"ultralytics-detect\"\nlabels = [\"x\", \"y\", \"z\"]";
    let silent = load("yolo-silent", settings).await.unwrap();
    assert_eq!((silent.info().family, &*silent.info().labels.join("")), ("ultralytics-detect", "xyz"));
}

/// The mask of a graph is of the size that the graph says, not of the picture's.
#[tokio::test]
async fn a_mask_of_fixed_size_is_given_in_that_size() {
    let params = DetectParams { confidence: 0.25, ..DetectParams::default() };
    for id in ["mask-64", "mask-64-padded"] {
        let found = detect(id, &params).await.unwrap();
        assert_eq!(found.iter().map(|one| &*one.class_name).collect::<Vec<_>>(), ["b"], "{id}");
        // The score says how much of the mask is set: all of it, or the left half.
        let expected = if id == "mask-64" { 1.0f32 } else { 0.5 };
        let share = (found[0].confidence / (1.0 - found[0].confidence)).ln();
        assert!((share - expected).abs() < 1e-3, "{id}: {share}");
    }
}

/// `RTDETRPredictor`: pictures are stretched, boxes are shares of the picture, nothing is suppressed.
#[tokio::test]
async fn rt_detr_of_ultralytics_is_read_as_its_predictor_does() {
    let params = DetectParams { confidence: 0.25, iou: 0.5, ..DetectParams::default() };
    let queries = detect("rtdetr", &params).await.unwrap();
    let told = |found: &[Found]| -> Vec<_> {
        found.iter().map(|one| (one.class_name.clone(), one.confidence, one.bbox)).collect()
    };
    // 128 × 64 on 64 × 64, stretched: no padding to take off.
    let expected = [
        ("b".to_owned(), 0.9, [16.0, 0.0, 48.0, 64.0]),
        ("b".to_owned(), 0.8, [16.0, 0.0, 48.0, 64.0]),
        ("a".to_owned(), 0.7, [32.0, 0.0, 128.0, 64.0]),
    ];
    assert_eq!(told(&queries), expected);
    assert_eq!(told(&detect("rtdetr-finished", &params).await.unwrap()), expected);
    // With two classes its rows are as long as those of finished boxes.
    for id in ["rtdetr-nameless", "rtdetr-nameless-two", "rtdetr-nameless-finished"] {
        let refused = detect(id, &params).await.unwrap_err();
        assert!(refused.to_string().contains("ultralytics-rtdetr"), "{id}: {refused}");
    }
}

#[tokio::test]
async fn the_forms_of_ultralytics_exports_are_read_alike() {
    let params = DetectParams { iou: 0.5, ..DetectParams::default() };
    let rows = detect("yolo-rows", &params).await.unwrap();
    // 128 × 64 on 64 × 64: gain one half, 16 pixels above. The anchor covers 8..40 × 16..48 there.
    assert_eq!(rows.len(), 1, "the weaker of the two is suppressed");
    assert_eq!((rows[0].bbox, &*rows[0].class_name), ([16.0, 0.0, 80.0, 64.0], "b"));
    let half = detect("yolo-half", &params).await.unwrap();
    assert_eq!(half.len(), 1);
    assert!((half[0].confidence - rows[0].confidence).abs() < 1e-3 && half[0].bbox == rows[0].bbox);
    let finished = detect("yolo-end2end", &params).await.unwrap();
    assert_eq!(finished.iter().map(|one| one.bbox).collect::<Vec<_>>(), [rows[0].bbox; 2]);
    let once = detect("yolo-end2end", &DetectParams { agnostic: true, ..params.clone() }).await.unwrap();
    assert_eq!(once, finished[..1], "found twice, and asked for once");
    let silent = detect("yolo-v10", &params).await.unwrap();
    assert_eq!(silent, finished, "rows of six are finished boxes, also with two classes");
    // One that leaves its sides open says for which it was made.
    for id in ["yolo-classify", "yolo-classify-free"] {
        assert_eq!(classify(id).await.unwrap(), [0.2, 0.7, 0.1], "{id}");
    }
}

async fn segment(id: &str) -> Vec<Segment> {
    read_segments(id, SegmentMode::Instance).await.unwrap()
}

#[tokio::test]
async fn masks_in_half_precision_are_those_in_single() {
    let (single, half) = (segment("yolo-segment").await, segment("yolo-segment-half").await);
    assert_eq!(single.len(), 1);
    assert_eq!(single[0].mask.bbox(), Some([32, 0, 64, 32]), "of its box what the prototype keeps");
    assert_eq!((&half[0].mask, half[0].bbox, half.len()), (&single[0].mask, single[0].bbox, 1));
}

/// As exports with `nms=True` and the end-to-end ones of YOLO26 have them, whether they say so or not.
#[tokio::test]
async fn masks_of_finished_boxes_are_those_of_anchors() {
    let anchors = segment("yolo-segment").await;
    for id in ["yolo-segment-finished", "yolo-segment-silent"] {
        let rows = segment(id).await;
        assert_eq!(rows.len(), 2, "{id}");
        assert_eq!(rows[..1], anchors, "{id}");
        assert_eq!((&*rows[1].class_name, rows[1].mask.bbox()), ("a", Some([0, 0, 32, 32])), "{id}");
    }
}

#[tokio::test]
async fn shares_of_one_class_are_not_given_out_as_those_of_each() {
    let model = tiny("yolo-classify").await.unwrap();
    let prepared = model.classifier().unwrap().prepare(&Frame::filled(30, 20, [9; 3])).unwrap();
    let outputs = model.infer(prepared.inputs).await.unwrap().outputs;
    let refused = model.classifier().unwrap().scores(&outputs, Scoring::MultiLabel).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidConfig);
    assert!(refused.to_string().contains("multi_label"), "{refused}");
}
