//! Graphs that no family knows: numbers in, numbers out.

use std::collections::BTreeMap;

use millrace_inference::{Elements, Given, InferenceError, Model, ModelLoader, SessionSettings, Tensor};
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
