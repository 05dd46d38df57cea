//! `sub_workflow`: the called workflow in place of the call; kinds, scopes and faults across it.

use millrace_compiler::plan::{Action, Selector, Template};
use millrace_compiler::{Call, Logic, Plan, compile, locate, pin};
use millrace_contracts::Kind;
use millrace_contracts::definition::OnError;
use serde_json::{Value, json};

use crate::{faults, report};

/// `photo` and `least` in, `count` and `picture` out.
fn counter() -> Value {
    json!({"name": "counter", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "least", "type": "parameter_input", "config": {"kind": "float", "default": 0.5, "max": 1}},
        {"id": "detect", "type": "detection", "inputs": {"image": "$inputs.photo"},
         "config": {"model_id": "m", "confidence": "$inputs.least"}},
        {"id": "draw", "type": "draw_boxes",
         "inputs": {"image": "$inputs.photo", "detections": "$nodes.detect.detections"}},
        {"id": "answer", "type": "json_output",
         "inputs": {"count": "$nodes.detect.count", "picture": "$nodes.draw.image", "fixed": 7}}
    ]})
}

fn call(id: &str, photo: &str) -> Value {
    json!({"id": id, "type": "sub_workflow", "inputs": {"photo": photo}, "config": {"workflow": "counter"}})
}

fn output(inputs: Value) -> Value {
    json!({"id": "out", "type": "json_output", "inputs": inputs})
}

fn with(nodes: Value, workflows: Value) -> Value {
    json!({"name": "parent", "nodes": nodes, "workflows": workflows})
}

fn photo() -> Value {
    json!({"id": "photo", "type": "image_input"})
}

fn planned(definition: &Value) -> Plan {
    compile(definition).unwrap_or_else(|faults| panic!("{}", report(&faults)))
}

fn ids(plan: &Plan) -> Vec<&str> {
    let mut ids = plan.nodes.iter().map(|node| node.id.as_str()).collect::<Vec<_>>();
    ids.sort_unstable();
    ids
}

fn upstream<'p>(plan: &'p Plan, id: &str) -> Vec<&'p str> {
    let node = plan.node(plan.find(&id.into()).unwrap());
    node.upstream.iter().map(|source| plan.node(*source).id.as_str()).collect()
}

#[test]
fn a_call_is_replaced_by_what_is_inside() {
    let nodes = json!([
        photo(),
        call("c", "$inputs.photo"),
        output(json!({"n": "$nodes.c.count", "all": "$nodes.c.*"}))
    ]);
    let plan = planned(&with(nodes, json!({"counter": counter()})));
    assert_eq!(ids(&plan), ["c", "c/@in", "c/detect", "c/draw", "out", "photo"]);
    assert_eq!(upstream(&plan, "c/@in"), ["photo"]);
    assert_eq!(upstream(&plan, "c/detect"), ["c/@in"]);
    assert_eq!(upstream(&plan, "c"), ["c/@in", "c/detect", "c/draw"]);
    assert_eq!(upstream(&plan, "out"), ["c"]);
    assert_eq!(plan.inputs().len(), 1, "the inputs inside are none of the run's");
    let node = |id: &str| plan.node(plan.find(&id.into()).unwrap());
    assert!(matches!(node("c").action, Action::Return));
    assert_eq!(node("c").inputs.len(), 3);
    let entrance = plan.find(&"c/@in".into()).unwrap();
    assert_eq!(node("c/draw").gate, Some(entrance));
    assert_eq!(
        node("c/draw").inputs[0].value,
        Template::Select(Selector::Port(entrance, "photo".to_owned()))
    );
    for (index, node) in plan.iter() {
        assert!(node.upstream.iter().all(|source| *source < index));
    }
}

