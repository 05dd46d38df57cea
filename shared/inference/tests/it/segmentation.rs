//! Segmentation models against what `transformers` gives, pixel by pixel.

use millrace_contracts::values::Rle;
use millrace_inference::{
    InferenceError, Model, ModelLoader, Segment, SegmentMode, SegmentParams, SessionSettings,
};
use millrace_vision::{Frame, Limits, decode};
use serde_json::Value;

use crate::{goldens_folder, loader_of};

/// Share of pixels that may differ. Pictures without loss are the reference's to the bit, and so are their masks but for
/// pixels where two classes are equal to seven digits. JPEG decoders differ by single grey levels, which decide where two
/// classes are almost equal; the weights are random, so that classes change all over the picture and such places are many.
const LOSSLESS_TOLERANCE: f64 = 1e-4;
const JPEG_TOLERANCE: f64 = 0.01;
const SCORE_TOLERANCE: f64 = 0.01;

fn zoo() -> ModelLoader {
    loader_of(goldens_folder(), SessionSettings::default())
}

fn golden(model: &str) -> Value {
    let path = goldens_folder().join(model).join("golden.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn tolerance(image: &str) -> f64 {
    if image.ends_with(".png") { LOSSLESS_TOLERANCE } else { JPEG_TOLERANCE }
}

fn params(mode: SegmentMode, confidence: f32) -> SegmentParams {
    SegmentParams { mode, confidence, iou: 0.7, max_segments: 300 }
}

fn frame(image: &str) -> Frame {
    let bytes = std::fs::read(goldens_folder().join(image)).unwrap();
    decode(&bytes, &Limits::default()).unwrap()
}

async fn segment(
    model: &Model,
    frame: &Frame,
    params: &SegmentParams,
) -> Result<Vec<Segment>, InferenceError> {
    let segmenter = model.segmenter().unwrap();
    let prepared = segmenter.prepare(frame).unwrap();
    let inferred = model.infer(prepared.inputs).await.unwrap();
    segmenter.read(&inferred.outputs, &prepared.placement, params)
}

/// The grey levels of a mask PNG: indices.
fn indices(model: &str, png: &Value) -> Frame {
    let path = goldens_folder().join(model).join(png.as_str().unwrap());
    decode(&std::fs::read(path).unwrap(), &Limits::default()).unwrap()
}

fn index_at(frame: &Frame, place: usize) -> u8 {
    frame.pixels()[place * 3]
}

/// The share of pixels at which `painted` and the reference differ.
fn difference(painted: &[u8], reference: &Frame) -> f64 {
    assert_eq!(painted.len(), reference.pixels().len() / 3);
    let differ =
        painted.iter().enumerate().filter(|(place, index)| **index != index_at(reference, *place)).count();
    differ as f64 / painted.len() as f64
}

/// Paints masks over each other, in this order.
fn painted<'a>(background: u8, masks: impl Iterator<Item = (u8, &'a Rle)>, pixels: usize) -> Vec<u8> {
    let mut picture = vec![background; pixels];
    for (index, mask) in masks {
        for (place, set) in mask.rows(u64::MAX).unwrap().into_iter().enumerate() {
            if set == 1 {
                picture[place] = index;
            }
        }
    }
    picture
}

fn class_map(segments: &[Segment], pixels: usize) -> Vec<u8> {
    painted(255, segments.iter().map(|segment| (segment.class_id as u8, &segment.mask)), pixels)
}

async fn class_maps_are_like_the_reference(id: &str, png_of: fn(&Value) -> &Value) {
    let model = zoo().load(&id.into()).await.unwrap();
    assert_eq!(model.info().task, "segmentation");
    for case in golden(id)["cases"].as_array().unwrap() {
        let image = case["image"].as_str().unwrap();
        let frame = frame(image);
        let map = segment(&model, &frame, &params(SegmentMode::Semantic, 0.5)).await.unwrap();
        let reference = indices(id, png_of(&case["expected"]));
        let pixels = (frame.width() * frame.height()) as usize;
        assert_eq!(
            map.iter().map(|class| class.mask.area()).sum::<u64>(),
            pixels as u64,
            "each pixel has one class"
        );
        let off = difference(&class_map(&map, pixels), &reference);
        assert!(off < tolerance(image), "{id} {image}: {off}");
        if let Some(areas) = case["expected"]["area"].as_object() {
            let counted = areas.values().filter(|area| area.as_u64() > Some(0)).count();
            assert_eq!(map.len(), counted, "{image}");
            for class in &map {
                let (have, want) = (class.mask.area() as f64, areas[&class.class_name].as_f64().unwrap());
                assert!(
                    (have - want).abs() <= tolerance(image) * pixels as f64,
                    "{image}: {}",
                    class.class_name
                );
            }
        }
    }
}

