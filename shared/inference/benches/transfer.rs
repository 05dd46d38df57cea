//! Plain runs beside bound ones on the processor: what a binding costs, or saves, where both sides have the same memory. The
//! time is that of the whole request, from the caller's tensor to the caller's tensor; one thread computes at a time.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench may panic")]

use std::collections::HashMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::future::join_all;
use millrace_inference::{
    LoaderSettings, Model, ModelLoader, Repository, SessionSettings, Tensor, Transfer,
    library_from_environment,
};
use millrace_onnx::{Attribute, Element, Graph, Side};
use tokio::runtime::Runtime;

/// The version that the set-up script fetches.
const ORT_VERSION: &str = "1.31.1";
/// The side of what the detector takes, in pixels.
const DETECTED: usize = 320;
/// The side of what is only handed over, in pixels.
const HANDED_OVER: usize = 640;
const ROWS: usize = 8;
/// Longer than a batch of all rows waits for its last.
const LONG: Duration = Duration::from_secs(60);

/// A graph that looks at one row of pixels: what is measured is how the picture gets there.
fn handed_over(element: Element) -> Graph {
    let picture = [Side::Free("batch"), Side::Fixed(3), Side::Fixed(HANDED_OVER), Side::Fixed(HANDED_OVER)];
    let mut graph = Graph::new("handed-over");
    let largest = [Side::Free("batch"), Side::Fixed(1), Side::Fixed(1), Side::Fixed(1)];
    graph.input("x", element, &picture).output("largest", element, &largest);
    for (name, number) in [("start", 0i64), ("end", 1), ("axis", 2)] {
        graph.tensor(name, Element::I64, &[1], &number.to_le_bytes());
    }
    graph.node("Slice", &["x", "start", "end", "axis"], "row", &[]);
    graph.node("ReduceMax", &["row"], "largest", &[("axes", Attribute::Ints(&[1, 2, 3]))]);
    graph
}

fn pictures(side: usize) -> Vec<Tensor> {
    let numbers = |row: usize| (0..3 * side * side).map(|at| (at % (200 + row)) as f32 / 255.0).collect();
    (0..ROWS).map(|row| Tensor::new(vec![1, 3, side, side], numbers(row)).unwrap()).collect()
}

fn model(runtime: &Runtime, folder: &Path, id: &str, transfer: Transfer, max_batch: usize) -> Model {
    let loader = ModelLoader::new(LoaderSettings {
        library: library_from_environment(ORT_VERSION).unwrap(),
        repository: Repository::new(folder),
        max_bytes: 1 << 30,
        sessions: SessionSettings { transfer, max_batch, max_delay: LONG, ..SessionSettings::default() },
        serving: HashMap::new(),
    });
    runtime.block_on(loader.load(&id.into())).unwrap()
}

/// One batch of `pictures`, each of a caller of its own.
fn infer(runtime: &Runtime, model: &Model, pictures: Vec<Tensor>) {
    let asked = pictures.into_iter().map(|picture| model.infer(vec![picture]));
    for answer in runtime.block_on(join_all(asked)) {
        black_box(answer.unwrap());
    }
}

fn transfer(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let models = PathBuf::from("../../models");
    let made = tempfile::tempdir().unwrap();
    for (id, element) in [("single", Element::F32), ("half", Element::F16)] {
        std::fs::create_dir_all(made.path().join(id)).unwrap();
        std::fs::write(made.path().join(id).join("model.onnx"), handed_over(element).encode()).unwrap();
    }
    let cases = [
        (&*models, "shapes-detector", DETECTED),
        (made.path(), "single", HANDED_OVER),
        (made.path(), "half", HANDED_OVER),
    ];
    for (folder, id, side) in cases {
        let pictures = pictures(side);
        let mut group = criterion.benchmark_group(format!("transfer/{id}"));
        for (rows, way) in
            [1, ROWS].into_iter().flat_map(|rows| [(rows, Transfer::Plain), (rows, Transfer::Bound)])
        {
            let model = model(&runtime, folder, id, way, rows);
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::new(format!("{way:?}").to_lowercase(), rows), |bencher| {
                let given = || pictures[..rows].to_vec();
                bencher.iter_batched(given, |given| infer(&runtime, &model, given), BatchSize::LargeInput);
            });
        }
        group.finish();
    }
}

criterion_group!(benches, transfer);
criterion_main!(benches);
