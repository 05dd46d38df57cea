//! Compiling 10,000 nodes: a chain, a fan, the demo workflow over and over, and calls of a workflow.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use millrace_compiler::compile;
use serde_json::{Value, json};

fn chain(nodes: usize) -> Value {
    let link = |position: usize| match position {
        0 => json!({"id": "n0", "type": "image_input"}),
        _ => json!({
            "id": format!("n{position}"), "type": "resize", "config": {"width": 64},
            "inputs": {"image": format!("$nodes.n{}.image", position - 1)}
        }),
    };
    json!({"name": "chain", "nodes": (0..nodes).map(link).collect::<Vec<_>>()})
}

fn fan(nodes: usize) -> Value {
    let mut all = vec![json!({"id": "score", "type": "parameter_input", "config": {"kind": "float"}})];
    all.extend((1..nodes).map(|position| {
        json!({
            "id": format!("n{position}"), "type": "condition", "inputs": {"value": "$inputs.score"},
            "config": {"if": format!("value > {position}.0")}
        })
    }));
    json!({"name": "fan", "nodes": all})
}

fn demo(nodes: usize) -> Value {
    let copy = |copy: usize| {
        let id = |name: &str| format!("{name}{copy}");
        [
            json!({"id": id("photo"), "type": "image_input"}),
            json!({
                "id": id("detect"), "type": "detection@1", "inputs": {"image": format!("$inputs.photo{copy}")},
                "config": {"model_id": "shapes-detector", "confidence": 0.4}, "retry": {"max_attempts": 3}
            }),
            json!({
                "id": id("large"), "type": "filter",
                "inputs": {"items": format!("$nodes.detect{copy}.detections")},
                "config": {"where": "item.area > 100.0 && item.class_name != \"x\"", "min_confidence": 0.5}
            }),
            json!({
                "id": id("answer"), "type": "json_output",
                "inputs": {"count": format!("$nodes.large{copy}.count"), "all": format!("$nodes.detect{copy}.*")}
            }),
        ]
    };
    json!({"name": "demo", "nodes": (0..nodes / 4).flat_map(copy).collect::<Vec<_>>()})
}

/// A workflow of 97 nodes, called over and over.
fn calls(nodes: usize) -> Value {
    let mut child = chain(97);
    let outputs = json!({"id": "answer", "type": "json_output", "inputs": {"image": "$nodes.n96.image"}});
    child["nodes"].as_array_mut().expect("a chain has nodes").push(outputs);
    let call = |position: usize| {
        json!({
            "id": format!("call{position}"), "type": "sub_workflow", "inputs": {"n0": "$inputs.photo"},
            "config": {"workflow": "child"}
        })
    };
    let mut all = vec![json!({"id": "photo", "type": "image_input"})];
    all.extend((0..nodes / 101).map(call));
    json!({"name": "calls", "nodes": all, "workflows": {"child": child}})
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile 10,000 nodes");
    group.sample_size(10);
    let definitions =
        [("chain", chain(10_000)), ("fan", fan(10_000)), ("demo", demo(10_000)), ("calls", calls(10_000))];
    for (name, definition) in definitions {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (),
                |()| compile(&definition).expect("it compiles"),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
    criterion.bench_function("compile the demo workflow", |bencher| {
        let definition = demo(4);
        bencher.iter(|| compile(&definition).expect("it compiles"));
    });
}

criterion_group!(all, benches);
criterion_main!(all);
