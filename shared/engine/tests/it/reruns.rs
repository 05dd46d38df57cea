//! Reruns: results of an earlier run are taken over, but for the node that it begins at and what depends on that.

use millrace_contracts::message::RerunOf;
use millrace_contracts::run::NodeView;
use millrace_engine::{NodeRecord, Settings, reusable};
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{
    accepted, collect, condition, each, execution, input, job, map, output, workflow,
};

/// What is known of `driver`'s node runs, as the orchestrator reads it.
fn records(driver: &Driver) -> Vec<NodeRecord> {
    let nodes = driver.fields.iter().filter(|(field, _)| field.starts_with("n:"));
    let views = nodes.map(|(_, bytes)| serde_json::from_slice::<NodeRecord>(bytes).unwrap().view());
    views.map(NodeRecord::from).collect()
}

/// Run 2, which repeats `earlier`, run 1, from `from` on.
fn rerun(definition: &Value, given: Value, earlier: &Driver, from: &str) -> Driver {
    let kept = reusable(&earlier.plan, &from.into(), execution(1), records(earlier)).unwrap();
    let mut again = accepted(2, map(given));
    again.rerun_of = Some(RerunOf { execution_id: execution(1), from: Some(from.into()) });
    Driver::start(definition, again, Settings::default(), kept)
}

/// `a → b → c`, and `d` beside them.
fn chain() -> Value {
    workflow(&[
        job("a", "$inputs.photo"),
        job("b", "$nodes.a.image"),
        job("c", "$nodes.b.image"),
        job("d", "$inputs.photo"),
        output(json!({"c": "$nodes.c.image", "d": "$nodes.d.image"})),
    ])
}

#[test]
fn what_depends_on_the_node_is_done_again_and_nothing_else() {
    let mut earlier = Driver::begin(&chain(), input(0, &[]));
    for place in ["a", "d", "b", "c"] {
        earlier.done(place);
    }
    let mut driver = rerun(&chain(), input(0, &[]), &earlier, "b");
    assert_eq!(driver.places(), ["b#1"]);
    let taken: Vec<NodeView> = driver
        .log
        .iter()
        .filter(|event| event.data["origin"].is_string())
        .map(|event| serde_json::from_value(event.data.clone()).unwrap())
        .collect();
    let mut names = taken.iter().map(|view| (view.node_id.as_str(), view.origin)).collect::<Vec<_>>();
    names.sort_unstable();
    assert_eq!(names, [("a", Some(execution(1))), ("d", Some(execution(1)))]);
    assert!(driver.log.iter().all(|event| event.data.get("job").is_none()), "the jobs are the earlier run's");
    assert_eq!(driver.run.meta().jobs_completed, 0);
    driver.reload();
    driver.done("b");
    driver.done("c");
    assert_eq!((driver.run_status(), driver.run.meta().jobs_completed), ("completed".into(), 2));
    assert_eq!(driver.record("b").origin, None);
    // A rerun of the rerun says where a result was made first.
    let third = rerun(&chain(), input(0, &[]), &driver, "c");
    assert_eq!(third.places(), ["c#1"]);
    assert_eq!(third.record("a").origin, Some(execution(1)));
}

#[test]
fn a_failed_node_can_be_begun_at() {
    let mut earlier = Driver::begin(&chain(), input(0, &[]));
    earlier.done("a");
    earlier.done("d");
    earlier.fail("b", millrace_contracts::ErrorKind::InvalidInput);
    assert_eq!(earlier.run_status(), "failed");
    let driver = rerun(&chain(), input(0, &[]), &earlier, "b");
    assert_eq!(driver.places(), ["b#1"]);
}

#[test]
fn an_input_begins_everything_that_reads_it_and_a_stranger_nothing() {
    let mut earlier = Driver::begin(&chain(), input(0, &[]));
    for place in ["a", "d", "b", "c"] {
        earlier.done(place);
    }
    assert_eq!(rerun(&chain(), input(0, &[]), &earlier, "photo").places(), ["a#1", "d#1"]);
    assert_eq!(rerun(&chain(), input(0, &[]), &earlier, "n").sent.len(), 0);
    assert!(reusable(&earlier.plan, &"nobody".into(), execution(1), Vec::new()).is_none());
}

#[test]
fn items_before_the_node_are_taken_over_one_by_one() {
    let definition = workflow(&[
        each("each", "$inputs.list", json!({"max_parallel": 4})),
        job("a", "$nodes.each.item"),
        condition("if", "$nodes.a.image", "true"),
        job("b", "$nodes.if.true"),
        collect("all", "$nodes.b.image"),
        job("after", "$inputs.photo"),
        output(json!({"items": "$nodes.all.items", "after": "$nodes.after.image"})),
    ]);
    let mut earlier = Driver::begin(&definition, input(2, &[]));
    for place in ["a[0]", "b[0]", "a[1]", "b[1]", "after"] {
        earlier.done(place);
    }
    let driver = rerun(&definition, input(2, &[]), &earlier, "b");
    assert_eq!(driver.places(), ["b[0]#1", "b[1]#1"]);
    let driver = rerun(&definition, input(2, &[]), &earlier, "each");
    assert_eq!(driver.places(), ["a[0]#1", "a[1]#1"]);
    let driver = rerun(&definition, input(2, &[]), &earlier, "all");
    assert_eq!((driver.run_status(), driver.sent.len()), ("completed".into(), 0));
    assert_eq!(driver.outputs(), earlier.outputs());
}

#[test]
fn a_call_is_begun_at_as_a_whole_or_inside() {
    let mut definition = workflow(&[
        job("before", "$inputs.photo"),
        json!({"id": "c", "type": "sub_workflow", "inputs": {"x": "$nodes.before.image"}, "config": {"workflow": "w"}}),
        job("after", "$nodes.c.image"),
        output(json!({"image": "$nodes.after.image"})),
    ]);
    let x = json!({"id": "x", "type": "parameter_input", "config": {"kind": "any"}});
    let give = json!({"id": "o", "type": "json_output", "inputs": {"image": "$nodes.b.image"}});
    let inside = json!({"nodes": [x, job("a", "$inputs.x"), job("b", "$nodes.a.image"), give]});
    definition["workflows"] = json!({"w": inside});
    let mut earlier = Driver::begin(&definition, input(0, &[]));
    for place in ["before", "c/a", "c/b", "after"] {
        earlier.done(place);
    }
    assert_eq!(rerun(&definition, input(0, &[]), &earlier, "c").places(), ["c/a#1"]);
    assert_eq!(rerun(&definition, input(0, &[]), &earlier, "c/b").places(), ["c/b#1"]);
    assert_eq!(rerun(&definition, input(0, &[]), &earlier, "after").places(), ["after#1"]);
}
