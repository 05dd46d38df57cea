//! A run that is loaded goes on as the one in memory would have. `Driver::step` compares the two at every step of every
//! test; here is what loading itself must refuse, and what only loading has to do.

use std::collections::HashMap;

use millrace_engine::{Execution, LoadError, Settings};
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
