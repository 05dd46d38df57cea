//! The pure blocks, by hand-worked examples.

use millrace_compiler::plan::Action;
use millrace_compiler::{Call, Ports};
use millrace_contracts::{ErrorKind, JobError};
use serde_json::{Map, Value, json};

/// Compiles a node over inputs of any kind, and evaluates it.
fn evaluate(block: &str, config: &Value, inputs: &Value) -> Result<Ports, JobError> {
    let names = inputs.as_object().unwrap();
    let mut nodes = vec![json!({"id": "node", "type": block, "config": config})];
    for name in names.keys() {
        nodes[0]["inputs"][name] = format!("$inputs.in_{name}").into();
        let kind = if block == "map" && name == "items" { "list<any>" } else { "any" };
        nodes.push(json!({"id": format!("in_{name}"), "type": "parameter_input", "config": {"kind": kind}}));
    }
    let plan = crate::plan(&nodes.into());
    let Action::Logic(logic) = &plan.node(plan.find(&"node".into()).unwrap()).action else { panic!() };
    let mut config = config.as_object().unwrap().clone();
    millrace_blocks::catalogue().newest(block).unwrap().fill_defaults(&mut config);
    logic.evaluate(&Call { inputs: names, config: &config })
}

fn ports(values: &Value, skipped: &[&str]) -> Ports {
    let values: Map<String, Value> = values.as_object().unwrap().clone();
    Ports { values, skipped: skipped.iter().map(|&port| port.to_owned()).collect() }
}

#[test]
fn a_condition_takes_one_branch() {
    let taken = |inputs: Value| evaluate("condition", &json!({"if": "n > 2"}), &inputs).unwrap();
    assert_eq!(taken(json!({"value": "v", "n": 3})), ports(&json!({"true": "v"}), &["false"]));
    assert_eq!(taken(json!({"value": "v", "n": 2})), ports(&json!({"false": "v"}), &["true"]));
    assert_eq!(taken(json!({"n": 3})), ports(&json!({"true": null}), &["false"]));
}

#[test]
fn a_switch_takes_the_first_case_that_fits() {
    let config = json!({"cases": {"one": 1, "text": "a", "list": [1, {"x": 2}], "again": 1}});
    let taken = |value: Value| evaluate("switch", &config, &json!({"value": value})).unwrap();
    assert_eq!(taken(json!(1.0)), ports(&json!({"one": 1.0}), &["text", "list", "again", "default"]));
    assert_eq!(taken(json!([1, {"x": 2}])).values, *json!({"list": [1, {"x": 2}]}).as_object().unwrap());
    assert_eq!(taken(json!("b")), ports(&json!({"default": "b"}), &["one", "text", "list", "again"]));
    assert_eq!(taken(json!(null)).values, *json!({"default": null}).as_object().unwrap());
}

#[test]
fn first_of_joins() {
    let joined =
        |order: Value, inputs: Value| evaluate("first_of", &json!({"order": order}), &inputs).unwrap();
    let value = |value: Value, source: &str| ports(&json!({"value": value, "source": source}), &[]);
    assert_eq!(joined(json!(["b", "a"]), json!({"a": 1, "b": 2})), value(json!(2), "b"));
    assert_eq!(joined(json!(["b", "a"]), json!({"a": 1, "b": null})), value(json!(1), "a"));
    assert_eq!(joined(json!([]), json!({"b": 2, "a": false})), value(json!(false), "a"));
    assert_eq!(joined(json!(["b"]), json!({"c": 3, "b": null, "a": null})), value(json!(3), "c"));
    assert_eq!(joined(json!([]), json!({"a": null})), ports(&json!({}), &["value", "source"]));
}

#[test]
fn map_gives_a_value_per_item() {
    let mapped = |expr: &str, inputs: Value| evaluate("map", &json!({"expr": expr}), &inputs);
    let items = |expr: &str, inputs: Value| mapped(expr, inputs).unwrap().values["items"].clone();
    assert_eq!(items("item * 2 + index", json!({"items": [1, 2, 3]})), json!([2, 5, 8]));
    assert_eq!(items("item.name + suffix", json!({"items": [{"name": "a"}], "suffix": "!"})), json!(["a!"]));
    assert_eq!(
        items("{\"i\": index, \"v\": [item, null, 1.5, true]}", json!({"items": ["x"]})),
        json!([{"i": 0, "v": ["x", null, 1.5, true]}])
    );
    assert_eq!(items("item", json!({"items": []})), json!([]));
    assert_eq!(
        items("item", json!({"items": [9_007_199_254_740_993_u64, {"b": 1, "a": [2.0]}]})),
        json!([9_007_199_254_740_993_u64, {"a": [2.0], "b": 1}])
    );
    let error = mapped("item.a", json!({"items": [{"a": 1}, {}]})).unwrap_err();
    assert!(error.message.contains("for item 1"), "{error}");
    assert_eq!(mapped("1.0 / item", json!({"items": [0.0]})).unwrap_err().kind, ErrorKind::InvalidInput);
    assert_eq!(mapped("item", json!({"items": 3})).unwrap_err().pointer.as_deref(), Some("/inputs/items"));
}

fn detection(id: &str, class: &str, confidence: f64, bbox: [i32; 4]) -> Value {
    json!({"detection_id": id, "class_id": 1, "class_name": class, "confidence": confidence, "bbox": bbox})
}

/// A small cat, a large dog, a medium cat, and an unsure bird.
fn animals() -> Value {
    json!({"width": 100, "height": 80, "items": [
        detection("a", "cat", 0.9, [0, 0, 10, 10]),
        detection("b", "dog", 0.8, [20, 20, 80, 60]),
        detection("c", "cat", 0.95, [50, 0, 70, 20]),
        detection("d", "bird", 0.3, [90, 70, 100, 80]),
    ]})
}

