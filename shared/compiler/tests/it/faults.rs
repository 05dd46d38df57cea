//! Every code, with its pointer. The table is the specification: a definition, and the faults it has.

use millrace_compiler::{codes, compile, compile_text, limits, locate};
use serde_json::{Value, json};

use crate::{faults, report, workflow};

fn photo() -> Value {
    json!({"id": "photo", "type": "image_input"})
}

fn detect() -> Value {
    json!({"id": "detect", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}})
}

fn number() -> Value {
    json!({"id": "number", "type": "parameter_input", "config": {"kind": "float"}})
}

/// A `photo`, a `detect`, and one more node.
pub(crate) fn with(node: Value) -> Value {
    workflow(&json!([photo(), detect(), node]))
}

/// A detection whose configuration has these fields too.
pub(crate) fn configured(config: Value) -> Value {
    let mut node =
        json!({"id": "x", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": config});
    node["config"]["model_id"] = "m".into();
    with(node)
}

/// A node with this selector.
fn selecting(selector: &str) -> Value {
    with(json!({"id": "x", "type": "json_output", "inputs": {"a": selector}}))
}

/// A node with these policies.
pub(crate) fn policy(field: &str, value: Value) -> Value {
    let mut node = detect();
    node["id"] = "x".into();
    node[field] = value;
    with(node)
}

pub(crate) fn filtered(config: Value) -> Value {
    with(
        json!({"id": "x", "type": "filter", "inputs": {"items": "$nodes.detect.detections"}, "config": config}),
    )
}

pub(crate) fn check(table: Vec<(&str, Value, &[&str])>) {
    for (name, definition, expected) in table {
        assert_eq!(faults(&definition), expected, "{name}: {}", report(&compile(&definition).unwrap_err()));
    }
}

#[test]
fn the_document() {
    check(vec![
        ("not an object", json!([]), &["INVALID_TYPE "]),
        ("no nodes", json!({"name": "x"}), &["MISSING_FIELD /nodes"]),
        ("nodes is no list", json!({"nodes": {}}), &["INVALID_TYPE /nodes"]),
        ("empty", workflow(&json!([])), &["EMPTY_WORKFLOW /nodes"]),
        ("unknown field", json!({"nods": [], "nodes": [photo()]}), &["UNKNOWN_FIELD /nods"]),
        ("empty name", json!({"name": " ", "nodes": [photo()]}), &["INVALID_NAME /name"]),
        ("name is no text", json!({"name": 1, "nodes": [photo()]}), &["INVALID_TYPE /name"]),
        ("ui is no object", json!({"ui": 1, "nodes": [photo()]}), &["INVALID_TYPE /ui"]),
        (
            "positions are no object",
            json!({"ui": {"positions": [1, 2]}, "nodes": [photo()]}),
            &["INVALID_TYPE /ui/positions"],
        ),
        (
            "a position is no place",
            json!({"ui": {"positions": {"a": [1, 2], "b": [1], "c/d": ["1", 2], "e": null}}, "nodes": [photo()]}),
            &[
                "INVALID_TYPE /ui/positions/b",
                "INVALID_TYPE /ui/positions/c~1d",
                "INVALID_TYPE /ui/positions/e",
            ],
        ),
        (
            "run limits",
            json!({"timeout_ms": 0, "max_concurrency": 1.5, "weight": 17, "nodes": [photo()]}),
            &["INVALID_POLICY /timeout_ms", "INVALID_POLICY /max_concurrency", "INVALID_POLICY /weight"],
        ),
        ("a node is no object", workflow(&json!([photo(), 7])), &["INVALID_TYPE /nodes/1"]),
        (
            "an empty node",
            workflow(&json!([{}])),
            &["MISSING_FIELD /nodes/0/id", "MISSING_FIELD /nodes/0/type"],
        ),
    ]);
}

#[test]
fn the_bounds() {
    let deep = (0..80).fold(json!(1), |inner, _| json!([inner]));
    let long = "x".repeat(limits::MAX_DEFINITION_BYTES);
    check(vec![
        ("too deep", json!({"nodes": [photo()], "ui": {"x": deep}}), &["DEFINITION_TOO_DEEP "]),
        ("too large", json!({"nodes": [photo()], "ui": {"x": long}}), &["DEFINITION_TOO_LARGE "]),
        ("too many", workflow(&vec![photo(); limits::MAX_NODES + 1].into()), &["TOO_MANY_NODES /nodes"]),
    ]);
    let many = faults(&workflow(&vec![json!({"id": "!", "type": "x"}); 2_000].into()));
    assert_eq!(many.len(), limits::MAX_FAULTS + 1);
    assert_eq!(many.last().unwrap(), "TOO_MANY_FAULTS ");
}

#[test]
fn names_and_types() {
    check(vec![
        ("bad id", with(json!({"id": "a b", "type": "image_input"})), &["INVALID_NAME /nodes/2/id"]),
        ("id is no text", with(json!({"id": 1, "type": "image_input"})), &["INVALID_TYPE /nodes/2/id"]),
        ("same id", with(photo()), &["DUPLICATE_ID /nodes/2/id"]),
        (
            "unknown field",
            with(json!({"id": "x", "type": "image_input", "inptus": {}})),
            &["UNKNOWN_FIELD /nodes/2/inptus"],
        ),
        ("unknown block", with(json!({"id": "x", "type": "detectoin"})), &["UNKNOWN_BLOCK /nodes/2/type"]),
        ("unknown version", with(json!({"id": "x", "type": "crop@9"})), &["UNKNOWN_VERSION /nodes/2/type"]),
        (
            "odd version",
            with(json!({"id": "x", "type": "image_input@01"})),
            &["UNKNOWN_VERSION /nodes/2/type"],
        ),
        ("type is no text", with(json!({"id": "x", "type": 1})), &["INVALID_TYPE /nodes/2/type"]),
        (
            "inputs is no object",
            with(json!({"id": "x", "type": "json_output", "inputs": []})),
            &["INVALID_TYPE /nodes/2/inputs"],
        ),
        (
            "config is no object",
            with(json!({"id": "x", "type": "image_input", "config": []})),
            &["INVALID_TYPE /nodes/2/config"],
        ),
        (
            "bad port name",
            with(json!({"id": "x", "type": "json_output", "inputs": {"a/b": 1}})),
            &["INVALID_NAME /nodes/2/inputs/a~1b"],
        ),
    ]);
}

#[test]
fn selectors() {
    let at = "/nodes/2/inputs/a";
    for (selector, code) in [
        ("$detect.count", "INVALID_SELECTOR"),
        ("$nodes.detect", "INVALID_SELECTOR"),
        ("$nodes.detect.count.x", "INVALID_SELECTOR"),
        ("$inputs.photo.width", "INVALID_SELECTOR"),
        ("$item.name", "INVALID_SELECTOR"),
        ("$", "INVALID_SELECTOR"),
        ("$nodes.detetc.count", "UNKNOWN_NODE"),
        ("$inputs.phot", "UNKNOWN_NODE"),
        ("$inputs.detect", "NOT_AN_INPUT"),
        ("$nodes.detect.cuont", "UNKNOWN_PORT"),
        ("$steps.detect.cuont", "UNKNOWN_PORT"),
        ("$item", "ITEM_OUTSIDE_LOOP"),
    ] {
        assert_eq!(faults(&selecting(selector)), [format!("{code} {at}")], "{selector}");
    }
    for fine in
        ["$nodes.detect.count", "$steps.detect.count", "$nodes.detect.*", "$inputs.photo", "$$5", "5$", ""]
    {
        assert_eq!(faults(&selecting(fine)), [] as [&str; 0], "{fine}");
    }
    check(vec![
        (
            "input nodes read nothing",
            with(
                json!({"id": "x", "type": "parameter_input", "config": {"kind": "any", "default": ["$nodes.detect.count"]}}),
            ),
            &["SELECTOR_NOT_ALLOWED /nodes/2/config/default/0"],
        ),
        (
            "outputs give nothing",
            workflow(
                &json!([number(), {"id": "o", "type": "json_output", "inputs": {"a": 1}}, {"id": "x", "type": "json_output", "inputs": {"a": "$nodes.o.a"}}]),
            ),
            &["UNKNOWN_PORT /nodes/2/inputs/a"],
        ),
        (
            "in the depth of config",
            with(
                json!({"id": "x", "type": "switch", "inputs": {"value": 1}, "config": {"cases": {"a": {"b": ["$nodes.no.x"]}}}}),
            ),
            &["UNKNOWN_NODE /nodes/2/config/cases/a/b/0"],
        ),
    ]);
}

#[test]
fn wiring_and_kinds() {
    check(vec![
        (
            "missing",
            with(json!({"id": "x", "type": "draw_boxes", "inputs": {"image": "$inputs.photo"}})),
            &["MISSING_INPUT /nodes/2/inputs/detections"],
        ),
        (
            "unknown",
            with(
                json!({"id": "x", "type": "detection", "inputs": {"image": "$inputs.photo", "imgae": 1}, "config": {"model_id": "m"}}),
            ),
            &["UNKNOWN_INPUT /nodes/2/inputs/imgae"],
        ),
        (
            "another kind",
            with(
                json!({"id": "x", "type": "draw_boxes", "inputs": {"image": "$nodes.detect.detections", "detections": "$nodes.detect.count"}}),
            ),
            &["KIND_MISMATCH /nodes/2/inputs/image", "KIND_MISMATCH /nodes/2/inputs/detections"],
        ),
        (
            "a text is no picture",
            with(
                json!({"id": "x", "type": "resize", "inputs": {"image": "photo.jpg"}, "config": {"width": 5}}),
            ),
            &["KIND_MISMATCH /nodes/2/inputs/image"],
        ),
        (
            "into a setting",
            configured(json!({"confidence": "$nodes.detect.detections"})),
            &["KIND_MISMATCH /nodes/2/config/confidence"],
        ),
        (
            "a number for a whole one",
            workflow(
                &json!([photo(), number(), {"id": "x", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m", "max_detections": "$inputs.number"}}]),
            ),
            &["KIND_MISMATCH /nodes/2/config/max_detections"],
        ),
        (
            "a default for no port",
            policy("on_error", json!({"default": {"cuont": 0}})),
            &["UNKNOWN_PORT /nodes/2/on_error/default/cuont"],
        ),
        (
            "a default of another kind",
            policy("on_error", json!({"default": {"count": "none"}})),
            &["KIND_MISMATCH /nodes/2/on_error/default/count"],
        ),
    ]);
}

#[test]
fn cycles_are_named() {
    let node = |id: &str, from: &str| json!({"id": id, "type": "resize", "inputs": {"image": format!("$nodes.{from}.image")}, "config": {"width": 5}});
    let definition = workflow(&json!([
        photo(),
        node("a", "c"),
        node("b", "a"),
        node("c", "b"),
        node("d", "c"),
        node("e", "e")
    ]));
    let found = compile(&definition).unwrap_err();
    assert_eq!(faults(&definition), ["CYCLE /nodes/1/inputs/image", "CYCLE /nodes/5/inputs/image"]);
    assert!(found.0[0].message.ends_with("a → b → c → a"), "{}", found.0[0].message);
    assert!(found.0[1].message.ends_with("e → e"), "{}", found.0[1].message);
}

#[test]
fn everything_is_found_in_one_pass() {
    let definition = json!({"name": "", "nodes": [
        {"id": "photo", "type": "image_inptu"},
        {"id": "detect", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"confidence": 2}},
        {"id": "draw", "type": "draw_boxes", "inputs": {"image": "$inputs.photo", "detections": "$nodes.detect.detection"}, "pool": ""},
        {"id": "pick", "type": "filter", "inputs": {"items": "$nodes.detect.detections"}, "config": {"where": "itm.area > 3.0"}}
    ]});
    assert_eq!(
        faults(&definition),
        [
            "INVALID_NAME /name",
            "UNKNOWN_BLOCK /nodes/0/type",
            "INVALID_CONFIG /nodes/1/config/confidence",
            "MISSING_FIELD /nodes/1/config/model_id",
            "INVALID_POLICY /nodes/2/pool",
            "UNKNOWN_PORT /nodes/2/inputs/detections",
            "UNKNOWN_VARIABLE /nodes/3/config/where",
        ]
    );
}

#[test]
fn hints_say_what_was_meant() {
    let hint = |definition: &Value| compile(definition).unwrap_err().0[0].hint.clone().unwrap_or_default();
    assert_eq!(hint(&with(json!({"id": "x", "type": "detectoin"}))), "did you mean \"detection\"?");
    assert_eq!(hint(&selecting("$nodes.detect.detection")), "did you mean \"detections\"?");
    assert_eq!(hint(&selecting("$nodes.detekt.count")), "did you mean \"detect\"?");
    assert_eq!(hint(&selecting("$inputs.photos")), "did you mean \"photo\"?");
    assert_eq!(hint(&configured(json!({"model_source": "trainde"}))), "did you mean \"trained\"?");
    assert_eq!(hint(&configured(json!({"confidnce": 0.5}))), "did you mean \"confidence\"?");
    assert_eq!(hint(&configured(json!({"tile": {"slice_widht": 3}}))), "did you mean \"slice_width\"?");
    assert_eq!(hint(&policy("priority", json!("hihg"))), "did you mean \"high\"?");
}

#[test]
fn text_that_is_no_json_is_placed() {
    let fault = &compile_text("{\n  \"nodes\": [,]\n}").unwrap_err().0[0];
    assert_eq!(fault.code, codes::INVALID_JSON);
    assert_eq!(fault.hint.as_deref(), Some("look at line 2, column 13"));
    assert_eq!(compile_text("{\"nodes\": [1e999]}").unwrap_err().0[0].code, codes::INVALID_JSON);
    assert_eq!(compile_text(&"[".repeat(100_000)).unwrap_err().0[0].code, codes::INVALID_JSON);
}

#[test]
fn faults_can_be_found_in_the_text() {
    let text = "{\"nodes\": [\n  {\"id\": \"x\", \"type\": \"cropp\"}\n]}";
    let fault = &compile_text(text).unwrap_err().0[0];
    assert_eq!(locate(text, &fault.pointer).unwrap().to_string(), "2:23");
}

#[test]
fn every_code_has_a_page() {
    let folder = std::path::Path::new("../../docs/errors");
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for code in codes::ALL {
        let name = format!("{code}.md");
        let page = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(page.starts_with(&format!("# {code}\n")), "docs/errors/{name} must begin with its code");
        assert!(index.contains(&format!("[{code}]({name})")), "docs/errors/README.md must list {code}");
    }
}