#[test]
fn the_entrance_checks_and_completes_what_a_call_is_given() {
    let child = json!({"nodes": [
        {"id": "least", "type": "parameter_input", "config": {"kind": "float", "default": 1, "max": 2}},
        {"id": "photo", "type": "image_input", "config": {"required": false, "max_pixels": 10}},
        output(json!({"least": "$inputs.least", "photo": "$nodes.photo.*"}))
    ]});
    let nodes = json!([
        {"id": "any", "type": "parameter_input", "config": {"kind": "any"}},
        {"id": "c", "type": "sub_workflow", "inputs": {"least": "$inputs.any", "photo": "$inputs.any"},
         "config": {"workflow": "child"}},
        output(json!({"all": "$nodes.c.*"}))
    ]);
    let plan = planned(&with(nodes, json!({"child": child})));
    let entrance = plan.node(plan.find(&"c/@in".into()).unwrap());
    assert!(entrance.inputs.iter().all(|input| !input.required), "what has a default may be skipped");
    let Action::Logic(logic) = &entrance.action else { panic!() };
    let none = serde_json::Map::new();
    let ports = |inputs: &Value| logic.evaluate(&Call { inputs: inputs.as_object().unwrap(), config: &none });
    let enter = |inputs: Value| ports(&inputs).map(|ports| Value::Object(ports.values));
    assert_eq!(enter(json!({})).unwrap(), json!({"least": 1.0}));
    assert_eq!(ports(&json!({})).unwrap().skipped, ["photo"]);
    assert_eq!(enter(json!({"least": 2})).unwrap()["least"], json!(2.0));
    assert_eq!(enter(json!({"least": 3})).unwrap_err().pointer.as_deref(), Some("/inputs/least"));
    let image = |width: u32| {
        let blob = millrace_contracts::BlobId::of(b"x");
        millrace_contracts::values::ImageValue::root(blob, width, 1, "png").to_value()
    };
    assert_eq!(enter(json!({"photo": image(10)})).unwrap()["photo"]["width"], 10);
    assert!(enter(json!({"photo": image(11)})).unwrap_err().message.contains("11 pixels"));
    assert!(enter(json!({"photo": "a text"})).unwrap_err().message.contains("no image value"));
}

#[test]
fn the_entrance_takes_pictures_of_the_wanted_format_only() {
    let child = json!({"nodes": [
        {"id": "photos", "type": "image_input", "config": {"list": true, "format": "jpeg"}},
        output(json!({"photos": "$inputs.photos"}))
    ]});
    let nodes = json!([
        {"id": "any", "type": "parameter_input", "config": {"kind": "any"}},
        {"id": "c", "type": "sub_workflow", "inputs": {"photos": "$inputs.any"}, "config": {"workflow": "child"}},
        output(json!({"all": "$nodes.c.*"}))
    ]);
    let plan = planned(&with(nodes, json!({"child": child})));
    let Action::Logic(logic) = &plan.node(plan.find(&"c/@in".into()).unwrap()).action else { panic!() };
    let image = |format: &'static str| {
        let blob = millrace_contracts::BlobId::of(format.as_bytes());
        millrace_contracts::values::ImageValue::root(blob, 4, 3, format).to_value()
    };
    let enter = |photos: Value| {
        let inputs = serde_json::Map::from_iter([("photos".to_owned(), photos)]);
        logic.evaluate(&Call { inputs: &inputs, config: &serde_json::Map::new() })
    };
    assert!(enter(json!([image("jpeg"), image("jpeg")])).is_ok());
    let refused = enter(json!([image("jpeg"), image("png")])).unwrap_err();
    assert_eq!(refused.pointer.as_deref(), Some("/inputs/photos/1"));
    assert!(refused.message.contains("a png picture, and the input takes jpeg only"), "{refused}");
}

#[test]
fn a_version_is_a_whole_number_however_it_is_written() {
    let caller = |version: Value| {
        let config = json!({"workflow": "counter", "version": version});
        json!([photo(), {"id": "c", "type": "sub_workflow", "inputs": {"photo": "$inputs.photo"}, "config": config}])
    };
    for version in [json!(1), json!(1.0)] {
        assert_eq!(
            faults(&with(caller(version.clone()), json!({}))),
            ["UNKNOWN_WORKFLOW /nodes/1/config/workflow"]
        );
        let plan = planned(&with(caller(version), json!({"counter@1": counter()})));
        assert!(plan.find(&"c/detect".into()).is_some());
    }
    for odd in [json!(1.5), json!(5e9), json!("1")] {
        let library = json!({"counter@1": counter()});
        assert_eq!(faults(&with(caller(odd), library)), ["INVALID_CONFIG /nodes/1/config/version"]);
    }
}

