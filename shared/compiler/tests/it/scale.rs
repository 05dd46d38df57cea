//! Ten thousand nodes: no recursion over the graph, no quadratic pass.

use std::thread;

use millrace_compiler::compile;
use serde_json::{Value, json};

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(512 * 1024).spawn(work).unwrap().join().unwrap();
}

fn resize(id: usize, from: &str) -> Value {
    json!({"id": format!("n{id}"), "type": "resize", "config": {"width": 64}, "inputs": {"image": from}})
}

#[test]
fn a_long_chain_needs_no_stack() {
    let mut nodes = vec![json!({"id": "n0", "type": "image_input"})];
    nodes.extend((1..10_000).map(|id| resize(id, &format!("$nodes.n{}.image", id - 1))));
    on_a_small_stack(move || {
        let plan = compile(&json!({"nodes": nodes})).unwrap();
        assert_eq!(plan.nodes.len(), 10_000);
        assert_eq!(plan.edges, 9_999);
    });
}

#[test]
fn a_long_cycle_needs_no_stack_and_is_named_in_short() {
    let nodes =
        (0..10_000).map(|id| resize(id, &format!("$nodes.n{}.image", (id + 1) % 10_000))).collect::<Vec<_>>();
    on_a_small_stack(move || {
        let faults = compile(&json!({"nodes": nodes})).unwrap_err();
        assert_eq!(faults.0.len(), 1);
        assert!(faults.0[0].message.len() < 300, "{}", faults.0[0].message);
    });
}

#[test]
fn ten_thousand_mistakes_are_cut_short() {
    let nodes = (0..10_000).map(|id| resize(id, &format!("$nodes.m{id}.image"))).collect::<Vec<_>>();
    let faults = compile(&json!({"nodes": nodes})).unwrap_err();
    assert_eq!(faults.0.len(), 1_001);
}

#[test]
fn ten_thousand_items_without_a_clear_loop_stay_linear() {
    let mut nodes = vec![
        json!({"id": "a", "type": "for_each", "inputs": {"items": [1]}}),
        json!({"id": "b", "type": "for_each", "inputs": {"items": [1]}}),
    ];
    nodes.extend((0..9_998).map(|id| resize(id, "$item")));
    let faults = compile(&json!({"nodes": nodes})).unwrap_err();
    assert_eq!(faults.0.len(), 1_001);
}