fn ids(value: &Value) -> String {
    let ids = value["items"].as_array().unwrap().iter().map(|item| item["detection_id"].as_str().unwrap());
    ids.collect::<String>()
}

#[test]
fn filter_keeps_what_passes_every_rule() {
    for (config, kept, dropped) in [
        (json!({}), "abcd", ""),
        (json!({"classes": ["cat"]}), "ac", "bd"),
        (json!({"classes": []}), "", "abcd"),
        (json!({"min_confidence": 0.8}), "abc", "d"),
        (json!({"max_confidence": 0.9}), "abd", "c"),
        (json!({"min_area": 400}), "bc", "ad"),
        (json!({"max_area": 100}), "ad", "bc"),
        (json!({"zone": [[0, 0], [70, 0], [70, 30], [0, 30]]}), "ac", "bd"),
        (json!({"zone": [[60, 0], [100, 0], [100, 80], [60, 80]]}), "cd", "ab"),
        (json!({"top_n": 2}), "ac", "bd"),
        (json!({"top_n": 0}), "", "abcd"),
        (json!({"sort_by": "area"}), "bcad", ""),
        (json!({"sort_by": "area asc"}), "adcb", ""),
        (json!({"sort_by": "class_name asc", "top_n": 3}), "dac", "b"),
        (json!({"sort_by": "confidence", "top_n": 1}), "c", "abd"),
        (json!({"sort_by": "tracker_id"}), "abcd", ""),
        (json!({"classes": ["cat", "dog"], "min_confidence": 0.85, "sort_by": "confidence"}), "ca", "bd"),
        (json!({"where": "item.area >= 400.0"}), "bc", "ad"),
        (json!({"where": "item.width > item.height"}), "b", "acd"),
        (json!({"where": "item.center[0] > 50 && item.center[1] < 50"}), "c", "abd"),
        (json!({"where": "item.bbox[2] - item.bbox[0] == 10.0"}), "ad", "bc"),
        (json!({"where": "item.class_name in [\"cat\", \"bird\"] && index > 0"}), "cd", "ab"),
        (json!({"where": "item.class_id == 1"}), "abcd", ""),
    ] {
        let ports = evaluate("filter", &config, &json!({"items": animals()})).unwrap();
        assert_eq!(
            (ids(&ports.values["kept"]), ids(&ports.values["dropped"])),
            (kept.to_owned(), dropped.to_owned()),
            "{config}"
        );
        assert_eq!(ports.values["count"], kept.len(), "{config}");
        assert_eq!(ports.values["kept"]["width"], 100);
        assert_eq!(ports.values["dropped"]["height"], 80);
    }
}

#[test]
fn filter_sees_variables_and_gives_items_back_unchanged() {
    let inputs = json!({"items": animals(), "least": 0.9});
    let ports = evaluate("filter", &json!({"where": "item.confidence >= least"}), &inputs).unwrap();
    assert_eq!(ids(&ports.values["kept"]), "ac");
    assert_eq!(ports.values["kept"]["items"][0], animals()["items"][0]);
}

#[test]
fn single_precision_scores_meet_their_own_threshold() {
    let score = f64::from(0.7_f32);
    assert!(score < 0.7);
    let items = json!({"items": [{"bbox": [0, 0, 1, 1], "confidence": score}]});
    let ports = evaluate("filter", &json!({"min_confidence": 0.7}), &json!({"items": items})).unwrap();
    assert_eq!(ports.values["count"], 1);
}

#[test]
fn filter_takes_lists_too() {
    let filtered = |config: Value, items: Value| evaluate("filter", &config, &json!({"items": items}));
    let ports = filtered(json!({"where": "item > 2", "top_n": 2}), json!([1, 3, 5, 4])).unwrap();
    assert_eq!((&ports.values["kept"], &ports.values["dropped"]), (&json!([3, 5]), &json!([1, 4])));
    let scored = json!([{"class_name": "a", "confidence": 0.2}, {"class_name": "b", "confidence": 0.8}]);
    let ports = filtered(json!({"min_confidence": 0.5, "classes": ["a", "b"]}), scored).unwrap();
    assert_eq!(ports.values["kept"], json!([{"class_name": "b", "confidence": 0.8}]));
    assert_eq!(filtered(json!({"where": "true"}), json!([])).unwrap().values["kept"], json!([]));
    for (config, items) in [
        (json!({"min_confidence": 0.5}), json!([1])),
        (json!({"classes": ["a"]}), json!([{}])),
        (json!({"min_area": 3}), json!([{"bbox": [1, 2]}])),
        (json!({}), json!(null)),
        (json!({}), json!({"items": [{"class_name": "no box"}]})),
        (json!({"where": "item > 2"}), json!(["a"])),
    ] {
        let error = filtered(config.clone(), items).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{config}: {error}");
    }
    let config = json!({"min_confidence": 0.5});
    let plan =
        crate::plan(&json!([{"id": "node", "type": "filter", "inputs": {"items": [1]}, "config": config}]));
    let Action::Logic(logic) = &plan.nodes[0].action else { panic!() };
    let (inputs, config) = (json!({"items": []}), json!({"min_confidence": "high"}));
    let call = Call { inputs: inputs.as_object().unwrap(), config: config.as_object().unwrap() };
    assert_eq!(logic.evaluate(&call).unwrap_err().kind, ErrorKind::InvalidConfig);
}