#[tokio::test]
async fn segformer_is_like_the_reference() {
    class_maps_are_like_the_reference("segformer-tiny", |expected| &expected["mask_png"]).await;
}

#[tokio::test]
async fn maskformers_give_class_maps() {
    for id in ["maskformer-tiny", "mask2former-tiny"] {
        class_maps_are_like_the_reference(id, |expected| &expected["semantic_png"]).await;
    }
}

/// Both sides by class and then by score.
fn paired<'a>(theirs: &'a [Value], ours: &'a [Segment]) -> Vec<(&'a Value, &'a Segment)> {
    let mut theirs: Vec<&Value> = theirs.iter().collect();
    let mut ours: Vec<&Segment> = ours.iter().collect();
    let score = |want: &Value| want["score"].as_f64().unwrap();
    theirs.sort_by(|a, b| {
        a["label_id"].as_u64().cmp(&b["label_id"].as_u64()).then(score(b).total_cmp(&score(a)))
    });
    ours.sort_by(|a, b| {
        a.class_id.cmp(&b.class_id).then(b.confidence.unwrap().total_cmp(&a.confidence.unwrap()))
    });
    theirs.into_iter().zip(ours).collect()
}

/// Every segment of the reference has one of ours, of its class and score, and painted in the reference's order they give
/// its picture: instances may lie over each other, and in which order they are painted is the reference's accident.
async fn segments_are_like_the_reference(id: &str, mode: SegmentMode) {
    let model = zoo().load(&id.into()).await.unwrap();
    let name = mode.as_str();
    for case in golden(id)["cases"].as_array().unwrap() {
        let image = case["image"].as_str().unwrap();
        let frame = frame(image);
        let expected = &case["expected"][name];
        let threshold = expected["threshold"].as_f64().unwrap() as f32;
        let ours = segment(&model, &frame, &params(mode, threshold)).await.unwrap();
        let theirs = expected["segments"].as_array().unwrap();
        let summary: Vec<(usize, Option<f32>)> =
            ours.iter().map(|one| (one.class_id, one.confidence)).collect();
        assert_eq!(ours.len(), theirs.len(), "{id} {image} {name}: {summary:?} ~ {theirs:?}");
        let mut order = Vec::new();
        for (want, one) in paired(theirs, &ours) {
            let score = want["score"].as_f64().unwrap();
            let off = (f64::from(one.confidence.unwrap()) - score).abs();
            assert!(
                want["label_id"] == one.class_id && off < SCORE_TOLERANCE,
                "{id} {image} {name}: {want} ~ {} {:?}",
                one.class_id,
                one.confidence
            );
            order.push((want["id"].as_u64().unwrap(), want["id"].as_u64().unwrap() as u8, &one.mask));
        }
        order.sort_by_key(|(rank, ..)| *rank);
        let order = order.into_iter().map(|(_, id, mask)| (id, mask)).collect::<Vec<_>>();
        let background = if mode == SegmentMode::Instance { 255 } else { 0 };
        let pixels = (frame.width() * frame.height()) as usize;
        let off =
            difference(&painted(background, order.into_iter(), pixels), &indices(id, &expected["id_png"]));
        assert!(off < tolerance(image), "{id} {image} {name}: {off}");
    }
}

#[tokio::test]
async fn maskformer_gives_instances_and_panoptic_segments() {
    segments_are_like_the_reference("maskformer-tiny", SegmentMode::Instance).await;
    segments_are_like_the_reference("maskformer-tiny", SegmentMode::Panoptic).await;
}