#[test]
fn several_outputs_put_their_ids_before_their_ports() {
    let child = json!({"nodes": [
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer"}},
        {"id": "first", "type": "json_output", "inputs": {"x": "$inputs.n"}},
        {"id": "second", "type": "json_output", "inputs": {"x": ["$inputs.n"]}}
    ]});
    let caller = |reads: Value| {
        let call =
            json!({"id": "c", "type": "sub_workflow", "inputs": {"n": 1}, "config": {"workflow": "child"}});
        with(json!([call, output(reads)]), json!({"child": child}))
    };
    let plan = planned(&caller(json!({"a": "$nodes.c.first.x", "b": "$nodes.c.second.x"})));
    let ports = plan.node(plan.find(&"c".into()).unwrap()).inputs.iter().map(|input| input.port.as_str());
    assert_eq!(ports.collect::<Vec<_>>(), ["first.x", "second.x"]);
    assert_eq!(faults(&caller(json!({"a": "$nodes.c.x"}))), ["UNKNOWN_PORT /nodes/1/inputs/a"]);
    assert_eq!(faults(&caller(json!({"a": "$nodes.c.third.x"}))), ["UNKNOWN_PORT /nodes/1/inputs/a"]);
    // With one output its id may be written, and need not be.
    let nodes = json!([photo(), call("c", "$inputs.photo"), output(json!({"n": "$nodes.c.answer.count"}))]);
    let plan = planned(&with(nodes, json!({"counter": counter()})));
    let out = plan.node(plan.find(&"out".into()).unwrap());
    let exit = plan.find(&"c".into()).unwrap();
    assert_eq!(out.inputs[0].value, Template::Select(Selector::Port(exit, "count".to_owned())));
}

#[test]
fn kinds_are_checked_across_the_call() {
    let parent = |extra: Value| {
        let number = json!({"id": "number", "type": "parameter_input", "config": {"kind": "integer"}});
        with(json!([photo(), number, extra, call("ok", "$inputs.photo")]), json!({"counter": counter()}))
    };
    assert_eq!(faults(&parent(call("c", "$inputs.number"))), ["KIND_MISMATCH /nodes/2/inputs/photo"]);
    let given = |inputs: Value| {
        parent(
            json!({"id": "c", "type": "sub_workflow", "inputs": inputs, "config": {"workflow": "counter"}}),
        )
    };
    assert_eq!(faults(&given(json!({}))), ["MISSING_INPUT /nodes/2/inputs/photo"]);
    assert_eq!(
        faults(&given(json!({"photo": "$inputs.photo", "phote": 1}))),
        ["UNKNOWN_INPUT /nodes/2/inputs/phote"]
    );
    assert_eq!(
        faults(&given(json!({"photo": "$inputs.photo", "least": 2.0}))),
        ["INVALID_INPUT /nodes/2/inputs/least"]
    );
    let resize = |from: &str| {
        parent(json!({"id": "r", "type": "resize", "inputs": {"image": from}, "config": {"width": 8}}))
    };
    assert_eq!(faults(&resize("$nodes.ok.count")), ["KIND_MISMATCH /nodes/2/inputs/image"]);
    assert_eq!(faults(&resize("$nodes.ok.pictur")), ["UNKNOWN_PORT /nodes/2/inputs/image"]);
    assert!(faults(&resize("$nodes.ok.picture")).is_empty());
}

