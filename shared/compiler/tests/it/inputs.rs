//! A run's input against the input nodes.

use millrace_contracts::values::{Detections, ImageValue};
use millrace_contracts::{BlobId, Faults, Kind};
use serde_json::{Map, Value, json};

use crate::plan;

fn nodes() -> Value {
    json!([
        {"id": "photo", "type": "image_input", "config": {"max_pixels": 1000, "format": "png"}},
        {"id": "extra", "type": "image_input", "config": {"required": false}},
        {"id": "photos", "type": "image_input", "config": {"list": true, "required": false}},
        {"id": "min", "type": "parameter_input", "config": {"kind": "float", "default": 1, "min": 0, "max": 10}},
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer", "default": 2, "enum": [2, 4]}},
        {"id": "known", "type": "parameter_input", "config": {"kind": "detections", "default": []}},
        {"id": "when", "type": "parameter_input", "config": {"kind": "timestamp", "default": "2030-01-01T00:00:00Z"}},
        {"id": "grid", "type": "parameter_input", "config": {"kind": "list<list<float>>", "default": [[1]]}},
        {"id": "shots", "type": "parameter_input", "config": {"kind": "list<image>", "default": []}}
    ])
}

fn check(input: Value) -> Result<Map<String, Value>, Faults> {
    plan(&nodes()).check_input(input.as_object().unwrap())
}

#[test]
fn what_is_not_given_is_filled_in() {
    let complete = check(json!({"photo": "blob"})).unwrap();
    let expected = json!({
        "photo": "blob", "extra": null, "photos": null, "min": 1.0, "n": 2,
        "known": {"width": 0, "height": 0, "items": []}, "when": "2030-01-01T00:00:00Z", "grid": [[1.0]], "shots": []
    });
    assert_eq!(Value::Object(complete), expected);
}

#[test]
fn values_take_their_usual_form() {
    let input = json!({
        "photo": {"blob": "x"}, "photos": ["a", {"url": "b"}], "min": 5, "n": 4.0,
        "known": [{"bbox": [1, 2, 3, 4], "class_name": "cat"}, {"bbox": [1, 2, 3, 4], "detection_id": "x"}]
    });
    let complete = check(input).unwrap();
    assert!(complete["min"].is_f64());
    assert!(complete["n"].is_i64());
    assert_eq!(complete["known"]["items"][0]["detection_id"], "0");
    assert_eq!(complete["known"]["items"][1]["detection_id"], "x");
    assert_eq!(complete["photos"], json!(["a", {"url": "b"}]));
}

#[test]
fn mistakes_have_their_place() {
    for (field, value, expected) in [
        ("photo", json!(3), "INVALID_INPUT /input/photo"),
        ("photo", json!(""), "INVALID_INPUT /input/photo"),
        ("photo", json!(["a"]), "INVALID_INPUT /input/photo"),
        ("photo", json!(null), "MISSING_INPUT /input/photo"),
        ("photos", json!("a"), "INVALID_INPUT /input/photos"),
        ("photos", json!(["a", 3]), "INVALID_INPUT /input/photos/1"),
        ("phto", json!("a"), "UNKNOWN_INPUT /input/phto"),
        ("min", json!(11), "INVALID_INPUT /input/min"),
        ("min", json!("1"), "INVALID_INPUT /input/min"),
        ("n", json!(3), "INVALID_INPUT /input/n"),
        ("n", json!(2.5), "INVALID_INPUT /input/n"),
        ("when", json!("noon"), "INVALID_INPUT /input/when"),
        ("grid", json!([1]), "INVALID_INPUT /input/grid/0"),
        ("grid", json!([[1], ["x"]]), "INVALID_INPUT /input/grid/1/0"),
        ("known", json!("none"), "INVALID_INPUT /input/known"),
        ("known", json!([{"bbox": [1, 2, 3]}]), "INVALID_INPUT /input/known/0"),
        ("known", json!([{"bbox": [3, 2, 1, 4]}]), "INVALID_INPUT /input/known/0"),
        ("known", json!([{"bbox": [1e300, 0, 1e301, 0]}]), "INVALID_INPUT /input/known/0"),
        (
            "known",
            json!({"items": [{"bbox": [1, 2, 3, 4], "confidence": 2}]}),
            "INVALID_INPUT /input/known/items/0",
        ),
        ("known", json!({"items": [], "colour": 1}), "INVALID_INPUT /input/known"),
        ("shots", json!([1]), "INVALID_INPUT /input/shots/0"),
    ] {
        let mut input = json!({"photo": "blob"});
        input[field] = value.clone();
        let found = check(input).unwrap_err();
        let found =
            found.0.iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect::<Vec<_>>();
        assert_eq!(found, [expected], "{field}: {value}");
    }
}

/// Takes `value` as a parameter of `kind`; the mistakes as text.
fn taken(kind: &str, value: Value) -> Result<Value, String> {
    let nodes = json!([{"id": "x", "type": "parameter_input", "config": {"kind": kind}}]);
    let complete = plan(&nodes).check_input(json!({"x": value}).as_object().unwrap());
    let text = |faults: Faults| {
        let texts = faults.0.iter().map(|fault| format!("{} {}", fault.pointer, fault.message));
        texts.collect::<Vec<_>>().join("\n")
    };
    complete.map(|mut complete| complete.remove("x").unwrap()).map_err(text)
}

