//! Graphs that no family knows: numbers in, numbers out.

use std::collections::BTreeMap;

use millrace_inference::{Elements, Given, InferenceError, Model, ModelLoader, SessionSettings, Tensor};
use millrace_onnx::{Attribute, Element, Graph, Side};
use millrace_vision::Frame;
use serde_json::{Value, json};

use crate::{loader_of, root};

fn raw_models() -> ModelLoader {
    loader_of(root().join("tests/goldens/raw"), SessionSettings::default())
}

fn given(tensors: &Value) -> BTreeMap<String, Given> {
    let read = |value: &Value| Given {
        shape: value["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(|side| side.as_u64().unwrap() as usize)
            .collect(),
        data: value["data"].as_array().unwrap().clone(),
    };
    tensors.as_object().unwrap().iter().map(|(name, value)| (name.clone(), read(value))).collect()
}

async fn outputs(model: &Model, inputs: Vec<Tensor>) -> BTreeMap<String, Tensor> {
    let names = model.raw().unwrap().outputs().iter().map(|port| port.name.clone());
    names.zip(model.infer_alone(inputs).await.unwrap().outputs).collect()
}

#[tokio::test]
async fn numbers_of_every_type_go_in_and_come_out() {
    let model = raw_models().load(&"numbers".into()).await.unwrap();
    assert_eq!((model.info().family, model.info().task), ("raw", "raw tensors"));
    let x = json!({"shape": [2, 3], "data": [1, 2, 3, 4, 5, 0]});
    let inputs = given(&json!({"x": x, "count": {"shape": [1], "data": [2]}}));
    let inputs = model.raw().unwrap().prepare(None, inputs).unwrap();
    let outputs = outputs(&model, inputs).await;
    assert_eq!(outputs["scaled"].data(), [2.0, 4.0, 6.0, 8.0, 10.0, 0.0]);
    assert_eq!((outputs["total"].shape(), outputs["total"].data()), (&[][..], &[30.0][..]));
    assert_eq!(outputs["beyond"].elements(), &Elements::Bool(vec![false, false, true, true, true, false]));
    assert_eq!(outputs["twice"].elements(), &Elements::I64(vec![4]));
}

#[tokio::test]
async fn numbers_that_are_none_come_out_as_they_are() {
    let model = raw_models().load(&"numbers".into()).await.unwrap();
    let x = json!({"shape": [1, 3], "data": [1, -1, 0]});
    let inputs = given(&json!({"x": x, "count": {"shape": [1], "data": [0]}}));
    let inputs = model.raw().unwrap().prepare(None, inputs).unwrap();
    let share = outputs(&model, inputs).await["share"].data().to_vec();
    assert!(share[0].is_infinite() && share[1].is_infinite() && share[2].is_nan(), "{share:?}");
}

#[tokio::test]
async fn a_picture_is_prepared_as_its_owner_says() {
    let model = raw_models().load(&"picture".into()).await.unwrap();
    // 1.0, 0.2 and 0.4 of full red, green and blue.
    let frame = Frame::filled(17, 9, [255, 51, 102]);
    let inputs = model.raw().unwrap().prepare(Some(&frame), BTreeMap::new()).unwrap();
    assert_eq!(inputs[0].shape(), [1, 4, 6, 3]);
    let outputs = outputs(&model, inputs).await;
    let mean = outputs["mean"].data();
    // Blue first: 0.4 / 2, then 0.2 / 1, then (1.0 - 0.5) / 0.5.
    for (have, want) in mean.iter().zip([0.2, 0.2, 1.0]) {
        assert!((have - want).abs() < 1e-5, "{mean:?}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_said_by_name() {
    let model = raw_models().load(&"numbers".into()).await.unwrap();
    let raw = model.raw().unwrap();
    let count = json!({"shape": [1], "data": [2]});
    let x = json!({"shape": [1, 3], "data": [1, 2, 3]});
    for (tensors, says) in [
        (json!({"x": x}), "\"count\" is missing"),
        (json!({"x": x, "count": count, "z": x}), "no input \"z\""),
        (json!({"x": {"shape": [1, 3], "data": [1, 2]}, "count": count}), "\"x\""),
        (json!({"x": {"shape": [1, 3], "data": [1, "a", 2]}, "count": count}), "element 1 is no float32"),
        (json!({"x": x, "count": {"shape": [1], "data": [1.5]}}), "element 0 is no int64"),
    ] {
        let error = raw.prepare(None, given(&tensors)).unwrap_err();
        assert!(
            matches!(&error, InferenceError::Input { .. }) && error.to_string().contains(says),
            "{error}"
        );
    }
    let refused = raw.prepare(Some(&Frame::filled(1, 1, [0; 3])), BTreeMap::new()).unwrap_err();
    assert!(refused.to_string().contains("[image]"), "{refused}");
    // A shape that only the graph knows to be wrong.
    let wide = given(&json!({"x": {"shape": [1, 4], "data": [1, 2, 3, 4]}, "count": count}));
    let refused = model.infer_alone(raw.prepare(None, wide).unwrap()).await.unwrap_err();
    assert!(matches!(&refused, InferenceError::Input { .. }), "{refused}");
}

#[tokio::test]
async fn graphs_that_are_not_plain_are_refused() {
    for (id, says) in [("texts", "is texts"), ("sequence", "a sequence")] {
        let error = raw_models().load(&id.into()).await.map(|_| ()).unwrap_err();
        assert!(matches!(&error, InferenceError::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

/// Names and texts.
type Texts<'a> = &'a [(&'a str, &'a str)];

/// A folder of the models in `models`, each a graph with files beside it.
fn folder_of(models: &[(&str, Vec<u8>, Texts<'_>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (id, graph, files) in models {
        let place = folder.path().join(id);
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("model.onnx"), graph).unwrap();
        for (name, text) in *files {
            std::fs::write(place.join(name), text).unwrap();
        }
    }
    folder
}

/// Takes a picture and gives its mean, as an export that says so much of itself.
fn picture_model(metadata: Texts<'_>) -> Vec<u8> {
    let mut graph = Graph::new("mean");
    let sides = [Side::Free("batch"), Side::Fixed(3), Side::Fixed(4), Side::Fixed(6)];
    graph.input("pixel_values", Element::F32, &sides);
    graph.node("ReduceMean", &["pixel_values"], "mean", &[("axes", Attribute::Ints(&[2, 3]))]);
    graph.output(
        "mean",
        Element::F32,
        &[Side::Free("batch"), Side::Fixed(3), Side::Fixed(1), Side::Fixed(1)],
    );
    for (key, value) in metadata {
        graph.metadata(key, value);
    }
    graph.encode()
}

const DEPTH: &str =
    r#"{"model_type": "depth_anything", "architectures": ["DepthAnythingForDepthEstimation"]}"#;
const DETECTOR: &str = r#"{"model_type": "detr", "architectures": ["DetrForObjectDetection"]}"#;

#[tokio::test]
async fn what_is_of_no_family_runs_as_plain_tensors_whatever_it_says_of_itself() {
    let pose = [("task", "pose"), ("stride", "32"), ("names", "{0: 'person'}")];
    let folder = folder_of(&[
        (
            "depth",
            picture_model(&[]),
            &[("config.json", DEPTH), ("millrace.toml", "[image]\nsize = [6, 4]\n")],
        ),
        ("pose", picture_model(&pose), &[]),
        ("silent", picture_model(&[]), &[]),
        ("chosen", picture_model(&pose), &[("millrace.toml", "family = \"raw\"")]),
    ]);
    let loader = loader_of(folder.path().to_owned(), SessionSettings::default());
    for (id, says) in [
        (
            "depth",
            "for detection: its config.json says depth_anything (DepthAnythingForDepthEstimation), and no family",
        ),
        ("pose", "for detection: it is an Ultralytics export for the task \"pose\", and no family"),
        (
            "silent",
            "for detection: neither its ONNX metadata nor its config.json names a family, and no family",
        ),
        ("chosen", "not for detection; choose another"),
    ] {
        let model = loader.load(&id.into()).await.unwrap();
        assert_eq!(model.info().family, "raw", "{id}");
        let error = model.detector().err().unwrap();
        assert!(matches!(error, InferenceError::WrongTask { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let depth = loader.load(&"depth".into()).await.unwrap();
    let frame = Frame::filled(17, 9, [255, 51, 102]);
    let inputs = depth.raw().unwrap().prepare(Some(&frame), BTreeMap::new()).unwrap();
    for (have, want) in outputs(&depth, inputs).await["mean"].data().iter().zip([1.0, 0.2, 0.4]) {
        assert!((have - want).abs() < 1e-5, "{have} and not {want}");
    }
}

#[tokio::test]
async fn what_is_of_a_family_and_cannot_be_read_is_refused_as_before() {
    let lacking = [("task", "detect"), ("stride", "32")];
    let folder = folder_of(&[
        ("detr", picture_model(&[]), &[("config.json", DETECTOR)]),
        ("yolo", picture_model(&lacking), &[]),
    ]);
    let loader = loader_of(folder.path().to_owned(), SessionSettings::default());
    for (id, says) in
        [("detr", "no output \"logits\""), ("yolo", "\"detect\", without all that its family reads")]
    {
        let error = loader.load(&id.into()).await.map(drop).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}