#[test]
fn a_call_in_a_loop_runs_once_per_item_with_all_that_is_inside() {
    let nodes = json!([
        {"id": "photos", "type": "image_input", "config": {"list": true}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.photos"}},
        call("c", "$item"),
        {"id": "counts", "type": "collect", "inputs": {"item": "$nodes.c.count"}},
        {"id": "fixed", "type": "collect", "inputs": {"item": "$nodes.c.fixed"}},
        output(json!({"counts": "$nodes.counts.items", "fixed": "$nodes.fixed.items"}))
    ]);
    let plan = planned(&with(nodes, json!({"counter": counter()})));
    let scope = plan.node(plan.find(&"each".into()).unwrap()).scope;
    for node in ["c", "c/@in", "c/detect", "c/draw"] {
        let own = plan.node(plan.find(&node.into()).unwrap()).scope;
        assert_eq!(plan.scope(own).parent, Some(scope), "{node}");
    }
}

#[test]
fn the_loops_around_a_call_are_none_of_its_workflows() {
    let around = |inside: Value| {
        let child =
            json!({"nodes": [{"id": "x", "type": "parameter_input", "config": {"kind": "any"}}, inside]});
        let nodes = json!([
            {"id": "list", "type": "parameter_input", "config": {"kind": "list<any>"}},
            {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.list"}},
            {"id": "c", "type": "sub_workflow", "inputs": {"x": "$item"}, "config": {"workflow": "child"}}
        ]);
        faults(&with(nodes, json!({"child": child})))
    };
    let collect = |from: &str| json!({"id": "all", "type": "collect", "inputs": {"item": from}});
    assert_eq!(around(collect("$inputs.x")), ["COLLECT_OUTSIDE_LOOP /workflows/child/nodes/1/inputs/item"]);
    assert_eq!(
        around(collect("$item")),
        [
            "ITEM_OUTSIDE_LOOP /workflows/child/nodes/1/inputs/item",
            "COLLECT_OUTSIDE_LOOP /workflows/child/nodes/1/inputs/item"
        ]
    );
    let out = output(json!({"a": "$inputs.x", "b": "$nodes.each.item"}));
    assert_eq!(around(out), ["UNKNOWN_NODE /workflows/child/nodes/1/inputs/b"]);
}

#[test]
fn a_loop_inside_is_collected_inside() {
    let child = |read: &str| {
        json!({"nodes": [
            {"id": "list", "type": "parameter_input", "config": {"kind": "list<integer>"}},
            {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.list"}},
            {"id": "same", "type": "map", "inputs": {"items": ["$item"]}, "config": {"expr": "item"}},
            {"id": "all", "type": "collect", "inputs": {"item": "$nodes.same.items"}},
            output(json!({"all": read}))
        ]})
    };
    let parent = |read: &str| {
        let call = json!({"id": "c", "type": "sub_workflow", "inputs": {"list": [1, 2]}, "config": {"workflow": "w"}});
        with(json!([call, output(json!({"all": "$nodes.c.all"}))]), json!({"w": child(read)}))
    };
    assert_eq!(planned(&parent("$nodes.all.items")).scopes.len(), 2);
    assert_eq!(faults(&parent("$nodes.same.items")), ["OUTPUT_IN_LOOP /workflows/w/nodes/4/inputs/all"]);
}

#[test]
fn a_workflow_that_is_not_there_is_named_and_hides_nothing_else() {
    let nodes = json!([
        photo(),
        {"id": "c", "type": "sub_workflow", "inputs": {"photo": "$inputs.photo"}, "config": {"workflow": "count"}},
        {"id": "d", "type": "sub_workflow", "config": {"workflow": "0192f0c1-2345-7abc-8def-0123456789ab", "version": 2}},
        {"id": "e", "type": "sub_workflow", "config": {"workflow": "$inputs.photo"}},
        {"id": "f", "type": "sub_workflow"},
        output(json!({"a": "$nodes.c.anything", "b": "$nodes.missing.x"}))
    ]);
    let found = compile(&with(nodes, json!({"counter": counter()}))).unwrap_err();
    let codes = found.0.iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect::<Vec<_>>();
    assert_eq!(
        codes,
        [
            "UNKNOWN_WORKFLOW /nodes/1/config/workflow",
            "UNKNOWN_WORKFLOW /nodes/2/config/workflow",
            "INVALID_CONFIG /nodes/3/config/workflow",
            "KIND_MISMATCH /nodes/3/config/workflow",
            "MISSING_FIELD /nodes/4/config/workflow",
            "UNKNOWN_NODE /nodes/5/inputs/b",
        ]
    );
    assert_eq!(found.0[0].hint.as_deref(), Some("did you mean \"counter\"?"));
}

#[test]
fn a_fault_inside_is_told_once_with_its_place_and_a_call_that_leads_there() {
    let mut child = counter();
    child["nodes"][2]["config"]["confidence"] = json!(3);
    child["color"] = json!("red");
    let nodes = json!([
        photo(),
        call("a", "$inputs.photo"),
        call("b", "$inputs.photo"),
        output(json!({"n": "$nodes.nope.x"}))
    ]);
    let definition = with(nodes, json!({"counter": child}));
    let found = compile(&definition).unwrap_err();
    let codes = found.0.iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect::<Vec<_>>();
    assert_eq!(
        codes,
        [
            "UNKNOWN_NODE /nodes/3/inputs/n",
            "UNKNOWN_FIELD /workflows/counter/color",
            "INVALID_CONFIG /workflows/counter/nodes/2/config/confidence",
        ]
    );
    assert_eq!(found.0[2].node.as_ref().unwrap().as_str(), "a/detect");
    let text = serde_json::to_string_pretty(&definition).unwrap();
    for fault in &found.0 {
        let place = locate(&text, &fault.pointer).unwrap();
        assert!(text.lines().nth(place.line - 1).is_some());
    }
}

#[test]
fn recursion_is_refused_direct_and_mutual() {
    let node = |workflow: &str| json!({"id": "c", "type": "sub_workflow", "config": {"workflow": workflow}});
    let calls = |workflow: &str| json!({"nodes": [node(workflow)]});
    let own = with(json!([node("a")]), json!({"a": calls("a")}));
    assert_eq!(faults(&own), ["WORKFLOW_RECURSION /workflows/a/nodes/0/config/workflow"]);
    let mutual = with(json!([node("a")]), json!({"a": calls("b"), "b": calls("c"), "c": calls("a")}));
    let found = compile(&mutual).unwrap_err();
    assert_eq!(found.0[0].pointer, "/workflows/c/nodes/0/config/workflow");
    assert!(found.0[0].message.ends_with("a → b → c → a"), "{}", found.0[0].message);
    // An earlier version of a saved workflow is the workflow all the same.
    let id = "0192f0c1-2345-7abc-8def-0123456789ab";
    let version =
        |n: u32| json!({"id": "c", "type": "sub_workflow", "config": {"workflow": id, "version": n}});
    let key = |n: u32| format!("{id}@{n}");
    let versions = json!({key(2): {"nodes": [version(1)]}, key(1): {"nodes": [photo()]}});
    assert_eq!(
        faults(&with(json!([version(2)]), versions)),
        [format!("WORKFLOW_RECURSION /workflows/{}/nodes/0/config/workflow", key(2))]
    );
}

#[test]
fn calls_nest_to_a_depth_and_no_deeper() {
    let node = |level: usize| json!({"id": "c", "type": "sub_workflow", "config": {"workflow": format!("w{level}")}});
    let nested = |levels: usize| {
        let mut workflows = serde_json::Map::new();
        for level in 0..levels {
            let nodes = if level + 1 < levels {
                json!([node(level + 1)])
            } else {
                json!([{"id": "x", "type": "image_input", "config": {"required": false}}])
            };
            workflows.insert(format!("w{level}"), json!({"nodes": nodes}));
        }
        with(json!([node(0)]), Value::Object(workflows))
    };
    let plan = planned(&nested(8));
    assert!(plan.find(&"c/c/c/c/c/c/c/c".into()).is_some());
    assert_eq!(faults(&nested(9)), ["CALLS_TOO_DEEP /workflows/w7/nodes/0/config/workflow"]);
}

#[test]
fn names_are_looked_up_from_the_inside_out() {
    let give = |value: u32| json!({"nodes": [{"id": "o", "type": "json_output", "inputs": {"v": value}}]});
    let node = |id: &str, workflow: &str| json!({"id": id, "type": "sub_workflow", "config": {"workflow": workflow}});
    let outer = json!({
        "nodes": [node("own", "helper"), node("shared", "other"),
            {"id": "o", "type": "json_output", "inputs": {"a": "$nodes.own.v", "b": "$nodes.shared.v"}}],
        "workflows": {"helper": give(1)}
    });
    let plan = planned(&with(
        json!([node("c", "outer"), node("h", "helper")]),
        json!({"outer": outer, "helper": give(2), "other": give(3)}),
    ));
    let value = |id: &str| plan.node(plan.find(&id.into()).unwrap()).inputs[0].value.clone();
    assert_eq!(value("c/own"), Template::Literal(json!(1)));
    assert_eq!(value("c/shared"), Template::Literal(json!(3)));
    assert_eq!(value("h"), Template::Literal(json!(2)));
    // What a workflow embeds for itself is nobody else's.
    let inner = json!({"outer": {"nodes": [photo()], "workflows": {"secret": give(1)}}});
    assert_eq!(
        faults(&with(json!([node("c", "secret")]), inner)),
        ["UNKNOWN_WORKFLOW /nodes/0/config/workflow"]
    );
}

#[test]
fn policies_of_a_call_stand_for_what_is_inside_or_are_refused() {
    let with_policy = |policy: Value| {
        let mut node = call("c", "$inputs.photo");
        node.as_object_mut().unwrap().extend(policy.as_object().unwrap().clone());
        let mut child = counter();
        child["nodes"][3]["pool"] = json!("own");
        child["nodes"][3]["on_error"] = json!("fail");
        with(json!([photo(), node]), json!({"counter": child}))
    };
    let plan = planned(&with_policy(
        json!({"pool": "batch", "on_error": "skip", "priority": "low", "cache": "off"}),
    ));
    let policy = |id: &str| &plan.node(plan.find(&id.into()).unwrap()).policy;
    assert_eq!(policy("c/detect").pool.as_str(), "batch");
    assert_eq!(policy("c/detect").on_error, OnError::Skip);
    assert_eq!(policy("c/draw").pool.as_str(), "own");
    assert_eq!(policy("c/draw").on_error, OnError::Fail);
    assert_eq!(policy("c/draw").priority, Some(millrace_contracts::job::Priority::Low));
    for field in ["retry", "timeout_ms", "on_error"] {
        let value = match field {
            "retry" => json!({"max_attempts": 2}),
            "timeout_ms" => json!(5),
            _ => json!({"default": {"count": 1}}),
        };
        assert_eq!(faults(&with_policy(json!({field: value}))), [format!("INVALID_POLICY /nodes/1/{field}")]);
    }
}

#[test]
fn a_cycle_through_a_call_is_a_cycle() {
    let child = json!({"nodes": [{"id": "x", "type": "parameter_input", "config": {"kind": "any"}}, output(json!({"x": "$inputs.x"}))]});
    let node = |id: &str, from: &str| json!({"id": id, "type": "sub_workflow", "inputs": {"x": from}, "config": {"workflow": "w"}});
    let found = faults(&with(json!([node("a", "$nodes.b.x"), node("b", "$nodes.a.x")]), json!({"w": child})));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("CYCLE /nodes/0"), "{found:?}");
}

#[test]
fn pinning_reaches_embedded_workflows() {
    let pinned =
        pin(&with(json!([photo(), call("c", "$inputs.photo")]), json!({"counter": counter()}))).unwrap();
    assert_eq!(pinned["nodes"][1]["type"], "sub_workflow@1");
    assert_eq!(pinned["workflows"]["counter"]["nodes"][2]["type"], "detection@1");
}

#[test]
fn a_list_inside_makes_a_list_outside() {
    let child = json!({"nodes": [
        {"id": "photos", "type": "image_input"},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.photos"}},
    ]});
    let node = json!({"id": "c", "type": "sub_workflow", "inputs": {"photos": "$inputs.all"}, "config": {"workflow": "w"}});
    let plan = planned(&with(json!([{"id": "all", "type": "image_input"}, node]), json!({"w": child})));
    assert_eq!(plan.inputs()[0].kind, Kind::list(Kind::Image));
}

#[test]
fn the_library_is_checked() {
    assert_eq!(faults(&with(json!([photo()]), json!([]))), ["INVALID_TYPE /workflows"]);
    let many = (0..257).map(|n| (format!("w{n}"), json!({}))).collect::<serde_json::Map<_, _>>();
    assert_eq!(faults(&with(json!([photo()]), Value::Object(many))), ["TOO_MANY_WORKFLOWS /workflows"]);
    let node = json!({"id": "c", "type": "sub_workflow", "config": {"workflow": "w"}});
    assert_eq!(faults(&with(json!([node]), json!({"w": 5}))), ["INVALID_TYPE /workflows/w"]);
}

#[test]
fn what_nothing_calls_may_stay_and_is_read_all_the_same() {
    let wrong = json!({"nodes": [
        {"id": "a", "type": "detektion"},
        {"id": "b", "type": "sub_workflow", "config": {"workflow": "countr"}}
    ], "workflows": {"inside": {"nodes": []}}});
    let kept = with(
        json!([photo()]),
        json!({"counter": counter(), "other": {"nodes": [photo(), call("c", "$inputs.photo")]}}),
    );
    assert_eq!(ids(&planned(&kept)), ["photo"], "what is not called does not run");
    let definition = with(json!([photo()]), json!({"counter": counter(), "wrong": wrong, "none": 7}));
    assert_eq!(
        faults(&definition),
        [
            "UNKNOWN_BLOCK /workflows/wrong/nodes/0/type",
            "UNKNOWN_WORKFLOW /workflows/wrong/nodes/1/config/workflow",
            "EMPTY_WORKFLOW /workflows/wrong/workflows/inside/nodes",
            "INVALID_TYPE /workflows/none",
        ]
    );
    let found = compile(&definition).unwrap_err();
    assert!(
        found.0.iter().all(|fault| fault.node.is_none()),
        "no node of the run is meant: {}",
        report(&found)
    );
    assert!(found.0[1].hint.as_ref().is_some_and(|hint| hint.contains("counter")));
    // A circle that nothing enters, and the limit of nodes.
    let step = |to: &str| json!({"nodes": [{"id": "c", "type": "sub_workflow", "config": {"workflow": to}}]});
    let circle = faults(&with(json!([photo()]), json!({"x": step("y"), "y": step("x")})));
    assert_eq!(circle, ["WORKFLOW_RECURSION /workflows/x/nodes/0/config/workflow"]);
    let many = (0..6_000).map(|n| json!({"id": format!("p{n}"), "type": "image_input"})).collect::<Value>();
    let many = with(json!([photo()]), json!({"x": {"nodes": many}, "y": {"nodes": many}}));
    assert_eq!(faults(&many), ["TOO_MANY_NODES /workflows/y/nodes"]);
}

#[test]
fn ten_thousand_nodes_in_calls_are_the_limit() {
    let chain = |nodes: usize| {
        let link = |n: usize| match n {
            0 => photo(),
            1 => {
                json!({"id": "n1", "type": "resize", "config": {"width": 64}, "inputs": {"image": "$inputs.photo"}})
            }
            _ => json!({"id": format!("n{n}"), "type": "resize", "config": {"width": 64},
                "inputs": {"image": format!("$nodes.n{}.image", n - 1)}}),
        };
        json!({"nodes": (0..nodes).map(link).collect::<Vec<_>>()})
    };
    let calls = |calls: usize| {
        let mut nodes = vec![photo()];
        nodes.extend((0..calls).map(|n| {
            json!({"id": format!("c{n}"), "type": "sub_workflow",
            "inputs": {"photo": "$inputs.photo"}, "config": {"workflow": "chain"}})
        }));
        with(Value::Array(nodes), json!({"chain": chain(97)}))
    };
    assert!(planned(&calls(100)).nodes.len() > 9_800);
    let found = compile(&calls(102)).unwrap_err();
    assert_eq!(found.0.len(), 1, "{}", report(&found));
    assert_eq!(found.0[0].code, "TOO_MANY_NODES");
    assert!(matches!(&planned(&calls(1)).nodes[1].action, Action::Logic(Logic::Enter(_))));
}
