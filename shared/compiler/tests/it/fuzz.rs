//! Whatever comes in: a plan or faults, never a panic, and every fault inside the document.

use std::sync::Arc;

use millrace_compiler::{Call, Expression, Logic, compile, compile_text, locate};
use proptest::prelude::*;
use serde_json::{Value, json};

fn sample() -> Value {
    json!({
        "name": "sample",
        "nodes": [
            {"id": "photos", "type": "image_input", "config": {"list": true}},
            {"id": "least", "type": "parameter_input", "config": {"kind": "float", "default": 0.5, "min": 0, "max": 1}},
            {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.photos"}, "config": {"max_parallel": 4}},
            {"id": "detect", "type": "detection@1", "inputs": {"image": "$item"},
             "config": {"model_id": "m", "confidence": "$inputs.least", "tile": {"slice_width": 320}},
             "retry": {"max_attempts": 3, "on": ["TIMEOUT"]}, "on_error": {"default": {"count": 0}}},
            {"id": "pick", "type": "filter", "inputs": {"items": "$nodes.detect.detections", "least": "$inputs.least"},
             "config": {"where": "item.confidence >= least", "zone": [[0, 0], [1, 0], [1, 1]], "sort_by": "area"}},
            {"id": "cut", "type": "crop", "inputs": {"image": "$nodes.each.item", "detections": "$nodes.pick.kept"},
             "config": {"padding": "10%"}},
            {"id": "counts", "type": "collect", "inputs": {"item": "$nodes.pick.count"}},
            {"id": "twice", "type": "map", "inputs": {"items": "$nodes.counts.items"}, "config": {"expr": "item * 2"}},
            {"id": "some", "type": "condition", "inputs": {"value": "$nodes.twice.items"}, "config": {"if": "size(value) > 0"}},
            {"id": "join", "type": "first_of", "inputs": {"a": "$nodes.some.true", "b": "$nodes.some.false"}, "config": {"order": ["a"]}},
            {"id": "call", "type": "sub_workflow", "inputs": {"x": "$item", "least": "$inputs.least"},
             "config": {"workflow": "child"}, "on_error": "skip", "pool": "fast"},
            {"id": "called", "type": "collect", "inputs": {"item": "$nodes.call.answer.y"}},
            {"id": "out", "type": "json_output",
             "inputs": {"all": {"x": ["$nodes.join.value", "$$"]}, "called": "$nodes.called.items"}}
        ],
        "workflows": {
            "child": {
                "nodes": [
                    {"id": "x", "type": "image_input"},
                    {"id": "least", "type": "parameter_input", "config": {"kind": "float", "default": 0.5}},
                    {"id": "deeper", "type": "sub_workflow", "inputs": {"list": ["$inputs.x"]},
                     "config": {"workflow": "grandchild"}},
                    {"id": "answer", "type": "json_output", "inputs": {"y": "$nodes.deeper.n", "z": "$nodes.deeper.*"}}
                ],
                "workflows": {"grandchild": {"nodes": [
                    {"id": "list", "type": "parameter_input", "config": {"kind": "list<any>"}},
                    {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.list"}},
                    {"id": "all", "type": "collect", "inputs": {"item": "$item"}},
                    {"id": "answer", "type": "json_output", "inputs": {"n": "$nodes.all.count"}}
                ]}}
            },
            "other": {"nodes": [{"id": "x", "type": "image_input"}]}
        }
    })
}

/// Every pointer of a value.
fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, inner)| pointers(inner, format!("{at}/{name}"), found))
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(place, inner)| pointers(inner, format!("{at}/{place}"), found)),
        _ => {}
    }
    found.push(at);
}

