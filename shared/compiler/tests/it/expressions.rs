//! CEL: what is refused when it is compiled, and what its cost is when it runs.

use std::slice::from_ref;
use std::time::{Duration, Instant};

use millrace_compiler::plan::Action;
use millrace_compiler::{Call, Expression, compile};
use millrace_contracts::{ErrorKind, JobError};
use serde_json::{Map, Value, json};

use crate::{faults, plan, workflow};

/// A condition over an input of any kind.
fn condition(expression: &str) -> Value {
    workflow(&json!([
        {"id": "data", "type": "parameter_input", "config": {"kind": "any"}},
        {"id": "if", "type": "condition", "inputs": {"data": "$inputs.data"}, "config": {"if": expression}}
    ]))
}

/// Whether the condition is taken.
fn truth(expression: &str, data: &Value) -> Result<bool, JobError> {
    let nodes = condition(expression);
    let plan = plan(&nodes["nodes"]);
    let node = plan.node(plan.find(&"if".into()).unwrap());
    let Action::Logic(logic) = &node.action else { panic!() };
    let inputs = Map::from_iter([("data".to_owned(), data.clone())]);
    let config = Map::from_iter([("if".to_owned(), expression.into())]);
    let ports = logic.evaluate(&Call { inputs: &inputs, config: &config })?;
    Ok(ports.values.contains_key("true"))
}

#[test]
fn mistakes_are_found_when_it_is_compiled() {
    for (expression, code) in [
        ("data >", "INVALID_EXPRESSION"),
        ("data = 3", "INVALID_EXPRESSION"),
        ("\"open", "INVALID_EXPRESSION"),
        ("datum > 3", "UNKNOWN_VARIABLE"),
        ("item > 3", "UNKNOWN_VARIABLE"),
        ("[1].exists(x, y > 3)", "UNKNOWN_VARIABLE"),
        ("[1].exists(x, x > 3) && x", "UNKNOWN_VARIABLE"),
        ("lenght(data) > 3", "INVALID_EXPRESSION"),
        ("data.matches(\"x\")", "INVALID_EXPRESSION"),
        ("Thing{a: 1}", "INVALID_EXPRESSION"),
        ("$inputs.data > 3", "INVALID_EXPRESSION"),
        ("data.?x", "INVALID_EXPRESSION"),
        ("9223372036854775808", "INVALID_EXPRESSION"),
    ] {
        assert_eq!(faults(&condition(expression)), [format!("{code} /nodes/1/config/if")], "{expression}");
    }
    assert_eq!(faults(&condition("")), ["INVALID_CONFIG /nodes/1/config/if"]);
}

/// A filter over what these nodes beside a picture give.
fn filter(nodes: &[Value], items: &str, expression: &str) -> Value {
    let mut all = vec![json!({"id": "photo", "type": "image_input"})];
    all.extend_from_slice(nodes);
    all.push(
        json!({"id": "keep", "type": "filter", "inputs": {"items": items}, "config": {"where": expression}}),
    );
    workflow(&Value::Array(all))
}

