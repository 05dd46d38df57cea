//! Scopes: for_each, collect, `$item`.

use millrace_compiler::compile;
use millrace_compiler::plan::{Action, ScopeIndex, Selector, Template};
use serde_json::{Value, json};

use crate::{faults, plan, workflow};

fn photos() -> Value {
    json!({"id": "photos", "type": "image_input"})
}

fn each(id: &str, items: &str) -> Value {
    json!({"id": id, "type": "for_each", "inputs": {"items": items}})
}

fn small(id: &str, image: &str) -> Value {
    json!({"id": id, "type": "resize", "inputs": {"image": image}, "config": {"width": 64}})
}

fn collect(id: &str, item: &str) -> Value {
    json!({"id": id, "type": "collect", "inputs": {"item": item}})
}

fn output(item: &str) -> Value {
    json!({"id": "out", "type": "json_output", "inputs": {"a": item}})
}

fn hint(nodes: &Value) -> String {
    compile(&workflow(nodes)).unwrap_err().0[0].hint.clone().unwrap_or_default()
}

#[test]
fn a_loop_is_a_scope() {
    let plan = plan(&json!([
        photos(),
        each("each", "$inputs.photos"),
        small("small", "$item"),
        collect("all", "$nodes.small.image"),
        output("$nodes.all.items")
    ]));
    let node = |id: &str| plan.node(plan.find(&id.into()).unwrap());
    let Action::ForEach(scope) = node("each").action else { panic!("{:?}", node("each").action) };
    assert!(matches!(node("all").action, Action::Collect(closed) if closed == scope));
    assert_eq!(node("each").scope, ScopeIndex::ROOT);
    assert_eq!(node("small").scope, scope);
    assert_eq!(node("all").scope, ScopeIndex::ROOT);
    let opener = plan.find(&"each".into()).unwrap();
    assert_eq!(node("small").inputs[0].value, Template::Select(Selector::Port(opener, "item".to_owned())));
    assert_eq!(node("small").upstream, [opener]);
    let scope = plan.scope(scope);
    assert_eq!((scope.parent, scope.depth, scope.opener), (Some(ScopeIndex::ROOT), 1, Some(opener)));
    assert_eq!(scope.members, [plan.find(&"small".into()).unwrap()]);
    assert_eq!(scope.collectors, [plan.find(&"all".into()).unwrap()]);
    assert_eq!(scope.max_parallel, 64);
    assert!(matches!(node("photos").action, Action::Input { port: "images", pictures: true }));
}

#[test]
fn loops_nest() {
    let plan = plan(&json!([
        {"id": "lists", "type": "parameter_input", "config": {"kind": "list<list<image>>"}},
        each("outer", "$inputs.lists"),
        each("inner", "$nodes.outer.item"),
        {"id": "small", "type": "resize", "inputs": {"image": "$nodes.inner.item"}, "config": {"width": 9, "height": "$index"}},
        collect("row", "$nodes.small.image"),
        collect("rows", "$nodes.row.items"),
        output("$nodes.rows.items")
    ]));
    let node = |id: &str| plan.node(plan.find(&id.into()).unwrap());
    assert_eq!(plan.scopes.len(), 3);
    assert_eq!(plan.scope(node("small").scope).depth, 2);
    assert_eq!(plan.scope(node("row").scope).depth, 1);
    assert_eq!(node("rows").scope, ScopeIndex::ROOT);
    // `$index` is the inner loop's, the deepest the node reads from.
    let Template::Object(config) = &node("small").config else { panic!() };
    let height = &config.iter().find(|(name, _)| name == "height").unwrap().1;
    let inner = plan.find(&"inner".into()).unwrap();
    assert_eq!(*height, Template::Select(Selector::Port(inner, "index".to_owned())));
}

#[test]
fn a_list_where_an_item_is_wanted() {
    let nodes = json!([
        photos(),
        collect("c", "$nodes.each.item"),
        each("each", "$nodes.photos.images"),
        small("x", "$nodes.c.items")
    ]);
    assert_eq!(faults(&workflow(&nodes)), ["KIND_MISMATCH /nodes/3/inputs/image"]);
    assert_eq!(hint(&nodes), "put a for_each before `x` to run it once per item");
    let nodes = json!([{"id": "n", "type": "parameter_input", "config": {"kind": "integer"}}, each("each", "$inputs.n")]);
    assert_eq!(faults(&workflow(&nodes)), ["KIND_MISMATCH /nodes/1/inputs/items"]);
    assert!(hint(&nodes).starts_with("put it in brackets"));
    let nodes = json!([photos(), each("each", "$inputs.photos"), each("again", "$nodes.each.item")]);
    assert_eq!(faults(&workflow(&nodes)), ["KIND_MISMATCH /nodes/2/inputs/items"]);
}

