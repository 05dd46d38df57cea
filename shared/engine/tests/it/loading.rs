//! A run that is loaded goes on as the one in memory would have. `Driver::step` compares the two at every step of every
//! test; here is what loading itself must refuse, and what only loading has to do.

use std::collections::HashMap;

use millrace_contracts::{ErrorKind, EventType, ExecutionStatus, JobError};
use millrace_engine::{Ask, Effects, Execution, Hit, Input, LoadError, Reusable, Settings, snapshot};
use serde_json::json;

use crate::support::blobs::Blobs;
use crate::support::driver::{Driver, go_on};
use crate::support::flow::{
    START, accepted, collect, compile, condition, each, execution, input, job, map, output, workflow,
};
use crate::support::work::{completed, report};

fn load(driver: &Driver, fields: &HashMap<String, Vec<u8>>) -> Result<(), LoadError> {
    Execution::load(driver.plan.clone(), fields, Settings::default()).map(|_| ())
}

#[test]
fn damaged_records_are_refused_by_name() {
    let driver = Driver::begin(&workflow(&[job("a", "$inputs.photo")]), input(0, &[]));
    for missing in ["meta", "accepted"] {
        let mut fields = driver.fields.clone();
        fields.remove(missing);
        assert!(matches!(load(&driver, &fields), Err(LoadError::Missing(name)) if name == missing));
    }
    let mut fields = driver.fields.clone();
    fields.insert("n:a".into(), b"{".to_vec());
    assert!(matches!(load(&driver, &fields), Err(LoadError::Damaged { field, .. }) if field == "n:a"));
    let other = compile(&workflow(&[job("b", "$inputs.photo")]));
    assert!(matches!(
        Execution::load(other, &driver.fields, Settings::default()),
        Err(LoadError::UnknownNode(field)) if field == "n:a"
    ));
}

#[test]
fn the_accepted_run_is_found_without_its_workflow() {
    let driver = Driver::begin(&workflow(&[job("a", "$inputs.photo")]), input(0, &[]));
    assert_eq!(&Execution::accepted_in(&driver.fields).unwrap(), driver.run.accepted());
}

#[test]
fn a_step_stores_what_it_changed_and_no_more() {
    let definition = workflow(&[
        each("each", "$inputs.list", json!({"max_parallel": 10_000})),
        job("work", "$nodes.each.item"),
        collect("all", "$nodes.work.image"),
    ]);
    let mut driver = Driver::begin(&definition, input(300, &[]));
    let fields: Vec<String> = driver.done("work[7]").fields.keys().cloned().collect();
    assert_eq!(fields, ["meta", "n:work[7]"]);
}

