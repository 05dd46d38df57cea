//! Snapshots: the run as clients see it, from the stored records alone.

use millrace_engine::{Meta, Standing, snapshot};
use serde_json::json;

use crate::support::driver::Driver;
use crate::support::flow::{collect, each, input, job, output, workflow};

#[test]
fn a_snapshot_stands_at_the_logs_last_event() {
    let definition = workflow(&[
        job("a", "$inputs.photo"),
        each("each", "$inputs.list", json!({})),
        job("work", "$nodes.each.item"),
        collect("all", "$nodes.work.image"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let mut driver = Driver::begin(&definition, input(30, &[]));
    driver.done("work[3]");
    let state = snapshot(&driver.fields, 10).unwrap();
    assert_eq!((state.seq, state.epoch), (driver.log.last().unwrap().seq.unwrap(), 1));
    assert_eq!(state.progress, driver.run.meta().progress);
    assert_eq!((state.nodes.len(), state.nodes_omitted), (10, 26));
    assert!(state.nodes[..6].iter().all(|node| node.path.depth() == 0), "those outside loops come first");
    assert_eq!(state.nodes[6].path.indices(), [0]);
    driver.finish_all();
    let state = snapshot(&driver.fields, 1_000).unwrap();
    let standing = Standing::read(&driver.fields[Meta::FIELD]).unwrap();
    assert_eq!((standing.status, standing.at.epoch, standing.at.seq), (state.status, state.epoch, state.seq));
    assert_eq!(state.outputs.unwrap()["out"]["items"].as_array().unwrap().len(), 30);
    assert_eq!(state.status.as_str(), "completed");
    assert!(state.nodes.iter().all(|node| node.status.is_terminal()));
}

#[test]
fn a_standing_that_is_damaged_is_named() {
    let damaged = Standing::read(b"{\"status\": \"completed\"}").unwrap_err();
    assert!(damaged.to_string().contains("`meta` is damaged"), "{damaged}");
}