#[test]
fn items_of_two_loops_do_not_mix() {
    let nodes = json!([
        photos(),
        each("one", "$inputs.photos"),
        each("two", "$inputs.photos"),
        {"id": "x", "type": "first_of", "inputs": {"a": "$nodes.one.item", "b": "$nodes.two.item"}}
    ]);
    assert_eq!(faults(&workflow(&nodes)), ["SCOPE_MISMATCH /nodes/3/inputs/b"]);
    assert_eq!(hint(&nodes), "put a collect before `x` to take one of the two as a list");
}

#[test]
fn an_output_is_outside_every_loop() {
    let nodes = json!([photos(), each("each", "$inputs.photos"), output("$nodes.each.item")]);
    assert_eq!(faults(&workflow(&nodes)), ["OUTPUT_IN_LOOP /nodes/2/inputs/a"]);
    assert!(hint(&nodes).starts_with("put a collect before `out`"));
}

#[test]
fn a_collect_needs_a_loop() {
    let nodes = json!([photos(), collect("c", "$nodes.photos.image")]);
    assert_eq!(faults(&workflow(&nodes)), ["COLLECT_OUTSIDE_LOOP /nodes/1/inputs/item"]);
}

#[test]
fn item_must_mean_one_loop() {
    let nodes =
        json!([photos(), each("one", "$inputs.photos"), each("two", "$inputs.photos"), small("x", "$item")]);
    assert_eq!(faults(&workflow(&nodes)), ["AMBIGUOUS_ITEM /nodes/3/inputs/image"]);
    assert_eq!(hint(&nodes), "name the loop: $nodes.one.item or $nodes.one.index");
    // A loop that goes through its own item waits for itself.
    assert_eq!(faults(&workflow(&json!([each("each", "$item")]))), ["CYCLE /nodes/0/inputs/items"]);
}

#[test]
fn loops_do_not_nest_forever() {
    let kind = format!("{}any{}", "list<".repeat(4), ">".repeat(4));
    let mut nodes = vec![json!({"id": "n0", "type": "parameter_input", "config": {"kind": kind}})];
    nodes.push(each("n1", "$inputs.n0"));
    nodes.extend((2..=9).map(|depth| each(&format!("n{depth}"), &format!("$nodes.n{}.item", depth - 1))));
    assert_eq!(faults(&workflow(&nodes.into())), ["LOOPS_TOO_DEEP /nodes/9"]);
}

/// A loop over `l`, its collect, and these nodes behind.
fn collected(behind: Value) -> Value {
    let mut nodes = vec![
        json!({"id": "l", "type": "parameter_input", "config": {"kind": "list<list<integer>>"}}),
        each("a", "$inputs.l"),
        collect("c", "$nodes.a.item"),
    ];
    nodes.extend(behind.as_array().unwrap().iter().cloned());
    workflow(&nodes.into())
}

#[test]
fn a_loop_does_not_wait_for_its_own_collect() {
    let joined = |x: &str, y: &str| json!({"id": "f", "type": "first_of", "inputs": {"x": x, "y": y}});
    let waits = |behind: Value| faults(&collected(behind));
    // Directly, by the configuration, through a node in between, and from a loop inside.
    let end = collect("g", "$nodes.f.value");
    assert_eq!(
        waits(json!([joined("$nodes.c.items", "$nodes.a.index"), end])),
        ["LOOP_WAITS_FOR_ITSELF /nodes/3/inputs/x"]
    );
    let paused = json!({"id": "f", "type": "delay", "inputs": {"value": "$nodes.a.item"}, "config": {"ms": "$nodes.c.count"}});
    assert_eq!(waits(json!([paused, end])), ["LOOP_WAITS_FOR_ITSELF /nodes/3/config/ms"]);
    let between =
        json!({"id": "m", "type": "map", "inputs": {"items": "$nodes.c.items"}, "config": {"expr": "1"}});
    let through = [between, joined("$nodes.m.items", "$nodes.a.index"), end];
    assert_eq!(waits(json!(through)), ["LOOP_WAITS_FOR_ITSELF /nodes/4/inputs/x"]);
    let inner = json!([
        each("b", "$nodes.a.item"),
        joined("$nodes.c.count", "$nodes.b.item"),
        collect("d", "$nodes.f.value")
    ]);
    assert_eq!(waits(inner), ["LOOP_WAITS_FOR_ITSELF /nodes/4/inputs/x"]);
    let found =
        compile(&collected(json!([joined("$nodes.c.items", "$nodes.a.index")]))).unwrap_err().0.remove(0);
    assert_eq!(
        found.message,
        "`f` is inside the loop of `a` and waits for `c`, which waits for every item of that loop"
    );
    assert!(found.hint.unwrap().starts_with("put a second for_each over the same list behind `c`"));
}