#[test]
fn a_loop_that_is_over_keeps_its_items_for_a_collect_that_waits_for_others_too() {
    let find = json!({"id": "find", "type": "detection", "inputs": {"image": "$inputs.photo"},
        "config": {"model_id": "m"}});
    let crop = json!({"id": "crop", "type": "crop",
        "inputs": {"image": "$inputs.photo", "detections": "$nodes.find.detections"},
        "config": {"mode": "detections"}});
    let gathered =
        json!({"it": "$nodes.each.item", "made": "$nodes.work.image", "slow": "$nodes.slow.image"});
    let definition = workflow(&[
        find,
        crop,
        each("each", "$nodes.crop.crops", json!({})),
        job("work", "$nodes.each.item"),
        job("slow", "$inputs.photo"),
        json!({"id": "all", "type": "collect", "inputs": {"item": gathered}}),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    driver.complete("find", json!({"detections": {}, "count": 2, "classes": []}));
    let list = driver.blobs.put(json!([{"crop": 0}, {"crop": 1}]));
    driver.complete("crop", json!({"crops": list, "detections": []}));
    driver.done("work[0]");
    driver.done("work[1]");
    driver.reload();
    driver.done("slow");
    let item =
        |number: usize| json!({"it": {"crop": number}, "made": format!("work[{number}]"), "slow": "slow"});
    assert_eq!(driver.outputs()["out"]["items"], json!([item(0), item(1)]));
}

/// A loop of logic alone: without a bound it is walked whole in one step.
fn logic(items: usize) -> Driver {
    let definition = workflow(&[
        each("each", "$inputs.list", json!({"max_parallel": 2})),
        condition("pass", "$nodes.each.item", "true"),
        collect("all", "$nodes.pass.true"),
        output(json!({"count": "$nodes.all.count"})),
    ]);
    Driver::begin(&definition, input(items, &[]))
}

#[test]
fn a_step_has_a_bound_and_what_it_leaves_is_known_to_whoever_loads_the_run() {
    let whole = logic(30);
    assert_eq!(whole.outputs()["out"]["count"], 30);
    let accepted = whole.run.accepted().clone();
    let settings = Settings { step_limit: 3, ..Settings::default() };
    let (mut run, mut effects) =
        Execution::begin(whole.plan.clone(), accepted, settings, Vec::new(), whole.now);
    let (mut fields, mut log) = (HashMap::new(), Vec::new());
    loop {
        assert!(effects.durable.len() <= 3 + 2, "a step goes no further: {:?}", effects.durable);
        fields.extend(run.changed_fields(&effects));
        log.append(&mut effects.durable);
        if run.is_terminal() {
            break;
        }
        assert!(!run.is_resting());
        (run, _) = Execution::load(whole.plan.clone(), &fields, settings).unwrap();
        effects = run.step(Input::Continue, whole.now);
        assert!(effects.needs_commit(), "every step brings the run on");
    }
    assert_eq!(run.outputs(), whole.outputs());
    assert_eq!(log.len(), whole.log.len());
}

#[test]
fn messages_that_come_while_something_is_left_do_not_lengthen_a_step() {
    let definition = workflow(&[
        job("a", "$inputs.photo"),
        job("b", "$inputs.photo"),
        each("each", "$inputs.list", json!({})),
        condition("pass", "$nodes.each.item", "true"),
        collect("all", "$nodes.pass.true"),
        output(json!({"count": "$nodes.all.count", "a": "$nodes.a.image"})),
    ]);
    let accepted = accepted(1, map(input(30, &[])));
    let settings = Settings { step_limit: 8, ..Settings::default() };
    let (mut run, effects) = Execution::begin(compile(&definition), accepted, settings, Vec::new(), START);
    let mut jobs = effects.jobs;
    while jobs.len() < 2 {
        jobs.extend(run.step(Input::Continue, START).jobs);
    }
    assert!(run.is_unfinished());
    for (job, _) in &jobs {
        let done = report(job, "w1", START, completed(map(json!({"image": job.node_id}))));
        assert_eq!(run.step(Input::Message(done), START).durable.len(), 1, "its own end and no more");
    }
    while run.is_unfinished() {
        run.step(Input::Continue, START);
    }
    assert_eq!(run.outputs()["out"], json!({"count": 30, "a": "a"}));
}

#[test]
fn what_the_shell_answers_at_once_does_not_lengthen_a_step() {
    let definition = workflow(&[
        each("one", "$inputs.list", json!({})),
        condition("pass", "$nodes.one.item", "true"),
        collect("all", "$nodes.pass.true"),
        each("other", "$inputs.list", json!({})),
        job("work", "$nodes.other.item"),
        output(json!({"count": "$nodes.all.count"})),
    ]);
    let mut blobs = Blobs::default();
    let list = blobs.put((0..30).map(|number| json!({"item": number})).collect());
    let accepted = accepted(1, map(json!({"photo": {}, "list": list, "lists": [], "n": 3})));
    let settings = Settings { step_limit: 8, ..Settings::default() };
    let (mut run, mut effects) =
        Execution::begin(compile(&definition), accepted, settings, Vec::new(), START);
    go_on(&mut run, &mut effects, START);
    assert_eq!(effects.shell.len(), 2);
    for work in effects.shell {
        let items = blobs.perform(&run, work);
        let opened = run.step(items, START);
        assert_eq!((opened.durable.len(), opened.jobs.len()), (1, 0), "its own end and no more");
    }
    let mut made = Effects::default();
    while made.asks.is_empty() {
        made.append(run.step(Input::Continue, START));
    }
    let result = |work: &Ask| Hit {
        key: work.key.clone(),
        attempt: work.attempt,
        model: None,
        result: Reusable {
            outputs: map(json!({"image": 1})),
            warnings: Vec::new(),
            origin: execution(2),
            at: START,
        },
    };
    let hits: Vec<Hit> = made.asks.iter().map(result).collect();
    let found = run.step(Input::Cached(hits.clone()), START);
    assert_eq!(found.durable.len(), hits.len(), "their own ends and no more");
    go_on(&mut run, &mut made, START);
    assert_eq!(run.outputs()["out"]["count"], 30);
}

#[test]
fn work_that_the_shell_gives_back_is_asked_for_again() {
    let definition = workflow(&[
        job("a", "$inputs.photo"),
        json!({"id": "if", "type": "condition", "inputs": {"value": "$inputs.n", "a": "$nodes.a.image"},
            "config": {"if": "a.width > 5"}}),
    ]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    let reference = driver.blobs.put(json!({"width": 9}));
    let done = report(&driver.job("a"), "w1", START, completed(map(json!({"image": reference}))));
    let asked = driver.run.step(Input::Message(done), START).shell;
    driver.run.take_back(asked.clone());
    assert!(driver.run.is_unfinished());
    let again = driver.run.step(Input::Continue, START).shell;
    assert_eq!((again.len(), &again), (1, &asked));
    let worked = driver.blobs.perform(&driver.run, again[0].clone());
    driver.run.step(worked, START);
    driver.run.step(Input::Continue, START);
    assert!(driver.run.is_terminal());
}

#[test]
fn a_run_that_ended_loads_and_stays_ended() {
    let mut driver = Driver::begin(&workflow(&[job("a", "$inputs.photo")]), input(0, &[]));
    driver.done("a");
    driver.reload();
    assert!(driver.run.is_terminal());
    assert!(!driver.done("a").needed);
}

#[test]
fn a_run_that_makes_no_sense_any_more_fails_where_it_stands() {
    let mut driver =
        Driver::begin(&workflow(&[job("a", "$inputs.photo"), job("b", "$nodes.a.image")]), input(0, &[]));
    driver.done("a");
    let (before, error) = (driver.run.meta().clone(), JobError::new(ErrorKind::Internal, "it does not read"));
    let mut fields = driver.fields.clone();
    fields.insert("n:a".into(), b"{".to_vec());
    let give_up = |fields: &HashMap<String, Vec<u8>>| {
        Execution::give_up(fields, Settings::default(), error.clone(), driver.now)
    };
    let (run, effects) = give_up(&fields).unwrap().unwrap();
    let [end] = &effects.durable[..] else { panic!("one event: {:?}", effects.durable) };
    assert_eq!((&end.kind, end.seq), (&EventType::WorkflowFailed, Some(before.seq + 1)));
    assert!(effects.abandon_all && effects.jobs.is_empty());
    for field in &effects.removed {
        fields.remove(field);
    }
    fields.extend(run.changed_fields(&effects));
    let shown = snapshot(&fields, 100).unwrap();
    assert_eq!((shown.status, shown.progress.running), (ExecutionStatus::Failed, 0));
    let shows = |id: &str| shown.nodes.iter().any(|node| node.node_id.as_str() == id);
    assert!(shows("b") && !shows("a"), "what reads is kept");
    assert!(give_up(&fields).unwrap().is_none(), "it ends once");
    fields.remove("accepted");
    assert!(matches!(give_up(&fields), Err(LoadError::Missing("accepted"))));
}
