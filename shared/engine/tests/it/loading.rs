//! A run that is loaded goes on as the one in memory would have. `Driver::step` compares the two at every step of every
//! test; here is what loading itself must refuse, and what only loading has to do.

use std::collections::HashMap;

use millrace_contracts::{ErrorKind, EventType, ExecutionStatus, JobError};
use millrace_engine::{Execution, LoadError, Settings, snapshot};
use serde_json::json;

use crate::support::driver::Driver;
use crate::support::flow::{collect, compile, each, input, job, workflow};

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
    for field in &effects.unreadable {
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
