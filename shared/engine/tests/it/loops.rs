//! Loops: items, places, order, nesting, limits, and loops that never open.

use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{collect, condition, each, input, job, output, with, workflow};

fn simple(config: Value) -> Value {
    workflow(&[
        each("each", "$inputs.list", config),
        job("work", "$nodes.each.item"),
        collect("all", "$nodes.work.image"),
        output(json!({"items": "$nodes.all.items", "count": "$nodes.all.count"})),
    ])
}

#[test]
fn every_item_runs_at_its_place_and_is_given_its_value() {
    let driver = Driver::begin(&simple(json!({})), input(3, &[]));
    assert_eq!(driver.places(), ["work[0]#1", "work[1]#1", "work[2]#1"]);
    assert_eq!(driver.job("work[1]").inputs["image"], json!({"item": 1}));
}

#[test]
fn results_are_in_the_order_of_the_list_whatever_finishes_first() {
    let mut driver = Driver::begin(&simple(json!({})), input(4, &[]));
    for place in ["work[2]", "work[0]", "work[3]", "work[1]"] {
        driver.done(place);
    }
    let expected = json!({"items": ["work[0]", "work[1]", "work[2]", "work[3]"], "count": 4});
    assert_eq!(driver.outputs()["out"], expected);
}

#[test]
fn an_empty_list_collects_to_an_empty_list() {
    let driver = Driver::begin(&simple(json!({})), input(0, &[]));
    assert_eq!(driver.outputs()["out"], json!({"items": [], "count": 0}));
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn a_loop_with_nothing_inside_collects_its_items_without_a_deep_stack() {
    let definition = workflow(&[
        each("each", "$inputs.list", json!({"max_parallel": 1})),
        collect("all", "$nodes.each.item"),
        output(json!({"count": "$nodes.all.count"})),
    ]);
    let driver = Driver::begin(&definition, input(20_000, &[]));
    assert_eq!(driver.outputs()["out"], json!({"count": 20_000}));
}

#[test]
fn no_more_items_than_max_parallel_are_under_way() {
    let mut driver = Driver::begin(&simple(json!({"max_parallel": 2})), input(5, &[]));
    assert_eq!(driver.sent.len(), 2);
    assert_eq!(driver.run.meta().progress.total, 4 + 3 + 2, "items count from when they are launched");
    driver.done("work[1]");
    assert_eq!(driver.places().last().unwrap(), "work[2]#1");
    driver.finish_all();
    assert_eq!(driver.outputs()["out"]["count"], 5);
}

#[test]
fn loops_nest_and_each_collects_its_own() {
    let definition = workflow(&[
        each("rows", "$inputs.lists", json!({"max_parallel": 2})),
        each("cells", "$nodes.rows.item", json!({"max_parallel": 1})),
        job("work", "$nodes.cells.item"),
        collect("row", "$nodes.work.image"),
        collect("all", "$nodes.row.items"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let mut driver = Driver::begin(&definition, input(0, &[2, 0, 3]));
    assert_eq!(driver.places(), ["work[0,0]#1", "work[2,0]#1"], "row 1 is empty and over at once");
    driver.finish_all();
    let expected = json!([["work[0,0]", "work[0,1]"], [], ["work[2,0]", "work[2,1]", "work[2,2]"]]);
    assert_eq!(driver.outputs()["out"]["items"], expected);
}

#[test]
fn a_node_inside_waits_for_what_it_reads_from_outside() {
    let inside = json!({"id": "inside", "type": "draw_boxes",
        "inputs": {"image": "$nodes.each.item", "detections": "$nodes.find.detections"}});
    let find = json!({"id": "find", "type": "detection", "inputs": {"image": "$inputs.photo"},
        "config": {"model_id": "m"}});
    let definition = workflow(&[
        find,
        each("each", "$inputs.list", json!({})),
        inside,
        collect("all", "$nodes.inside.image"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let mut driver = Driver::begin(&definition, input(2, &[]));
    assert_eq!(driver.places(), ["find#1"]);
    driver.complete("find", json!({"detections": {"items": []}, "count": 0, "classes": []}));
    assert_eq!(driver.places()[1..], ["inside[0]#1", "inside[1]#1"]);
    driver.finish_all();
    assert_eq!(driver.outputs()["out"]["items"], json!(["inside[0]", "inside[1]"]));
}

#[test]
fn item_and_index_are_seen_from_any_depth() {
    let place = json!({"id": "place", "type": "condition", "config": {"if": "true"}, "inputs": {
        "value": {"outer": "$nodes.rows.index", "inner": "$nodes.cells.index", "cell": "$nodes.cells.item",
            "all": "$nodes.cells.*"}}});
    let definition = workflow(&[
        each("rows", "$inputs.lists", json!({})),
        each("cells", "$nodes.rows.item", json!({})),
        place,
        collect("row", "$nodes.place.true"),
        collect("all", "$nodes.row.items"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let driver = Driver::begin(&definition, input(0, &[1, 2]));
    let cell = |outer: u32, inner: u32| {
        let item = json!({"item": inner});
        json!({"outer": outer, "inner": inner, "cell": item, "all": {"item": item, "index": inner}})
    };
    assert_eq!(driver.outputs()["out"]["items"], json!([[cell(0, 0)], [cell(1, 0), cell(1, 1)]]));
}

#[test]
fn items_that_were_skipped_are_left_out() {
    let odd = json!({"id": "odd", "type": "condition",
        "inputs": {"value": "$nodes.each.item", "at": "$nodes.each.index"}, "config": {"if": "at % 2 == 1"}});
    let definition = workflow(&[
        each("each", "$inputs.list", json!({})),
        odd,
        job("work", "$nodes.odd.true"),
        collect("all", "$nodes.work.image"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let mut driver = Driver::begin(&definition, input(4, &[]));
    assert_eq!(driver.status("work[2]"), "skipped");
    driver.finish_all();
    assert_eq!(driver.outputs()["out"]["items"], json!(["work[1]", "work[3]"]));
}

#[test]
fn a_loop_that_never_opens_skips_its_collectors_and_what_follows() {
    let definition = workflow(&[
        condition("if", "$inputs.list", "false"),
        each("each", "$nodes.if.true", json!({})),
        job("work", "$nodes.each.item"),
        collect("all", "$nodes.work.image"),
        collect("items", "$nodes.each.item"),
        each("again", "$nodes.all.items", json!({})),
        job("more", "$nodes.again.item"),
        collect("last", "$nodes.more.image"),
    ]);
    let driver = Driver::begin(&definition, input(3, &[]));
    assert_eq!(driver.run_status(), "completed");
    for place in ["each", "all", "items", "again", "last"] {
        assert_eq!(driver.status(place), "skipped", "{place}");
    }
    assert_eq!(driver.status("work"), "none", "nodes inside have no place to be skipped at");
}

#[test]
fn a_loop_over_what_is_no_list_fails_with_its_place() {
    let definition = workflow(&[
        json!({"id": "any", "type": "parameter_input", "config": {"kind": "any"}}),
        each("each", "$inputs.any", json!({})),
        job("work", "$nodes.each.item"),
    ]);
    let mut given = input(0, &[]);
    given["any"] = json!({"not": "a list"});
    let driver = Driver::begin(&definition, given);
    let error = driver.run.meta().error.clone().unwrap();
    assert_eq!(error.pointer.as_deref(), Some("/inputs/items"));
    assert_eq!(error.node, Some("each".into()));
}

#[test]
fn two_collectors_of_one_loop_collect_each_its_own() {
    let definition = workflow(&[
        each("each", "$inputs.list", json!({"max_parallel": 1})),
        job("a", "$nodes.each.item"),
        job("b", "$nodes.a.image"),
        collect("as", "$nodes.a.image"),
        collect("bs", "$nodes.b.image"),
        output(json!({"as": "$nodes.as.items", "bs": "$nodes.bs.items"})),
    ]);
    let mut driver = Driver::begin(&definition, input(2, &[]));
    driver.finish_all();
    assert_eq!(driver.outputs()["out"], json!({"as": ["a[0]", "a[1]"], "bs": ["b[0]", "b[1]"]}));
}

#[test]
fn a_failed_optional_branch_inside_an_item_does_not_hold_the_others() {
    let definition = workflow(&[
        each("each", "$inputs.list", json!({})),
        with(job("a", "$nodes.each.item"), json!({"on_error": "skip"})),
        job("b", "$nodes.a.image"),
        collect("all", "$nodes.b.image"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let mut driver = Driver::begin(&definition, input(2, &[]));
    driver.fail("a[0]", millrace_contracts::ErrorKind::InvalidInput);
    assert_eq!(driver.status("b[0]"), "skipped");
    driver.done("a[1]");
    driver.done("b[1]");
    assert_eq!(driver.outputs()["out"]["items"], json!(["b[1]"]));
}

#[test]
fn a_source_that_settled_and_has_not_told_yet_is_waited_for_once() {
    let find = json!({"id": "find", "type": "detection", "inputs": {"image": "$inputs.photo"},
        "config": {"model_id": "m"}});
    let crop = json!({"id": "crop", "type": "crop", "config": {"mode": "detections"},
        "inputs": {"image": "$inputs.photo", "detections": "$nodes.find.detections"}});
    // When the crops come, `side` settles first; then the loop opens and its items count what they wait for; then `side`
    // tells its dependants.
    let side = json!({"id": "side", "type": "condition", "inputs": {"value": "$nodes.crop.detections"},
        "config": {"if": "true"}});
    let both = json!({"id": "both", "type": "condition", "config": {"if": "true"},
        "inputs": {"value": "$nodes.work.image", "side": "$nodes.side.true"}});
    let definition = workflow(&[
        find,
        crop,
        side,
        each("each", "$nodes.crop.crops", json!({})),
        job("work", "$nodes.each.item"),
        both,
        collect("all", "$nodes.both.true"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    driver.complete("find", json!({"detections": {}, "count": 1, "classes": []}));
    driver.complete("crop", json!({"crops": [{"crop": 0}], "detections": []}));
    assert_eq!(driver.status("both[0]"), "none", "it waits for `work`");
    driver.done("work[0]");
    assert_eq!(driver.outputs()["out"]["items"], json!(["work[0]"]));
}
