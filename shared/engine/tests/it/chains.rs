//! Transforms in a row: one job, as many node runs.

use millrace_contracts::chain::MOST_CHAINED;
use millrace_contracts::job::JobOutcome;
use millrace_contracts::message::Message;
use millrace_contracts::{ErrorKind, EventType, Job, UnixMillis};
use millrace_engine::Settings;
use serde_json::{Value, json};

use crate::support::driver::{Driver, told as told_of};
use crate::support::{flow, work};

/// `a` to `e`, each on the picture of the one before.
fn five() -> Vec<Value> {
    let mut source = "$inputs.photo".to_owned();
    let node = |id: &str| {
        let node = flow::job(id, &source);
        source = format!("$nodes.{id}.image");
        node
    };
    ["a", "b", "c", "d", "e"].map(node).to_vec()
}

fn begin(nodes: &[Value]) -> Driver {
    Driver::begin(&flow::workflow(nodes), flow::input(2, &[]))
}

/// The nodes that go with the job of `place`.
fn then(driver: &Driver, place: &str) -> Vec<String> {
    driver.job(place).then.iter().map(|follow_up| follow_up.node_id.to_string()).collect()
}

/// A report on the job of `place` and on `most` of those that follow; those named in `failing` fail.
fn report(driver: &Driver, place: &str, most: usize, failing: &[&str]) -> Message {
    work::report_on_chain(&driver.job(place), ("w1", driver.now), most, |job: &Job| {
        if failing.contains(&job.node_id.as_str()) {
            work::failed(ErrorKind::InvalidInput)
        } else {
            let from = &job.inputs["image"];
            work::completed(flow::map(json!({"image": {"by": job.node_id, "from": from}})))
        }
    })
}

/// What an operator is told in the last step, in its order.
fn told(driver: &Driver) -> Vec<String> {
    let seq = |event: &millrace_contracts::Event| event.seq.unwrap();
    let durable = driver.last.durable.iter().map(|event| (seq(event), 0, told_of(event)));
    let live = driver.last.live.iter().map(|(behind, event)| (*behind, 1, told_of(event)));
    let mut all: Vec<_> = durable.chain(live).collect();
    all.sort_by_key(|(seq, live, _)| (*seq, *live));
    all.into_iter().map(|(_, _, told)| told).collect()
}

#[test]
fn what_is_to_be_skipped_for_want_of_one_of_its_inputs_goes_with_nobody() {
    for (truth, together, status) in [("true", vec!["hide"], "completed"), ("false", vec![], "skipped")] {
        let hide = json!({"id": "hide", "type": "blur_region", "inputs": {
            "image": "$nodes.a.image", "detections": "$nodes.faces.true", "masks": "$nodes.plates.true"}});
        let found = json!({"id": "found", "type": "parameter_input", "config": {"kind": "any"}});
        let condition = |id: &str, truth: &str| flow::condition(id, "$inputs.found", truth);
        // Before `a` begins, the branches have been decided.
        let first = flow::with(flow::job("first", "$inputs.photo"), json!({"timeout_ms": 1000}));
        let a = flow::job("a", "$nodes.first.image");
        let nodes = [found, condition("faces", truth), condition("plates", "false"), first, a, hide];
        let mut driver = begin(&nodes);
        driver.done("first");
        assert_eq!(then(&driver, "a"), together, "{truth}");
        driver.finish_all();
        assert_eq!(driver.status("hide"), status, "{truth}");
    }
}

#[test]
fn five_transforms_are_one_job_and_five_node_runs() {
    let mut driver = begin(&five());
    assert_eq!(driver.places(), ["a#1"]);
    assert_eq!(then(&driver, "a"), ["b", "c", "d", "e"]);
    let message = report(&driver, "a", 4, &[]);
    driver.step(&[message]);
    let of_follower =
        |node: &str| ["node:queued", "node:started", "node:completed"].map(|kind| format!("{kind} {node}"));
    let mut expected = vec!["node:completed a".to_owned()];
    expected.extend(["b", "c", "d", "e"].into_iter().flat_map(of_follower));
    expected.push("completed".to_owned());
    assert_eq!(told(&driver), expected);
    assert_eq!(driver.places(), ["a#1"], "nothing else was sent");
    assert_eq!(driver.run_status(), "completed");
    assert_eq!(driver.run.meta().jobs_completed, 5);
    assert_eq!(driver.record("e").outputs.unwrap()["image"]["from"]["by"], "d");
}