#[test]
fn two_loops_do_not_wait_for_each_other() {
    // Each by a member of its own, whose items nobody collects: no selector leads around.
    let nodes = json!([
        {"id": "l", "type": "parameter_input", "config": {"kind": "list<integer>"}},
        each("a", "$inputs.l"), collect("c", "$nodes.a.item"),
        each("b", "$inputs.l"), collect("d", "$nodes.b.item"),
        {"id": "f", "type": "first_of", "inputs": {"x": "$nodes.d.items", "y": "$nodes.a.index"}},
        {"id": "g", "type": "first_of", "inputs": {"x": "$nodes.c.items", "y": "$nodes.b.index"}}
    ]);
    assert_eq!(
        faults(&workflow(&nodes)),
        ["LOOP_WAITS_FOR_ITSELF /nodes/5/inputs/x", "LOOP_WAITS_FOR_ITSELF /nodes/6/inputs/x"]
    );
}

#[test]
fn a_second_loop_may_read_what_the_first_collected() {
    let behind = json!([
        each("again", "$inputs.l"),
        {"id": "f", "type": "first_of", "inputs": {"x": "$nodes.c.items", "y": "$nodes.again.index"}},
        collect("g", "$nodes.f.value"),
        // A loop inside reads what the one around it gave so far, and its own collect is read around it.
        each("outer", "$nodes.c.items"),
        each("inner", "$nodes.outer.item"),
        collect("row", "$nodes.inner.item"),
        {"id": "h", "type": "first_of", "inputs": {"x": "$nodes.row.items", "y": "$nodes.g.items"}},
        collect("rows", "$nodes.h.value")
    ]);
    assert_eq!(faults(&collected(behind)), [""; 0]);
}

#[test]
fn a_list_of_classes_is_looped_over_and_mapped() {
    let nodes = |loops: &str| {
        json!([
            {"id": "photo", "type": "image_input"},
            {"id": "what", "type": "classification", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}},
            {"id": "found", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}},
            each("each", loops),
            {"id": "names", "type": "map", "inputs": {"items": loops}, "config": {"expr": "item.class_name"}},
            {"id": "name", "type": "map", "inputs": {"items": ["$nodes.each.item"]}, "config": {"expr": "item"}}
        ])
    };
    assert_eq!(faults(&workflow(&nodes("$nodes.what.predictions"))), [""; 0]);
    let detections = nodes("$nodes.found.detections");
    assert_eq!(
        faults(&workflow(&detections)),
        ["KIND_MISMATCH /nodes/3/inputs/items", "KIND_MISMATCH /nodes/4/inputs/items"]
    );
    assert!(hint(&detections).contains("a crop gives a list of pictures"));
}

#[test]
fn a_loop_has_no_policies_of_its_own_attempts() {
    let mut opener = each("each", "$inputs.photos");
    opener["retry"] = json!({"max_attempts": 2});
    opener["timeout_ms"] = json!(100);
    opener["on_error"] = json!({"default": {"item": 1}});
    let nodes = json!([photos(), opener, collect("all", "$nodes.each.item")]);
    let found = compile(&workflow(&nodes)).unwrap_err();
    let places = found.0.iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect::<Vec<_>>();
    assert!(places.contains(&"INVALID_POLICY /nodes/1/retry".to_owned()), "{places:?}");
    assert!(places.contains(&"INVALID_POLICY /nodes/1/timeout_ms".to_owned()), "{places:?}");
    assert!(places.contains(&"INVALID_POLICY /nodes/1/on_error".to_owned()), "{places:?}");
    assert_eq!(found.0[0].hint.as_deref(), Some("set `retry` on the nodes inside the loop"));
}
