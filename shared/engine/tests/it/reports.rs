//! Reports: the attempt is the fencing token; the first final report on it counts.

use millrace_contracts::ErrorKind::InvalidInput;
use millrace_contracts::job::JobOutcome;
use millrace_contracts::message::Message;
use millrace_contracts::{EventType, Job, JobId};
use millrace_engine::Noop;
use serde_json::{Map, json};

use crate::support::driver::Driver;
use crate::support::flow::{input, job, map, with, workflow};
use crate::support::work::{completed, failed, report};

fn running() -> Driver {
    Driver::begin(&workflow(&[job("a", "$inputs.photo"), job("b", "$nodes.a.image")]), input(0, &[]))
}

fn say(driver: &mut Driver, job: &Job, outcome: JobOutcome) -> Option<Noop> {
    let message = report(job, "w1", driver.now, outcome);
    driver.step(&[message]).noop
}

#[test]
fn what_is_void_is_counted_by_its_reason_and_changes_nothing() {
    let mut driver = running();
    let a = driver.job("a");
    let nobody = Job { node_id: "nobody".into(), ..a.clone() };
    assert_eq!(say(&mut driver, &nobody, completed(Map::new())), Some(Noop::Unknown));
    let unstarted = Job { node_id: "b".into(), ..a.clone() };
    assert_eq!(say(&mut driver, &unstarted, completed(Map::new())), Some(Noop::Unknown));
    let elsewhere = Job { path: a.path.child(1), ..a.clone() };
    assert_eq!(say(&mut driver, &elsewhere, completed(Map::new())), Some(Noop::Unknown));
    let future = Job { attempt: 2, ..a.clone() };
    assert_eq!(say(&mut driver, &future, completed(Map::new())), Some(Noop::Stale));
    driver.done("a");
    assert_eq!(say(&mut driver, &a, failed(InvalidInput)), Some(Noop::Duplicate));
    driver.done("b");
    assert_eq!(say(&mut driver, &a, failed(InvalidInput)), Some(Noop::RunEnded));
}

#[test]
fn a_start_is_told_once_and_again_when_another_worker_takes_over() {
    let mut driver = running();
    let a = driver.job("a");
    assert_eq!(say(&mut driver, &a, JobOutcome::Started), None);
    assert_eq!(driver.last.live.len(), 1);
    assert_eq!(say(&mut driver, &a, JobOutcome::Started), Some(Noop::Duplicate));
    let later = driver.now.after(std::time::Duration::from_millis(7));
    driver.step(&[report(&a, "w2", later, JobOutcome::Started)]);
    assert_eq!(driver.record("a").worker_id, Some("w2".into()));
    driver.step(&[report(&a, "w3", later, completed(map(json!({"image": 1}))))]);
    assert_eq!(driver.record("a").worker_id, Some("w3".into()), "whoever did it");
}

fn told(driver: &Driver) -> Vec<EventType> {
    driver.last.live.iter().map(|(_, event)| event.kind).collect()
}

#[test]
fn an_end_may_tell_of_the_start_too() {
    let mut driver = running();
    let a = driver.job("a");
    let end = |job: &Job, outcome, driver: &Driver| {
        let mut message = report(job, "w1", driver.now, outcome);
        if let Message::Report { with_start, .. } = &mut message {
            *with_start = true;
        }
        message
    };
    let done = end(&a, completed(map(json!({"image": 1}))), &driver);
    driver.step(&[done]);
    assert!(told(&driver).contains(&EventType::NodeStarted));
    let (_, started) =
        driver.last.live.iter().find(|(_, event)| event.kind == EventType::NodeStarted).unwrap();
    assert_eq!(started.data["started_at"], json!(driver.record("a").started_at));
    let b = driver.job("b");
    assert_eq!(say(&mut driver, &b, JobOutcome::Started), None);
    let done = end(&b, completed(map(json!({"image": 1}))), &driver);
    driver.step(&[done]);
    assert!(!told(&driver).contains(&EventType::NodeStarted), "it was told of before");
}

#[test]
fn a_result_may_come_before_its_start() {
    let mut driver = running();
    let a = driver.job("a");
    driver.done("a");
    assert_eq!(say(&mut driver, &a, JobOutcome::Started), Some(Noop::Duplicate));
    assert!(driver.record("a").started_at.is_some());
}

#[test]
fn warnings_go_with_the_result() {
    let mut driver = running();
    let outcome = JobOutcome::Completed {
        outputs: map(json!({"image": 1})),
        metrics: Box::default(),
        warnings: vec!["an empty crop was dropped".to_owned()],
    };
    driver.report("a", outcome);
    let told = driver.log.last().unwrap();
    assert_eq!(told.data["warnings"], json!(["an empty crop was dropped"]));
    assert_eq!(told.data["job"]["id"], json!(driver.job("a").id));
}

#[test]
fn a_job_says_where_it_goes_and_who_it_is() {
    let find = json!({"id": "find", "type": "detection", "inputs": {"image": "$inputs.photo"},
        "config": {"model_id": "shapes"}});
    let pinned = with(job("a", "$inputs.photo"), json!({"pool": "heavy", "priority": "high"}));
    let driver = Driver::begin(&workflow(&[find, pinned]), input(0, &[]));
    let (find, a) = (driver.job("find"), driver.job("a"));
    assert_eq!(find.model.unwrap().id.as_str(), "shapes");
    assert_eq!((a.model, a.pool.as_str(), a.priority.as_str()), (None, "heavy", "high"));
    assert_eq!(a.id, JobId::of(a.execution_id, &a.node_id, &a.path, 1));
    assert_eq!(a.config["width"], 8);
}

#[test]
fn jobs_without_a_result_are_sent_again_the_same() {
    let definition =
        workflow(&[job("a", "$inputs.photo"), job("b", "$inputs.photo"), job("c", "$inputs.photo")]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    driver.report("a", JobOutcome::Started);
    driver.done("b");
    driver.now = driver.now.after(std::time::Duration::from_secs(9));
    for _ in 0..2 {
        let resent = driver.wake();
        assert!(!resent.needs_commit());
        let jobs: Vec<Job> = resent.jobs.into_iter().map(|(job, _)| job).collect();
        assert_eq!(jobs, [driver.job("a"), driver.job("c")]);
        driver.reload();
    }
    driver.cancel();
    assert!(driver.wake().jobs.is_empty());
}

#[test]
fn a_job_that_a_step_sends_anyway_is_not_sent_twice() {
    let mut driver = running();
    let message = report(&driver.job("a"), "w1", driver.now, completed(map(json!({"image": 1}))));
    let mut effects = driver.run.step(millrace_engine::Input::Message(message), driver.now);
    assert_eq!(effects.jobs.len(), 1);
    let resent = driver.wake();
    assert_eq!(resent.jobs.len(), 1);
    effects.append_unsent(resent);
    assert_eq!(effects.jobs.len(), 1);
}

#[test]
fn a_wake_up_changes_nothing_and_sends_what_is_out_again() {
    let mut driver = running();
    driver.report("a", JobOutcome::Started);
    let execution_id = driver.run.accepted().execution_id;
    let sent = driver.job("a");
    let commit = driver.step(&[Message::Wake { execution_id }]);
    assert!(!commit.needed);
    assert_eq!(commit.jobs.iter().map(|(job, _)| job).collect::<Vec<_>>(), [&sent]);
}