#[test]
fn what_a_run_found_can_be_fed_to_another() {
    let root = BlobId::of(b"root");
    let lineage = ImageValue::root(root, 40, 30, "png").lineage.derive([1.0, 0.0, 5.0, 0.0, 1.0, 6.0]);
    let found = Detections {
        image_id: Some(BlobId::of(b"crop")),
        width: 10,
        height: 8,
        lineage: Some(lineage),
        items: Vec::new(),
    };
    assert_eq!(taken("detections", json!(found)).unwrap(), json!(found));
    let wrong = taken("detections", json!({"items": [], "lineage": {"root": "none"}})).unwrap_err();
    assert!(wrong.contains("these are no detections"), "{wrong}");
}

#[test]
fn a_detection_without_an_id_takes_no_other_ones() {
    let item = |id: Option<&str>| match id {
        Some(id) => json!({"bbox": [1, 2, 3, 4], "detection_id": id}),
        None => json!({"bbox": [1, 2, 3, 4]}),
    };
    let given = json!([item(Some("1")), item(None), item(Some("1-1")), item(None)]);
    let taken = taken("list<detections>", json!([given])).unwrap();
    let ids = taken[0]["items"].as_array().unwrap().iter().map(|item| item["detection_id"].as_str().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), ["1", "1-2", "1-1", "3"]);
}

#[test]
fn masks_are_completed_by_what_their_pixels_say() {
    // Four rows of four, the lower right quarter set.
    let mask = json!({"size": [4, 4], "counts": [10, 2, 2, 2]});
    let drawn =
        json!({"width": 4, "height": 4, "items": [{"class_id": 0, "class_name": "cat", "mask": mask}]});
    let full = taken("segments", drawn).unwrap();
    let item =
        json!({"class_id": 0, "class_name": "cat", "area": 4, "bbox": [2.0, 2.0, 4.0, 4.0], "mask": mask});
    assert_eq!(full, json!({"kind": "segments", "width": 4, "height": 4, "items": [item]}));
    assert_eq!(taken("segments", full.clone()).unwrap(), full, "what is complete stays as it is");
    let bare = taken("mask", json!([{"mask": mask}])).unwrap();
    assert_eq!(
        (&bare["kind"], &bare["width"], &bare["items"][0]["area"]),
        (&json!("mask"), &json!(4), &json!(4))
    );
    assert_eq!(
        taken("mask", json!([])).unwrap(),
        json!({"kind": "mask", "width": 0, "height": 0, "items": []})
    );
}

#[test]
fn what_is_no_masks_is_refused_at_the_door() {
    let mask = json!({"size": [2, 2], "counts": [4]});
    for (value, place) in [
        (json!({"items": "x"}), "/input/x masks need `items`"),
        (json!({"items": [], "colour": 1}), "/input/x masks have no field \"colour\""),
        (json!({"items": [{"class_id": 0}]}), "/input/x/items/0 this is no mask"),
        (json!({"items": [{"mask": {"size": [2, 2], "counts": [5]}}]}), "/input/x/items/0 this is no mask"),
        (
            json!({"items": [{"mask": mask}, {"mask": mask, "confidence": 2}]}),
            "/input/x/items/1 `confidence`",
        ),
        (json!({"items": [{"mask": mask, "bbox": [0, 0, 1e39, 4]}]}), "/input/x/items/0 `bbox`"),
        (json!({"items": [{"mask": mask, "bbox": [2, 0, 0, 2]}]}), "/input/x/items/0 `bbox`"),
        (
            json!({"width": 3, "height": 2, "items": [{"mask": mask}]}),
            "/input/x/items/0 the mask has 2 x 2 pixels",
        ),
        (json!({"items": [], "kind": "photo"}), "/input/x these are no masks"),
    ] {
        let wrong = taken("segments", value).unwrap_err();
        assert!(wrong.starts_with(place), "{wrong}");
    }
}

#[test]
fn all_mistakes_come_together_with_their_node() {
    let found = check(json!({"foto": "x", "min": -1})).unwrap_err();
    let found =
        found.0.iter().map(|fault| (fault.code.as_str(), fault.node.as_ref().map(ToString::to_string)));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("UNKNOWN_INPUT", None),
            ("MISSING_INPUT", Some("photo".to_owned())),
            ("INVALID_INPUT", Some("min".to_owned()))
        ]
    );
}

#[test]
fn specs_tell_what_to_do_with_pictures() {
    let specs = plan(&nodes()).inputs();
    let spec = |name: &str| specs.iter().find(|spec| spec.name.as_str() == name).unwrap();
    let photo = spec("photo");
    assert_eq!(
        (photo.kind.clone(), photo.required, photo.block.as_str()),
        (Kind::Image, true, "image_input@1")
    );
    assert_eq!(photo.image.as_ref().unwrap().max_pixels, 1000);
    assert_eq!(photo.image.as_ref().unwrap().format.unwrap().as_str(), "png");
    assert_eq!(spec("photos").kind, Kind::list(Kind::Image));
    assert!(!spec("extra").required);
    assert_eq!(spec("shots").image.as_ref().unwrap().max_pixels, 50_000_000);
    assert!(spec("min").image.is_none());
    assert_eq!(spec("min").parameter.as_ref().unwrap().max, Some(10.0));
}
