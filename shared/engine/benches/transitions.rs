//! What a node transition costs: whole runs through the engine alone, with a worker that answers at once. Includes what a
//! shell has to do with a step: build the fields to store. One element is one node run.

#[path = "../tests/support/lib.rs"]
#[allow(
    dead_code,
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "shared by tests that use parts of it"
)]
mod support;

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millrace_compiler::Plan;
use millrace_contracts::message::Accepted;
use millrace_engine::{Effects, Execution, Input, Settings};
use serde_json::{Value, json};

use support::blobs::Blobs;
use support::driver::do_shell_work;
use support::flow::{self, collect, each, input, job, output, workflow};
use support::work;

/// Walks a run to its end and gives the number of its node runs.
fn walk(plan: &Arc<Plan>, accepted: Accepted) -> u64 {
    let (now, mut blobs) = (flow::START, Blobs::default());
    let (mut run, effects) = Execution::begin(plan.clone(), accepted, Settings::default(), Vec::new(), now);
    let mut queue = VecDeque::new();
    take(&mut run, effects, &mut queue, &mut blobs);
    while let Some(job) = queue.pop_front() {
        let image = json!({"image": {"kind": "image", "width": 640, "height": 480, "format": "jpeg"}});
        let report = work::report(&job, "w1", now, work::completed(flow::map(image)));
        let effects = run.step(Input::Message(report), now);
        take(&mut run, effects, &mut queue, &mut blobs);
    }
    assert!(run.is_terminal());
    run.meta().progress.total
}

fn take(
    run: &mut Execution,
    mut effects: Effects,
    queue: &mut VecDeque<millrace_contracts::Job>,
    blobs: &mut Blobs,
) {
    do_shell_work(run, &mut effects, blobs, flow::START);
    black_box(run.changed_fields(&effects));
    queue.extend(effects.jobs.into_iter().map(|(job, _)| job));
}

fn chain(length: usize) -> Value {
    let nodes: Vec<Value> = (0..length)
        .map(|number| match number.checked_sub(1) {
            None => job("n0", "$inputs.photo"),
            Some(before) => job(&format!("n{number}"), &format!("$nodes.n{before}.image")),
        })
        .collect();
    workflow(&nodes)
}

fn fan_out(width: usize) -> Value {
    let jobs = (0..width).map(|number| job(&format!("n{number}"), "$inputs.photo"));
    let joined =
        (0..width.min(200)).map(|number| (format!("v{number}"), json!(format!("$nodes.n{number}.image"))));
    let joined = output(joined.collect::<serde_json::Map<_, _>>().into());
    workflow(&jobs.chain([joined]).collect::<Vec<_>>())
}

/// Three nodes per item.
fn for_each() -> Value {
    workflow(&[
        each("each", "$inputs.list", json!({"max_parallel": 64})),
        job("a", "$nodes.each.item"),
        job("b", "$nodes.a.image"),
        job("c", "$nodes.b.image"),
        collect("all", "$nodes.c.image"),
        output(json!({"items": "$nodes.all.items"})),
    ])
}

fn nested() -> Value {
    workflow(&[
        each("rows", "$inputs.lists", json!({"max_parallel": 64})),
        each("cells", "$nodes.rows.item", json!({"max_parallel": 8})),
        job("work", "$nodes.cells.item"),
        collect("row", "$nodes.work.image"),
        collect("all", "$nodes.row.count"),
        output(json!({"items": "$nodes.all.items"})),
    ])
}

fn narrow(mut definition: Value) -> Value {
    definition["max_concurrency"] = json!(16);
    definition
}

fn transitions(criterion: &mut Criterion) {
    let cases: [(&str, usize, Value, Value); 8] = [
        ("chain", 500, chain(500), input(0, &[])),
        ("fan_out", 500, fan_out(500), input(0, &[])),
        ("fan_out_in_line", 500, narrow(fan_out(500)), input(0, &[])),
        ("for_each_x3", 1_000, for_each(), input(1_000, &[])),
        ("for_each_x3", 10_000, for_each(), input(10_000, &[])),
        ("for_each_in_line_x3", 10_000, narrow(for_each()), input(10_000, &[])),
        ("nested_x10", 100, nested(), input(0, &[10; 100])),
        ("nested_x10", 1_000, nested(), input(0, &[10; 1_000])),
    ];
    let mut group = criterion.benchmark_group("transitions");
    group.sample_size(10);
    for (name, size, definition, given) in cases {
        let plan = flow::compile(&definition);
        let accepted = flow::accepted(1, flow::map(given));
        let node_runs = walk(&plan, accepted.clone());
        group.throughput(Throughput::Elements(node_runs));
        group.bench_function(BenchmarkId::new(name, size), |bencher| {
            bencher.iter_batched(
                || accepted.clone(),
                |accepted| walk(&plan, accepted),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, transitions);
criterion_main!(benches);