#[test]
fn fields_that_no_detection_has_are_found_when_it_is_compiled() {
    let detect = json!({"id": "detect", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}});
    let large = json!({"id": "large", "type": "filter", "inputs": {"items": "$nodes.detect.detections"}, "config": {"min_area": 9}});
    let found = |expression: &str| {
        let fault =
            compile(&filter(from_ref(&detect), "$nodes.detect.detections", expression)).err()?.0.remove(0);
        Some((fault.message, fault.hint?))
    };
    let (message, hint) = found("item.area > 9.0 && item.clas_name == 'x'").unwrap();
    assert_eq!(message, "a detection has no field `clas_name`");
    let caret = " ".repeat(24) + "^";
    let place = "at character 25:\nitem.area > 9.0 && item.clas_name == 'x'\n";
    assert_eq!(hint, format!("{place}{caret}\ndid you mean \"class_name\"?"));
    let faults_of = |nodes: &[Value], items: &str| faults(&filter(nodes, items, "item.clas_name == 'x'"));
    let fault = ["INVALID_EXPRESSION /nodes/3/config/where"];
    let through_another = faults_of(&[detect.clone(), large], "$nodes.large.kept");
    assert_eq!(through_another, fault);

    // What there is, or may be, or is asked for; and an `item` of the expression's own.
    for right in [
        "item.class_id == 0 && item.bbox[0] > 1.0 && item.width > item.height && item.center[0] > item.area",
        "has(item.mask) && has(item.tracker_id) && item.parent_id != item.detection_id",
        "!has(item.speed) || item.speed > 3.0",
        "[{'speed': 1}].exists(item, item.speed > 0)",
    ] {
        assert_eq!(found(right), None, "{right}");
    }
    // What may have more fields.
    let fed = json!({"id": "fed", "type": "parameter_input", "config": {"kind": "detections"}});
    assert!(compile(&filter(&[fed], "$inputs.fed", "item.speed > 3.0")).is_ok());
    let mut backed = detect;
    backed["on_error"] = json!({"default": {"detections": {"width": 1, "height": 1, "items": [
        {"bbox": [0, 0, 1, 1], "speed": 3.0}
    ]}, "count": 1, "classes": []}});
    assert!(compile(&filter(&[backed], "$nodes.detect.detections", "item.speed > 3.0")).is_ok());
}

#[test]
fn a_caret_shows_the_place() {
    let hint = |expression: &str| compile(&condition(expression)).unwrap_err().0[0].hint.clone().unwrap();
    assert_eq!(hint("1 < dta"), "at character 5:\n1 < dta\n    ^\ndid you mean \"data\"?");
    assert_eq!(
        hint("data == siez(data)"),
        "at character 9:\ndata == siez(data)\n        ^\ndid you mean \"size\"?"
    );
    assert!(
        hint("data > > 3").starts_with("at character 8:\ndata > > 3\n       ^"),
        "{}",
        hint("data > > 3")
    );
}

#[test]
fn every_documented_function_and_macro_works() {
    for expression in [
        "size(data.text) == 3 && data.text.size() == 3",
        "data.text.contains(\"b\") && data.text.startsWith(\"a\") && data.text.endsWith(\"c\")",
        "string(3) == \"3\" && int(\"3\") == 3 && uint(3) == 3u && double(3) == 3.0 && bool(\"true\")",
        "bytes(\"x\") == b\"x\" && type(3) == int && dyn(3) == 3",
        "has(data.text) && !has(data.nothing)",
        "data.list.all(x, x > 0) && data.list.exists(x, x == 2) && data.list.exists_one(x, x == 3)",
        "data.list.map(x, x * 2) == [2, 4, 6] && data.list.filter(x, x > 1).size() == 2",
        "data.list.map(x, x > 1, x * 2) == [4, 6]",
        "data.list[0] == 1 && data[\"text\"] == \"abc\" && 2 in data.list && \"text\" in data",
        "(data.none == null ? 1 : 2) == 1 && -data.list[1] == -2 && 7 % 4 == 3",
        "data.real >= 2 && data.list[2] > 2.5 && data.text in [\"abc\", \"x\"]",
        "{\"a\": data.list}.a.size() == 3",
        "data.list.exists(x, data.list.exists(y, x + y == 6))",
        "data.list + [4] == [1, 2, 3, 4] && data.text + \"d\" == \"abcd\"",
        "data.bad > 3 || true",
    ] {
        let data = json!({"text": "abc", "list": [1, 2, 3], "none": null, "real": 2.5});
        assert_eq!(truth(expression, &data), Ok(true), "{expression}");
    }
}