#[test]
fn what_a_report_leaves_out_is_a_job_again() {
    let mut driver = begin(&five());
    let message = report(&driver, "a", 1, &[]);
    driver.step(&[message]);
    assert_eq!(driver.places(), ["a#1", "c#1"]);
    assert_eq!(then(&driver, "c"), ["d", "e"]);
    let message = report(&driver, "c", 0, &[]);
    driver.step(&[message]);
    assert_eq!(driver.places(), ["a#1", "c#1", "d#1"]);
    let message = report(&driver, "d", 1, &[]);
    driver.step(&[message]);
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn the_same_report_again_and_one_of_another_copy_change_nothing() {
    let mut driver = begin(&five());
    let (short, long) = (report(&driver, "a", 1, &[]), report(&driver, "a", 4, &[]));
    driver.step(std::slice::from_ref(&short));
    for late in [short, long] {
        let commit = driver.step(&[late]);
        assert!(commit.noop.is_some() && !commit.needed, "{commit:?}");
    }
    assert_eq!(driver.status("c"), "queued");
}

#[test]
fn one_that_fails_fails_for_itself() {
    let mut driver = begin(&five());
    let message = report(&driver, "a", 4, &["c"]);
    driver.step(&[message]);
    assert_eq!(driver.run_status(), "failed");
    let ends = ["a", "b", "c", "d", "e"].map(|node| driver.status(node));
    assert_eq!(ends, ["completed", "completed", "failed", "cancelled", "cancelled"]);
    assert_eq!(driver.run.meta().error.as_ref().unwrap().node.as_ref().unwrap().as_str(), "c");
    let failed = driver.log.iter().find(|event| event.kind == EventType::NodeFailed).unwrap();
    assert_eq!(failed.data["job"]["id"], json!(driver.job("a").then[1].id), "it had a job of its own");
}

#[test]
fn policies_hold_for_those_that_follow() {
    let mut nodes = five();
    nodes[1] = flow::with(
        nodes[1].clone(),
        json!({"retry": {"max_attempts": 2, "initial_ms": 50, "jitter": 0, "on": ["INVALID_INPUT"]}}),
    );
    nodes[3] = flow::with(nodes[3].clone(), json!({"on_error": {"default": {"image": {"spare": true}}}}));
    let mut driver = begin(&nodes);
    let message = report(&driver, "a", 4, &["b"]);
    driver.step(&[message]);
    assert_eq!((driver.status("a"), driver.status("b")), ("completed".to_owned(), "pending".to_owned()));
    driver.advance(100);
    assert_eq!(driver.places(), ["a#1", "b#2"]);
    let message = report(&driver, "b", 4, &["d"]);
    driver.step(&[message]);
    assert_eq!(driver.status("d"), "failed");
    assert_eq!(driver.job("e").inputs["image"], json!({"spare": true}));
}

#[test]
fn each_has_its_own_times() {
    let mut driver = begin(&five());
    let mut message = report(&driver, "a", 1, &[]);
    let at = |ms: i64| UnixMillis(flow::START.0 + ms);
    if let Message::Report { report, then, .. } = &mut message {
        (report.started_at, report.ended_at) = (at(1), Some(at(4)));
        (then[0].report.started_at, then[0].report.ended_at) = (at(4), Some(at(9)));
    }
    driver.now = at(20);
    driver.step(&[message]);
    let times = |node: &str| {
        let record = driver.record(node);
        (record.queued_at, record.started_at, record.completed_at)
    };
    assert_eq!(times("a"), (Some(at(0)), Some(at(1)), Some(at(4))));
    assert_eq!(times("b"), (Some(at(4)), Some(at(4)), Some(at(9))));
}

#[test]
fn what_is_known_goes_along_and_what_is_not_ends_the_chain() {
    // `c` needs the model's result, which is there only later.
    let model = json!({"id": "m", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}});
    let draw = json!({"id": "c", "type": "draw_boxes", "inputs": {"image": "$nodes.b.image", "detections": "$nodes.m.detections"}});
    let nodes = [
        model,
        flow::job("a", "$inputs.photo"),
        flow::job("b", "$nodes.a.image"),
        draw,
        flow::job("d", "$nodes.c.image"),
    ];
    let mut driver = begin(&nodes);
    assert_eq!(then(&driver, "a"), ["b"]);
    driver.complete("m", json!({"detections": {"items": []}, "count": 0, "classes": []}));
    let again = driver.wake().jobs;
    let names: Vec<_> = again[0].0.then.iter().map(|follow_up| follow_up.node_id.as_str()).collect();
    assert_eq!(names, ["b", "c", "d"], "said again when more is known, it takes more along");
    assert_eq!(again[0].0.then[1].inputs["detections"], json!({"items": []}));
    let message = report(&driver, "a", 1, &[]);
    driver.step(&[message]);
    assert_eq!(then(&driver, "c"), ["d"]);
}