fn scalar() -> impl Strategy<Value = Value> {
    let texts = prop::sample::select(vec![
        "$item",
        "$index",
        "$nodes.detect.count",
        "$nodes.out.x",
        "$nodes.pick.*",
        "$inputs.least",
        "$inputs.each",
        "$nodes.cut.crops",
        "$nodes.join.value",
        "$",
        "$$",
        "",
        "a",
        "photos",
        "each",
        "crop",
        "collect",
        "for_each",
        "item.",
        "size(",
        "[1].all(x, x > 0)",
        "list<image>",
        "image",
        "$nodes.each.item",
        "switch",
        "delay@1",
        "sub_workflow",
        "child",
        "grandchild",
        "other",
        "$nodes.call.y",
        "$nodes.call.answer.z",
        "$nodes.call.*",
        "$nodes.deeper.answer.n",
    ]);
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i16>().prop_map(|whole| Value::from(f64::from(whole))),
        texts.prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        let name = prop_oneof![
            "[a-z]{1,6}",
            Just("items".to_owned()),
            Just("id".to_owned()),
            Just("x/y~".to_owned())
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Remove,
    Add(String, Value),
    Copy(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => value().prop_map(Change::Replace),
        1 => Just(Change::Remove),
        1 => ("[a-z_]{1,8}", value()).prop_map(|(name, value)| Change::Add(name, value)),
        3 => any::<prop::sample::Index>().prop_map(Change::Copy),
    ]
}

fn apply(definition: &mut Value, place: &prop::sample::Index, change: Change) {
    let mut all = Vec::new();
    pointers(definition, String::new(), &mut all);
    let pointer = place.get(&all).to_owned();
    match change {
        Change::Replace(value) => {
            if let Some(target) = definition.pointer_mut(&pointer) {
                *target = value;
            }
        }
        Change::Copy(from) => {
            let copied = definition.pointer(from.get(&all).as_str()).cloned().unwrap_or_default();
            if let Some(target) = definition.pointer_mut(&pointer) {
                *target = copied;
            }
        }
        Change::Remove => {
            let Some((parent, last)) = pointer.rsplit_once('/') else { return };
            match definition.pointer_mut(parent) {
                Some(Value::Object(fields)) => drop(fields.remove(last)),
                Some(Value::Array(items)) => {
                    if let Some(place) = last.parse::<usize>().ok().filter(|place| *place < items.len()) {
                        items.remove(place);
                    }
                }
                _ => {}
            }
        }
        Change::Add(name, value) => match definition.pointer_mut(&pointer) {
            Some(Value::Object(fields)) => drop(fields.insert(name, value)),
            Some(Value::Array(items)) => items.push(value),
            _ => {}
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn mutated_definitions_give_a_plan_or_faults(
        changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..6)
    ) {
        let mut definition = sample();
        for (place, change) in changes {
            apply(&mut definition, &place, change);
        }
        match compile(&definition) {
            Ok(plan) => {
                let own = definition["nodes"].as_array().unwrap();
                for node in own {
                    prop_assert!(plan.find(&node["id"].as_str().unwrap().into()).is_some());
                }
                for (index, node) in plan.iter() {
                    prop_assert!(node.upstream.iter().all(|source| *source < index));
                    prop_assert!(plan.scope(node.scope).members.contains(&index));
                    prop_assert!(node.gate.is_none_or(|gate| node.upstream.contains(&gate)));
                }
                drop(plan.check_input(&serde_json::Map::new()));
            }
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                let text = definition.to_string();
                for fault in &faults.0 {
                    prop_assert!(millrace_compiler::codes::ALL.contains(&fault.code.as_str()), "{}", fault.code);
                    prop_assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'));
                    prop_assert!(locate(&text, &fault.pointer).is_some(), "{}", fault.pointer);
                }
            }
        }
    }

    #[test]
    fn any_value_at_all(definition in value()) {
        prop_assert!(compile(&definition).is_err());
    }

    #[test]
    fn any_text_at_all(text in ".{0,200}") {
        prop_assert!(compile_text(&text).is_err());
        prop_assert!(locate(&text, "/nodes/0/id").is_none_or(|place| place.line > 0));
    }

    #[test]
    fn any_expression_at_all(text in "[a-z0-9 ()\\[\\]{}.,?:<>=!&|+*/%'\"\\\\$@ü\n-]{0,60}") {
        drop(Expression::compile(&text, &["a", "item"]));
    }

    #[test]
    fn pieces_of_expressions(parts in prop::collection::vec(prop::sample::select(vec![
        "a", "item", ".", "(", ")", "[", "]", "{", "}", ",", ":", "?", "&&", "||", "==", "<", "in", "!", "-", "+",
        "1", "2.5", "3u", "\"x\"", "'", "b\"", "has(", ".all(", "x", "x, x > 0)", ".map(", "size(", "true", "null", " ",
    ]), 0..24)) {
        if let Ok(expression) = Expression::compile(&parts.concat(), &["a", "item"]) {
            let data = json!({"a": [1, 2.5, {"x": "y"}, null], "item": {"x": [true]}});
            let call = Call { inputs: data.as_object().unwrap(), config: data.as_object().unwrap() };
            drop(Logic::Condition(Arc::new(expression)).evaluate(&call));
        }
    }
}
