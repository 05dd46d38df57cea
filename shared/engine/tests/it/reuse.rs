//! Results by content: who is asked for, what a hit does, and what it must not do.

use millrace_contracts::job::JobOutcome;
use millrace_contracts::message::{Accepted, RerunOf};
use millrace_contracts::{JobMetrics, ModelDigest};
use millrace_engine::{ContentKey, Effects, Execution, Hit, Input, Noop, Reusable, Settings};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::flow::{self, collect, each, input, job, map, output, with, workflow};
use crate::support::work;

fn begin_of(definition: &Value) -> (Execution, Effects) {
    let accepted = flow::accepted(1, map(input(3, &[])));
    Execution::begin(flow::compile(definition), accepted, Settings::default(), Vec::new(), flow::START)
}

fn begin(nodes: &[Value]) -> (Execution, Effects) {
    begin_of(&workflow(nodes))
}

fn detect(id: &str) -> Value {
    json!({"id": id, "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}})
}

fn hit(effects: &Effects, at: usize) -> Hit {
    let ask = &effects.asks[at];
    let outputs = map(json!({"image": {"found": at}}));
    let result =
        Reusable { outputs, warnings: vec!["w".into()], origin: flow::execution(9), at: flow::START };
    Hit { key: ask.key.clone(), attempt: ask.attempt, model: None, result }
}

fn report(run: &mut Execution, job: &millrace_contracts::Job, outcome: JobOutcome) -> Effects {
    run.step(Input::Message(work::report(job, "w1", flow::START, outcome)), flow::START)
}

#[test]
fn a_hit_ends_the_node_run_without_a_job_and_the_next_is_asked_for_in_the_same_step() {
    let (mut run, mut effects) = begin(&[job("a", "$inputs.photo"), job("b", "$nodes.a.image")]);
    assert_eq!((effects.asks.len(), effects.jobs.len()), (1, 1));
    let hits = vec![hit(&effects, 0)];
    effects.asks.clear();
    effects.append(run.step(Input::Cached(hits), flow::START));
    let sent: Vec<&str> = effects.jobs.iter().map(|(job, _)| job.node_id.as_str()).collect();
    assert_eq!(sent, ["b"]);
    assert_eq!(effects.asks.len(), 1, "b is asked for in its turn");
    assert!(effects.abandon.is_empty(), "nobody has to be told of a job that was never sent");
    assert_eq!(effects.live.len(), 1, "only b was queued: {:?}", effects.live);
    assert_eq!((run.meta().jobs_pending, run.meta().jobs_completed), (1, 1));
    let told = effects.durable.iter().find(|event| event.node_id == Some("a".into())).unwrap();
    assert_eq!(told.data["metrics"]["cached"], true);
    assert_eq!(told.data["origin"], json!(flow::execution(9)));
    assert_eq!(told.data["warnings"], json!(["w"]));
    assert_eq!(told.data["worker_id"], Value::Null);
    assert_eq!(told.data["job"]["task"], "resize@1", "a hit leaves a row among the jobs");
    assert!(effects.made.is_empty(), "what was found is not kept again");
}

/// Whoever repeats a run wants it done again; what came before the node it begins at is taken over all the same.
#[test]
fn a_rerun_does_its_work_again_and_others_may_use_what_it_makes() {
    for from in [None, Some("a")] {
        let rerun_of = RerunOf { execution_id: flow::execution(9), from: from.map(Into::into) };
        let accepted = Accepted { rerun_of: Some(rerun_of), ..flow::accepted(1, map(input(3, &[]))) };
        let plan = flow::compile(&workflow(&[job("a", "$inputs.photo")]));
        let (mut run, effects) =
            Execution::begin(plan, accepted, Settings::default(), Vec::new(), flow::START);
        assert_eq!((effects.asks.len(), effects.jobs.len()), (0, 1), "{from:?}");
        let ended = report(&mut run, &effects.jobs[0].0, work::completed(map(json!({"image": {}}))));
        assert_eq!(ended.made.len(), 1);
    }
}

#[test]
fn a_hit_gives_its_place_to_the_next_in_line() {
    let mut definition = workflow(&[
        each("each", "$inputs.list", json!({})),
        job("a", "$nodes.each.item"),
        collect("all", "$nodes.a.image"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    definition["max_concurrency"] = json!(1);
    let (mut run, mut effects) = begin_of(&definition);
    let mut rounds = 0;
    while !effects.asks.is_empty() {
        assert_eq!(effects.asks.len(), 1);
        let hits = vec![hit(&effects, 0)];
        effects.asks.clear();
        effects.append(run.step(Input::Cached(hits), flow::START));
        rounds += 1;
    }
    assert!(run.is_terminal() && effects.jobs.is_empty());
    assert_eq!(rounds, 3);
}

#[test]
fn a_hit_for_an_attempt_that_is_over_or_begun_is_void() {
    let (mut run, effects) = begin(&[job("a", "$inputs.photo"), job("b", "$inputs.photo")]);
    let (first, second) = (hit(&effects, 0), hit(&effects, 1));
    let late = Hit { attempt: 2, ..first.clone() };
    assert_eq!(run.step(Input::Cached(vec![late]), flow::START).noop, Some(Noop::Stale));
    report(&mut run, &effects.jobs[1].0, JobOutcome::Started);
    let begun = run.step(Input::Cached(vec![second]), flow::START);
    assert_eq!(begun.noop, Some(Noop::Stale), "a worker has it by now");
    assert!(!begun.needs_commit());
    run.step(Input::Cached(vec![first.clone()]), flow::START);
    assert_eq!(run.step(Input::Cached(vec![first]), flow::START).noop, Some(Noop::Stale), "it ends once");
}

#[test]
fn a_hit_of_another_copy_than_the_runs_is_void() {
    let (mut run, effects) = begin(&[detect("a"), detect("b")]);
    assert!(effects.asks.iter().all(|ask| ask.model.as_ref().is_some_and(|model| model.digest.is_none())));
    let of = |at: usize, digest: &str| Hit { model: Some(("m".into(), digest.into())), ..hit(&effects, at) };
    assert_eq!(run.step(Input::Cached(vec![of(0, "one")]), flow::START).noop, None);
    assert_eq!(run.meta().models[&"m".into()], ModelDigest::from("one"));
    assert_eq!(run.step(Input::Cached(vec![of(1, "two")]), flow::START).noop, Some(Noop::Stale));
    assert!(!run.is_terminal());
}

#[test]
fn cache_off_and_blocks_of_the_orchestrators_own_are_neither_asked_for_nor_kept() {
    let off = with(job("a", "$inputs.photo"), json!({"cache": "off"}));
    let (mut run, effects) = begin(&[off, flow::condition("c", "$inputs.photo", "true")]);
    assert_eq!((effects.asks.len(), effects.jobs.len()), (0, 1));
    let after = report(&mut run, &effects.jobs[0].0, work::completed(map(json!({"image": 1}))));
    assert!(after.made.is_empty());
}

#[test]
fn what_a_worker_made_is_kept_under_the_key_it_was_asked_for() {
    let (mut run, effects) = begin(&[detect("a"), job("b", "$inputs.photo"), detect("c")]);
    let made_with = |digest: Option<&str>| JobOutcome::Completed {
        outputs: map(json!({"count": 0})),
        metrics: Box::new(JobMetrics { model_digest: digest.map(Into::into), ..JobMetrics::default() }),
        warnings: Vec::new(),
    };
    let a = report(&mut run, &effects.jobs[0].0, made_with(Some("one")));
    assert_eq!(a.made[0].content, effects.asks[0].content.with_model(&"one".into()));
    assert_eq!(run.reusable(&a.made[0].key).unwrap().outputs, map(json!({"count": 0})));
    let b = report(&mut run, &effects.jobs[1].0, made_with(None));
    assert_eq!(b.made[0].content, effects.asks[1].content);
    let c = report(&mut run, &effects.jobs[2].0, made_with(None));
    assert!(c.made.is_empty(), "nobody could find it without the model's copy");
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c\"\\[{]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]{0,2}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The same value with the fields of every object in the opposite order.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(reversed).collect(),
        Value::Object(fields) => {
            fields.iter().rev().map(|(name, field)| (name.clone(), reversed(field))).collect()
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equal_content_has_one_key_and_other_content_another(one in tree(), other in tree()) {
        let object = |value: &Value| Map::from_iter([("v".to_owned(), value.clone())]);
        let nothing = Map::new();
        let key = |value: &Value| ContentKey::of("crop@1", &nothing, &object(value));
        prop_assert_eq!(key(&one), key(&reversed(&one)));
        prop_assert_eq!(key(&one) == key(&other), one == other);
        prop_assert_ne!(key(&one), ContentKey::of("crop@2", &nothing, &object(&one)), "the version counts");
        prop_assert_ne!(key(&one), ContentKey::of("crop@1", &object(&one), &nothing), "config is not input");
        let (a, b) = (ModelDigest::from("a"), ModelDigest::from("b"));
        prop_assert_ne!(key(&one).with_model(&a), key(&one).with_model(&b), "the model's copy counts");
        prop_assert_ne!(key(&one).with_model(&a), key(&one));
    }
}