#[test]
fn an_input_that_may_be_left_out_is_waited_for_all_the_same() {
    let model = json!({"id": "m", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}});
    let crop = json!({"id": "b", "type": "crop", "config": {"mode": "detections"},
        "inputs": {"image": "$nodes.a.image", "detections": "$nodes.m.detections"}});
    let driver = begin(&[model, flow::job("a", "$inputs.photo"), crop]);
    assert!(then(&driver, "a").is_empty());
}

#[test]
fn what_was_recorded_as_done_does_not_follow() {
    let mut nodes = five();
    nodes[0] = flow::with(nodes[0].clone(), json!({"on_error": {"default": {"image": {"spare": true}}}}));
    let mut before = begin(&nodes);
    before.fail("a", ErrorKind::InvalidInput);
    let message = report(&before, "b", 0, &[]);
    before.step(&[message]);
    // `b` was done with what stands for `a`; `a` itself is tried again.
    let accepted = millrace_contracts::message::Accepted { epoch: 2, ..before.run.accepted().clone() };
    let history = vec![before.record("b")];
    let driver = Driver::start(&flow::workflow(&nodes), accepted, Settings::default(), history);
    assert_eq!(driver.places(), ["a#1"]);
    assert!(then(&driver, "a").is_empty());
}

#[test]
fn nobody_waits_longer_because_of_a_chain() {
    let at = |id: &str, image: &str| flow::job(id, image);
    let beside = |a: &str, b: &str| json!({"id": "both", "type": "comparison", "inputs": {"a": a, "b": b}});
    let slow = flow::with(at("b", "$nodes.a.image"), json!({"timeout_ms": 1000}));
    let elsewhere = flow::with(at("b", "$nodes.a.image"), json!({"pool": "heavy"}));
    let urgent = flow::with(at("b", "$nodes.a.image"), json!({"priority": "high"}));
    let branch = flow::condition("if", "$nodes.a.image", "true");
    let looks = flow::output(json!({"first": "$nodes.a.image"}));
    let cases: [(&str, Vec<Value>, &[&str]); 7] = [
        ("two readers", vec![at("b", "$nodes.a.image"), at("c", "$nodes.a.image")], &[]),
        (
            "one waits for the other",
            vec![at("b", "$nodes.a.image"), beside("$nodes.a.image", "$nodes.b.image")],
            &["b", "both"],
        ),
        ("a limit on its time", vec![slow], &[]),
        ("another pool", vec![elsewhere], &[]),
        ("another priority", vec![urgent], &[]),
        ("a branch", vec![branch, at("b", "$nodes.if.true")], &[]),
        ("an output of the run", vec![at("b", "$nodes.a.image"), looks], &["b"]),
    ];
    for (name, nodes, expected) in cases {
        let nodes: Vec<Value> = std::iter::once(at("a", "$inputs.photo")).chain(nodes).collect();
        assert_eq!(then(&begin(&nodes), "a"), expected, "{name}");
    }
}

#[test]
fn items_of_a_loop_have_chains_of_their_own() {
    let nodes = [
        flow::each("each", "$inputs.list", json!({})),
        flow::job("a", "$nodes.each.item"),
        flow::job("b", "$nodes.a.image"),
        flow::collect("all", "$nodes.b.image"),
        json!({"id": "grid", "type": "grid_builder", "inputs": {"images": "$nodes.all.items"}}),
    ];
    let mut driver = begin(&nodes);
    assert_eq!(driver.places(), ["a[0]#1", "a[1]#1"]);
    for place in ["a[1]", "a[0]"] {
        assert_eq!(then(&driver, place), ["b"]);
        let message = report(&driver, place, 1, &[]);
        driver.step(&[message]);
    }
    let images = driver.job("grid").inputs["images"].clone();
    assert_eq!(
        (&images[0]["from"]["from"], &images[1]["from"]["from"]),
        (&json!({"item": 0}), &json!({"item": 1}))
    );
}

#[test]
fn what_is_done_needs_no_place_under_max_concurrency() {
    let mut definition = flow::workflow(&[
        flow::job("a", "$inputs.photo"),
        flow::job("b", "$nodes.a.image"),
        flow::job("z", "$inputs.photo"),
    ]);
    definition["max_concurrency"] = json!(1);
    let mut driver = Driver::begin(&definition, flow::input(0, &[]));
    assert_eq!(driver.places(), ["a#1"]);
    let message = report(&driver, "a", 1, &[]);
    driver.step(&[message]);
    assert_eq!(
        (driver.status("b"), driver.places()),
        ("completed".to_owned(), vec!["a#1".to_owned(), "z#1".to_owned()])
    );
}