#[test]
fn an_input_may_have_the_name_of_a_type_and_is_meant_by_it() {
    let taken = |inputs: Value, expression: &str| {
        let wired = inputs.as_object().unwrap();
        let node = json!({"id": "if", "type": "condition", "inputs": wired, "config": {"if": expression}});
        let plan = plan(&json!([node]));
        let Action::Logic(logic) = &plan.node(plan.find(&"if".into()).unwrap()).action else { panic!() };
        let config = Map::from_iter([("if".to_owned(), expression.into())]);
        let ports = logic.evaluate(&Call { inputs: wired, config: &config });
        ports.map(|ports| ports.values.contains_key("true"))
    };
    for name in
        ["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "uint", "type"]
    {
        for expression in [
            "NAME.a == \"x\" && NAME[\"a\"] == \"x\" && has(NAME.a) && !has(NAME.b)",
            "size(NAME) == 1 && NAME.size() == 1 && \"a\" in NAME && NAME.all(key, key == \"a\")",
            "[NAME][0] == NAME && {\"k\": NAME}.k == NAME && (true ? NAME : null) != null",
            "[\"y\"].all(y, NAME.a + y == \"xy\") && [NAME].map(one, one.a) == [\"x\"]",
            "[\"own\"].all(NAME, NAME == \"own\" && .NAME.a == \"x\")",
        ] {
            let expression = expression.replace("NAME", name);
            assert_eq!(taken(json!({name: {"a": "x"}}), &expression), Ok(true), "{expression}");
        }
    }
    assert_eq!(taken(json!({"string": "a"}), "string == \"a\""), Ok(true));
    assert_eq!(taken(json!({"list": [1, 2]}), "size(list) == 2 && list[1] == 2"), Ok(true));
    // A function is called as before, and where nothing is wired a type is meant.
    assert_eq!(taken(json!({"string": 3}), "string(string) == \"3\" && type(string) == int"), Ok(true));
    assert_eq!(taken(json!({"n": [3]}), "type(n) == list && type(n[0]) == int"), Ok(true));
}

#[test]
fn faults_of_the_data_name_the_place() {
    for (expression, kind) in [
        ("data.nothing > 3", ErrorKind::InvalidInput),
        ("data.text > 3", ErrorKind::InvalidInput),
        ("data.list[9] == 1", ErrorKind::InvalidInput),
        ("1 / data.zero == 1", ErrorKind::InvalidInput),
        ("9223372036854775807 + data.list[0] > 0", ErrorKind::InvalidInput),
        ("data.text", ErrorKind::InvalidConfig),
    ] {
        let error = truth(expression, &json!({"text": "abc", "list": [1], "zero": 0})).unwrap_err();
        assert_eq!(
            (error.kind, error.pointer.as_deref()),
            (kind, Some("/config/if")),
            "{expression}: {error}"
        );
        assert!(!error.retryable);
    }
    let error = truth("data * 2 > 1.0", &json!(1.5)).unwrap_err();
    assert!(error.message.contains("double(x)"), "{error}");
}

#[test]
fn no_expression_runs_away() {
    let data = json!({"list": (0..5_000).collect::<Vec<_>>(), "text": "x".repeat(1_000_000)});
    for expression in [
        "data.list.all(a, data.list.all(b, data.list.all(c, a + b + c >= 0)))",
        "data.list.all(a, data.list.exists(b, data.list.all(c, a + b + c >= 0)) || true)",
        "size(data.list.map(a, data.list.map(b, data.list))) > 0",
        "size(data.list.map(a, data.text + data.text)) > 0",
        "size(data.list.map(a, [data.text, data.text])) > 0",
        "data.list.all(a, !data.text.contains(\"y\"))",
        "data.list.all(a, data.text == data.text + \"\")",
        "data.list.all(a, data.list == data.list.map(b, b))",
        "data.list.all(a, !(-1 in data.list.filter(b, b >= 0)))",
        "data.list.exists(a, data.list.exists(b, data.list.exists(c, c < 0))) || true",
    ] {
        let start = Instant::now();
        let error = truth(expression, &data).unwrap_err();
        assert!(error.message.contains("too much work"), "{expression}: {error}");
        assert!(start.elapsed() < Duration::from_secs(10), "{expression} took {:?}", start.elapsed());
    }
    // What is linear in the data goes through.
    assert_eq!(truth("data.list.all(a, a >= 0) && size(data.text) == 1000000", &data), Ok(true));
}

#[test]
fn an_expression_knows_its_variables() {
    let expression = Expression::compile("a.x > b && [1].all(c, c > a.y)", &["a", "b", "d"]).unwrap();
    assert_eq!(expression.variables(), ["a", "b"]);
    assert_eq!(expression.source(), "a.x > b && [1].all(c, c > a.y)");
}
