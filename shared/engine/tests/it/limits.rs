//! Limits: `max_concurrency`, items of a loop, node runs of a run.

use millrace_contracts::ErrorKind::{InvalidInput, Network};
use millrace_engine::Settings;
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{accepted, collect, condition, each, input, job, map, with, workflow};

fn narrow(nodes: &[Value], limit: u32) -> Value {
    let mut definition = workflow(nodes);
    definition["max_concurrency"] = json!(limit);
    definition
}

#[test]
fn jobs_stand_in_line_in_the_order_of_items_and_nodes() {
    let nodes = [
        each("each", "$inputs.list", json!({})),
        job("work", "$nodes.each.item"),
        job("more", "$nodes.work.image"),
        collect("all", "$nodes.more.image"),
    ];
    let mut driver = Driver::begin(&narrow(&nodes, 1), input(3, &[]));
    driver.finish_all();
    let order = ["work[0]#1", "work[1]#1", "more[0]#1", "more[1]#1", "work[2]#1", "more[2]#1"];
    assert_eq!(driver.places(), order);
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn a_place_is_free_again_after_failure_retry_timeout_and_cancelled_items() {
    let failing = with(job("a", "$inputs.photo"), json!({"on_error": "skip"}));
    let mut driver = Driver::begin(&narrow(&[failing, job("b", "$inputs.photo")], 1), input(0, &[]));
    driver.fail("a", InvalidInput);
    assert_eq!(driver.places(), ["a#1", "b#1"], "after a failure");

    let retried = with(job("a", "$inputs.photo"), json!({"retry": {"max_attempts": 2}}));
    let mut driver = Driver::begin(&narrow(&[retried, job("b", "$inputs.photo")], 1), input(0, &[]));
    driver.fail("a", Network);
    assert_eq!(driver.places(), ["a#1", "b#1"], "in a back-off");
    driver.advance(60_000);
    assert!(driver.record("a").in_line, "its turn comes when there is a place");
    driver.reload();
    driver.done("b");
    assert_eq!(driver.places(), ["a#1", "b#1", "a#2"]);

    let slow = with(job("a", "$inputs.photo"), json!({"timeout_ms": 5, "on_error": "skip"}));
    let mut driver = Driver::begin(&narrow(&[slow, job("b", "$inputs.photo")], 1), input(0, &[]));
    driver.advance(5);
    assert_eq!(driver.places(), ["a#1", "b#1"], "after a timeout");

    let nodes = [
        each("each", "$inputs.list", json!({"on_item_error": "null"})),
        job("x", "$nodes.each.item"),
        job("y", "$nodes.each.item"),
        collect("all", "$nodes.y.image"),
    ];
    let mut driver = Driver::begin(&narrow(&nodes, 2), input(2, &[]));
    driver.fail("x[0]", InvalidInput);
    assert_eq!(driver.places(), ["x[0]#1", "y[0]#1", "x[1]#1", "y[1]#1"], "both places of the failed item");
}

#[test]
fn an_item_that_failed_leaves_the_line() {
    let nodes = [
        each("each", "$inputs.list", json!({"on_item_error": "drop"})),
        job("x", "$nodes.each.item"),
        job("y", "$nodes.each.item"),
        collect("all", "$nodes.y.image"),
    ];
    let mut driver = Driver::begin(&narrow(&nodes, 1), input(2, &[]));
    driver.fail("x[0]", InvalidInput);
    assert_eq!(driver.places(), ["x[0]#1", "x[1]#1"], "y[0] never has its turn");
    driver.finish_all();
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn a_node_that_is_skipped_does_not_stand_in_line() {
    let nodes =
        [job("slow", "$inputs.photo"), condition("if", "$inputs.photo", "false"), job("a", "$nodes.if.true")];
    let driver = Driver::begin(&narrow(&nodes, 1), input(0, &[]));
    assert_eq!(driver.status("a"), "skipped");
}

#[test]
fn a_list_that_is_too_long_fails_its_loop() {
    let definition = workflow(&[
        each("each", "$inputs.list", json!({})),
        job("a", "$nodes.each.item"),
        job("b", "$nodes.a.image"),
    ]);
    let cases = [
        (Settings { max_items: 4, ..Settings::default() }, "5 items in one for_each, at most 4"),
        (Settings { max_node_runs: 14, ..Settings::default() }, "15 node runs in one execution, at most 14"),
    ];
    for (settings, says) in cases {
        let driver = Driver::start(&definition, accepted(1, map(input(5, &[]))), settings, Vec::new());
        let error = driver.run.meta().error.clone().unwrap();
        assert!(error.message.contains(says), "{}", error.message);
    }
}

#[test]
fn items_that_are_still_to_come_count_against_the_limit_of_node_runs() {
    let definition = workflow(&[
        each("rows", "$inputs.lists", json!({"max_parallel": 2})),
        each("cells", "$nodes.rows.item", json!({"max_parallel": 1})),
        job("work", "$nodes.cells.item"),
        collect("row", "$nodes.work.image"),
        collect("all", "$nodes.row.items"),
    ]);
    // 6 nodes outside, 2 × 2 in the rows (the loop and its collector), 4 in the first row's cells; 4 more are too many.
    let settings = Settings { max_node_runs: 15, ..Settings::default() };
    let driver = Driver::start(&definition, accepted(1, map(input(0, &[4, 4]))), settings, Vec::new());
    assert_eq!(driver.run_status(), "failed");
    let settings = Settings { max_node_runs: 19, ..settings };
    let driver = Driver::start(&definition, accepted(1, map(input(0, &[4, 4]))), settings, Vec::new());
    assert_eq!(driver.run_status(), "running");
}
