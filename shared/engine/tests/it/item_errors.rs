//! `on_item_error`: what an item's failure means for its loop, and for the loops around it.

use millrace_contracts::ErrorKind::InvalidInput;
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{collect, each, input, job, output, workflow};

fn two_steps(policy: &str) -> Value {
    workflow(&[
        each("each", "$inputs.list", json!({"on_item_error": policy})),
        job("a", "$nodes.each.item"),
        job("b", "$nodes.a.image"),
        job("side", "$nodes.each.item"),
        collect("all", "$nodes.b.image"),
        output(json!({"items": "$nodes.all.items", "count": "$nodes.all.count"})),
    ])
}

fn nested(outer: &str, inner: &str) -> Value {
    workflow(&[
        each("rows", "$inputs.lists", json!({"on_item_error": outer})),
        each("cells", "$nodes.rows.item", json!({"on_item_error": inner})),
        job("work", "$nodes.cells.item"),
        collect("row", "$nodes.work.image"),
        collect("all", "$nodes.row.items"),
        output(json!({"items": "$nodes.all.items"})),
    ])
}

#[test]
fn a_failed_item_is_null_or_left_out_and_the_rest_of_it_never_runs() {
    for (policy, items) in [("null", json!(["b[0]", null])), ("drop", json!(["b[0]"]))] {
        let mut driver = Driver::begin(&two_steps(policy), input(2, &[]));
        driver.fail("a[1]", InvalidInput);
        assert_eq!(driver.status("a[1]"), "failed");
        assert_eq!(driver.status("b[1]"), "cancelled", "never started");
        assert_eq!(driver.status("side[1]"), "cancelled", "under way");
        assert_eq!(driver.abandoned, [driver.job("side[1]").id], "its worker is told");
        assert_eq!(
            driver.log.iter().find(|event| event.data["handled"] == "item").unwrap().node_id,
            Some("a".into())
        );
        for place in ["side[0]", "a[0]", "b[0]"] {
            driver.done(place);
        }
        assert_eq!(driver.outputs()["out"]["items"], items);
        assert_eq!(driver.run_status(), "completed");
    }
}

#[test]
fn without_tolerance_the_first_failure_fails_the_run_and_cancels_the_rest() {
    let mut driver = Driver::begin(&two_steps("fail"), input(2, &[]));
    driver.fail("a[1]", InvalidInput);
    assert_eq!(driver.run_status(), "failed");
    let error = driver.run.meta().error.clone().unwrap();
    assert_eq!((error.kind, error.node), (InvalidInput, Some("a".into())));
    assert!(error.message.contains("`a[1]`"), "{}", error.message);
    assert_eq!(driver.told().last().unwrap(), "failed failed");
    assert_eq!(driver.status("all"), "cancelled");
}

#[test]
fn the_innermost_tolerant_loop_takes_the_failure() {
    let cases = [
        ("fail", "null", json!([["work[0,0]", null], ["work[1,0]"]])),
        ("drop", "drop", json!([["work[0,0]"], ["work[1,0]"]])),
        ("null", "fail", json!([null, ["work[1,0]"]])),
        ("drop", "fail", json!([["work[1,0]"]])),
    ];
    for (outer, inner, items) in cases {
        let mut driver = Driver::begin(&nested(outer, inner), input(0, &[2, 1]));
        driver.done("work[1,0]");
        driver.fail("work[0,1]", InvalidInput);
        if inner != "fail" {
            driver.done("work[0,0]");
        }
        assert_eq!(driver.outputs()["out"]["items"], items, "{outer} around {inner}");
    }
}

#[test]
fn an_inner_loop_of_a_failed_item_launches_no_more() {
    let definition = workflow(&[
        each("rows", "$inputs.lists", json!({"on_item_error": "null", "max_parallel": 1})),
        each("cells", "$nodes.rows.item", json!({"max_parallel": 1})),
        job("work", "$nodes.cells.item"),
        collect("row", "$nodes.work.image"),
        collect("all", "$nodes.row.items"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let mut driver = Driver::begin(&definition, input(0, &[3, 1]));
    driver.fail("work[0,0]", InvalidInput);
    assert_eq!(driver.places(), ["work[0,0]#1", "work[1,0]#1"], "the next row begins");
    assert_eq!((driver.status("work[0,1]"), driver.status("row[0]")), ("none".into(), "cancelled".into()));
    driver.done("work[1,0]");
    assert_eq!(driver.outputs()["out"]["items"], json!([null, ["work[1,0]"]]));
}

#[test]
fn a_late_report_from_a_failed_item_changes_nothing() {
    let mut driver = Driver::begin(&two_steps("null"), input(2, &[]));
    driver.fail("a[1]", InvalidInput);
    assert!(!driver.done("side[1]").needed);
    assert!(!driver.fail("a[1]", InvalidInput).needed);
}

#[test]
fn every_item_may_fail() {
    for (policy, items) in [("null", json!([null, null])), ("drop", json!([]))] {
        let mut driver = Driver::begin(&two_steps(policy), input(2, &[]));
        driver.fail("a[1]", InvalidInput);
        driver.fail("a[0]", InvalidInput);
        assert_eq!(driver.outputs()["out"]["items"], items);
    }
}

#[test]
fn a_failed_inner_list_fails_its_outer_item() {
    let definition = workflow(&[
        json!({"id": "mixed", "type": "parameter_input", "config": {"kind": "list<any>"}}),
        each("rows", "$inputs.mixed", json!({"on_item_error": "null"})),
        each("cells", "$nodes.rows.item", json!({})),
        job("work", "$nodes.cells.item"),
        collect("row", "$nodes.work.image"),
        collect("all", "$nodes.row.items"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let mut given = input(0, &[]);
    given["mixed"] = json!([[1], 5]);
    let mut driver = Driver::begin(&definition, given);
    driver.done("work[0,0]");
    assert_eq!(driver.outputs()["out"]["items"], json!([["work[0,0]"], null]));
}