#[tokio::test]
async fn mask2former_gives_instances_and_panoptic_segments() {
    segments_are_like_the_reference("mask2former-tiny", SegmentMode::Instance).await;
    segments_are_like_the_reference("mask2former-tiny", SegmentMode::Panoptic).await;
}

/// Boxes, scores and masks of a tiny export with random weights. A mask may differ at its edge, where its logits pass zero:
/// the reference encodes its masks the way everybody does, so that reading the compressed form is tested too.
#[tokio::test]
async fn ultralytics_instances_are_like_the_reference() {
    let model = zoo().load(&"ultralytics-segment".into()).await.unwrap();
    assert_eq!((model.info().family, model.info().task), ("ultralytics-segment", "segmentation"));
    assert_eq!(model.info().labels, ["disc", "bar", "blob"]);
    for case in golden("ultralytics-segment")["cases"].as_array().unwrap() {
        let (image, expected) = (case["image"].as_str().unwrap(), &case["expected"]);
        let number = |name: &str| case["params"][name].as_f64().unwrap() as f32;
        let params = SegmentParams { iou: number("iou"), ..params(SegmentMode::Instance, number("conf")) };
        let ours = segment(&model, &frame(image), &params).await.unwrap();
        let list = |name: &str| expected[name].as_array().unwrap();
        assert_eq!(ours.len(), list("scores").len(), "{image}");
        // Scores closer than the tolerance may come in another order.
        let mut free: Vec<usize> = (0..ours.len()).collect();
        let (mut differ, mut all) = (0, 0);
        for one in &ours {
            let off = |place: &usize| {
                let corners = list("boxes")[*place].as_array().unwrap().iter().zip(one.bbox);
                corners
                    .map(|(want, have)| (want.as_f64().unwrap() - f64::from(have)).abs())
                    .fold(0.0, f64::max)
            };
            let alike = free.iter().copied().filter(|&place| list("labels")[place] == one.class_id);
            let place = alike.min_by(|a, b| off(a).total_cmp(&off(b))).unwrap();
            free.retain(|other| *other != place);
            assert!(off(&place) < 1.0, "{image}: {:?} is {} px off", one.bbox, off(&place));
            let score = list("scores")[place].as_f64().unwrap();
            assert!((f64::from(one.confidence.unwrap()) - score).abs() < SCORE_TOLERANCE, "{image}");
            let mask: Rle = serde_json::from_value(list("masks")[place].clone()).unwrap();
            let (have, want) = (one.mask.rows(u64::MAX).unwrap(), mask.rows(u64::MAX).unwrap());
            differ += have.iter().zip(&want).filter(|(have, want)| have != want).count() as u64;
            all += mask.area();
        }
        assert!(differ as f64 / (all as f64) < tolerance(image), "{image}: {differ} of {all}");
    }
}

#[tokio::test]
async fn the_smallest_pictures_have_masks_too() {
    for id in ["segformer-tiny", "maskformer-tiny", "mask2former-tiny"] {
        let model = zoo().load(&id.into()).await.unwrap();
        for (width, height) in [(1, 1), (1, 50), (3, 2)] {
            let frame = Frame::filled(width, height, [200, 10, 10]);
            let map = segment(&model, &frame, &params(SegmentMode::Semantic, 0.5)).await.unwrap();
            let covered: u64 = map.iter().map(|class| class.mask.area()).sum();
            assert_eq!(covered, u64::from(width * height), "{id}");
            assert!(map.iter().all(|class| class.mask.size == [height, width] && class.mask.check().is_ok()));
        }
    }
}

#[tokio::test]
async fn a_mode_the_model_does_not_have_is_refused() {
    let model = zoo().load(&"segformer-tiny".into()).await.unwrap();
    let refused =
        segment(&model, &Frame::filled(9, 9, [0; 3]), &params(SegmentMode::Instance, 0.5)).await.unwrap_err();
    assert!(matches!(&refused, InferenceError::WrongMode { modes, .. } if modes == "semantic"), "{refused}");
    let nothing = zoo().load(&"maskformer-tiny".into()).await.unwrap();
    let found =
        segment(&nothing, &Frame::filled(9, 9, [0; 3]), &params(SegmentMode::Panoptic, 1.0)).await.unwrap();
    assert!(found.is_empty(), "nothing is as sure as that, and nothing is a result");
}