#[test]
fn the_setting_bounds_a_chain() {
    let mut source = "$inputs.photo".to_owned();
    let many: Vec<Value> = (0..30)
        .map(|number| {
            let node = flow::job(&format!("n{number}"), &source);
            source = format!("$nodes.n{number}.image");
            node
        })
        .collect();
    for (chain_nodes, expected) in [(1, 0), (3, 2), (1000, MOST_CHAINED - 1)] {
        let settings = Settings { chain_nodes, ..Settings::default() };
        let accepted = flow::accepted(1, flow::map(flow::input(0, &[])));
        let driver = Driver::start(&flow::workflow(&many), accepted, settings, Vec::new());
        assert_eq!(driver.job("n0").then.len(), expected);
    }
    // What weighs much stays behind.
    let config = json!({"pad_color": "#000000", "width": 8, "mode": "letterbox"});
    let heavy = json!({"id": "heavy", "type": "draw_boxes", "inputs": {"image": "$nodes.a.image", "detections": "$inputs.found"}});
    let parameter = json!({"id": "found", "type": "parameter_input", "config": {"kind": "detections"}});
    let nodes = [parameter, flow::with(flow::job("a", "$inputs.photo"), json!({"config": config})), heavy];
    let mut input = flow::input(0, &[]);
    input["found"] = json!((0..2000).map(|number| json!({"bbox": [0, 0, number, 9]})).collect::<Vec<_>>());
    assert!(then(&Driver::begin(&flow::workflow(&nodes), input), "a").is_empty());
}

#[test]
fn results_of_those_that_follow_may_be_used_by_others() {
    let mut driver = begin(&five());
    let message = report(&driver, "a", 4, &[]);
    let effects = driver.run.step(millrace_engine::Input::Message(message), driver.now);
    let made: Vec<_> = effects.made.iter().map(|made| made.content).collect();
    assert_eq!(made.len(), 5);
    // The keys are those under which the jobs by themselves are looked for.
    let alone = {
        let mut driver = begin(&five());
        let message = report(&driver, "a", 0, &[]);
        driver.run.step(millrace_engine::Input::Message(message), driver.now).asks[0].content
    };
    assert_eq!(made[1], alone);
}

#[test]
fn a_report_that_speaks_of_strangers_is_taken_for_what_it_is_about() {
    let mut driver = begin(&five());
    let mut message = report(&driver, "a", 3, &[]);
    if let Message::Report { then, .. } = &mut message {
        // Of nobody; of another job than it says; of one that has not ended.
        then[0].node_id = "nobody".into();
        then[1].node_id = "b".into();
        then[2].report.outcome = JobOutcome::Started;
    }
    driver.step(&[message]);
    assert_eq!(driver.status("a"), "completed");
    assert_eq!(driver.places(), ["a#1", "b#1"]);
}

#[test]
fn what_is_said_of_a_first_attempt_is_not_taken_for_the_next() {
    let retry = |ms: u64| json!({"retry": {"max_attempts": 3, "initial_ms": ms, "jitter": 0, "on": ["INVALID_INPUT"]}});
    let nodes = [
        flow::with(flow::job("a", "$inputs.photo"), retry(50)),
        flow::with(flow::job("z", "$inputs.photo"), retry(10)),
    ];
    let mut definition = flow::workflow(&nodes);
    definition["max_concurrency"] = json!(1);
    let mut driver = Driver::begin(&definition, flow::input(0, &[]));
    driver.fail("a", ErrorKind::InvalidInput);
    let first = driver.job("z");
    driver.advance(45);
    driver.fail("z", ErrorKind::InvalidInput);
    driver.advance(20);
    assert_eq!(driver.places(), ["a#1", "z#1", "a#2"], "z stands in line");
    let mut message = report(&driver, "a", 0, &[]);
    let late = report(&driver, "a", 0, &[]);
    if let (Message::Report { then, .. }, Message::Report { report, .. }) = (&mut message, late) {
        let report = millrace_contracts::JobReport { job_id: first.id, ..*report };
        then.push(millrace_contracts::FollowUpReport { node_id: "z".into(), report });
    }
    driver.step(&[message]);
    assert_eq!((driver.status("z"), driver.job("z").attempt), ("queued".to_owned(), 2));
}
