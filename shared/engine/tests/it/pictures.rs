//! Pictures of a run's input by URL: a job fetches them before what reads them starts.

use millrace_contracts::message::RerunOf;
use millrace_contracts::values::to_fetch;
use millrace_contracts::{ErrorKind, IMAGE_FETCH, IO_POOL};
use millrace_engine::{NodeRecord, Settings, reusable};
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{accepted, execution, flow, input, job, map, output, workflow};

fn url() -> Value {
    json!({"kind": "image_url", "url": "https://example.com/a.jpg"})
}

fn given() -> Value {
    let mut given = input(0, &[]);
    given["photo"] = to_fetch(&url());
    given
}

fn definition() -> Value {
    workflow(&[job("a", "$inputs.photo"), output(json!({"a": "$nodes.a.image"}))])
}

#[test]
fn an_input_by_url_is_fetched_by_a_job_and_then_read_like_any_other() {
    let mut run = accepted(1, map(given()));
    // The pool of the run is where its work goes, not what waits for others.
    run.pool = Some("heavy".into());
    let mut driver = Driver::start(&definition(), run, Settings::default(), Vec::new());
    assert_eq!(driver.places(), ["photo#1"]);
    let fetch = driver.job("photo");
    assert_eq!((fetch.task.as_str(), fetch.pool.as_str()), (IMAGE_FETCH, IO_POOL));
    assert_eq!((json!(fetch.inputs), fetch.config.len()), (json!({"value": url()}), 0));
    driver.reload();
    driver.complete("photo", json!({"value": {"stored": 1}}));
    let work = driver.job("a");
    assert_eq!((json!(work.inputs), work.pool.as_str()), (json!({"image": {"stored": 1}}), "heavy"));
    driver.done("a");
    assert_eq!(driver.run_status(), "completed");
    let told = driver.log.iter().find(|event| event.data["node_id"] == "photo").unwrap();
    assert_eq!(told.data["job"]["pool"], IO_POOL);
}

#[test]
fn the_limits_of_an_image_input_go_with_the_job() {
    let nodes = json!([
        {"id": "photos", "type": "image_input", "config": {"list": true, "max_pixels": 5000}},
        {"id": "out", "type": "json_output", "inputs": {"photos": "$inputs.photos"}},
    ]);
    let driver = Driver::begin(&flow(nodes), json!({"photos": to_fetch(&json!([url()]))}));
    let fetch = driver.job("photos");
    assert_eq!(
        (json!(fetch.inputs), &fetch.config["max_pixels"]),
        (json!({"images": [url()]}), &json!(5000))
    );
}

#[test]
fn a_picture_that_cannot_be_had_is_asked_for_again_and_then_fails_the_run() {
    let mut driver = Driver::begin(&definition(), given());
    driver.fail("photo", ErrorKind::Network);
    driver.advance(60_000);
    assert_eq!(driver.places(), ["photo#1", "photo#2"]);
    driver.fail("photo", ErrorKind::InvalidInput);
    assert_eq!(driver.run_status(), "failed");
    assert_eq!(driver.log.last().unwrap().data["error"]["node"], "photo");
}

#[test]
fn what_was_fetched_is_not_fetched_again_by_a_rerun_from_further_on() {
    let mut earlier = Driver::begin(&definition(), given());
    earlier.complete("photo", json!({"value": {"stored": 1}}));
    earlier.done("a");
    let nodes = earlier.fields.iter().filter(|(field, _)| field.starts_with("n:"));
    let views = nodes.map(|(_, bytes)| serde_json::from_slice::<NodeRecord>(bytes).unwrap().view());
    let records = views.map(NodeRecord::from).collect();
    let kept = reusable(&earlier.plan, &"a".into(), execution(1), records).unwrap();
    let mut again = accepted(2, map(given()));
    again.rerun_of = Some(RerunOf { execution_id: execution(1), from: Some("a".into()) });
    let driver = Driver::start(&definition(), again, Settings::default(), kept);
    assert_eq!(driver.places(), ["a#1"]);
    assert_eq!(driver.job("a").inputs["image"], json!({"stored": 1}));
}

#[test]
fn a_value_that_only_looks_marked_is_a_value() {
    let nodes = json!([
        {"id": "any", "type": "parameter_input", "config": {"kind": "any"}},
        {"id": "out", "type": "json_output", "inputs": {"any": "$inputs.any"}},
    ]);
    let driver = Driver::begin(&flow(nodes), json!({"any": to_fetch(&url())}));
    assert_eq!((driver.run_status().as_str(), driver.places().len()), ("completed", 0));
}

/// A run that leaves out its optional pictures `photo` and `photos`.
fn without(nodes: Value) -> Driver {
    let mut all = vec![
        json!({"id": "photo", "type": "image_input", "config": {"required": false}}),
        json!({"id": "photos", "type": "image_input", "config": {"required": false, "list": true}}),
    ];
    all.extend(nodes.as_array().unwrap().iter().cloned());
    Driver::begin(&flow(all.into()), json!({"photo": null, "photos": null}))
}

#[test]
fn a_picture_that_is_left_out_skips_what_cannot_do_without() {
    let driver = without(json!([
        job("small", "$inputs.photo"),
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.photos"}},
        job("one", "$item"),
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.one.image"}},
        output(json!({"small": "$nodes.small.image", "all": "$nodes.all.items"})),
    ]));
    assert_eq!((driver.run_status().as_str(), driver.places().len()), ("completed", 0));
    for node in ["small", "each", "all"] {
        assert_eq!(driver.status(node), "skipped", "{node}");
    }
    assert_eq!(driver.status("photo"), "completed");
    assert_eq!(driver.record("photo").skipped_ports, ["image"]);
    assert_eq!(driver.outputs()["out"], json!({"small": null, "all": null}));
}

#[test]
fn a_picture_that_is_left_out_reads_null_where_there_may_be_none() {
    let driver = without(json!([
        {"id": "is_there", "type": "condition", "inputs": {"value": "$inputs.photo", "given": "$inputs.photo"},
            "config": {"if": "given != null"}},
        output(json!({"photo": "$inputs.photo"})),
    ]));
    assert_eq!(driver.run_status(), "completed");
    assert_eq!(driver.record("is_there").skipped_ports, ["true"]);
    assert_eq!(driver.outputs()["out"], json!({"photo": null}));
}

#[test]
fn a_picture_that_is_left_out_of_a_call_is_not_there_inside() {
    let mut definition = flow(json!([
        {"id": "photo", "type": "image_input", "config": {"required": false}},
        {"id": "call", "type": "sub_workflow", "inputs": {"picture": "$inputs.photo"}, "config": {"workflow": "inside"}},
        output(json!({"small": "$nodes.call.small", "n": 1})),
    ]));
    definition["workflows"] = json!({"inside": {"nodes": [
        {"id": "picture", "type": "image_input", "config": {"required": false}},
        job("small", "$inputs.picture"),
        {"id": "gives", "type": "json_output", "inputs": {"small": "$nodes.small.image", "picture": "$inputs.picture"}},
    ]}});
    let driver = Driver::begin(&definition, json!({"photo": null}));
    assert_eq!(driver.run_status(), "completed");
    assert_eq!(driver.status("call/small"), "skipped");
}
