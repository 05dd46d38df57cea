//! How requests are put together: by shape, up to a limit, for as long as they may wait, in graphs with rows of their own,
//! and in parts when memory is short.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use futures::future::join_all;
use millrace_inference::{Closed, InferenceError, Inferred, Model, SessionSettings, Tensor, Transfer};
use millrace_onnx::{Attribute, Element, Graph, Side};

use crate::loader_of;

/// Longer than any of these tests takes.
const LONG: Duration = Duration::from_secs(60);
/// Numbers that one row becomes in [`greedy`]: 128 MiB.
const SPREAD: usize = 1 << 25;

/// The largest number of each row.
fn largest(rows: Side) -> Graph {
    let mut graph = Graph::new("largest");
    graph.input("x", Element::F32, &[rows, Side::Free("numbers")]);
    graph.output("most", Element::F32, &[rows, Side::Fixed(1)]);
    graph.node("ReduceMax", &["x"], "most", &[("axes", Attribute::Ints(&[1]))]);
    graph
}

/// The same by a detour: every row is first spread over a lot of memory.
fn greedy() -> Graph {
    let mut graph = Graph::new("greedy");
    graph.input("x", Element::F32, &[Side::Free("batch"), Side::Fixed(1)]);
    graph.output("most", Element::F32, &[Side::Free("batch"), Side::Fixed(1)]);
    let sides: Vec<u8> = [1, SPREAD as i64].iter().flat_map(|side: &i64| side.to_le_bytes()).collect();
    graph.tensor("sides", Element::I64, &[2], &sides);
    graph.node("Expand", &["x", "sides"], "spread", &[]);
    graph.node("ReduceMax", &["spread"], "most", &[("axes", Attribute::Ints(&[1]))]);
    graph
}

async fn load(folder: &Path, graph: &Graph, sessions: SessionSettings) -> Model {
    std::fs::create_dir_all(folder.join("m")).unwrap();
    std::fs::write(folder.join("m/model.onnx"), graph.encode()).unwrap();
    loader_of(folder.to_owned(), sessions).load(&"m".into()).await.unwrap()
}

async fn run(model: &Model, row: Vec<f32>) -> Result<Inferred, InferenceError> {
    model.infer(vec![Tensor::new(vec![1, row.len()], row).unwrap()]).await
}

#[tokio::test]
async fn rows_of_one_shape_run_together_whatever_comes_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = SessionSettings { max_batch: 4, max_delay: LONG, ..SessionSettings::default() };
    let model = load(folder.path(), &largest(Side::Free("batch")), sessions).await;
    let rows = (0..8).map(|number| vec![number as f32; if number % 2 == 0 { 3 } else { 5 }]);
    let results = join_all(rows.map(|row| run(&model, row))).await;
    for (number, result) in results.into_iter().enumerate() {
        let result = result.unwrap();
        assert_eq!((result.batch.rows, result.batch.closed), (4, Closed::Full));
        assert_eq!(result.outputs[0].data(), [number as f32]);
    }
}

#[tokio::test]
async fn a_batch_waits_for_more_as_long_as_it_may_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let max_delay = Duration::from_millis(150);
    let sessions = SessionSettings { max_batch: 2, max_delay, ..SessionSettings::default() };
    let model = load(folder.path(), &largest(Side::Free("batch")), sessions).await;
    let alone = run(&model, vec![1.0, 2.0]).await.unwrap().batch;
    assert_eq!((alone.rows, alone.closed), (1, Closed::Delay));
    assert!(alone.waited >= max_delay, "{alone:?}");
    let (one, two) = tokio::join!(run(&model, vec![1.0]), run(&model, vec![2.0]));
    for batch in [one.unwrap().batch, two.unwrap().batch] {
        assert_eq!((batch.rows, batch.closed), (2, Closed::Full));
    }
}

#[tokio::test]
async fn a_graph_with_rows_of_its_own_is_filled_up() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = SessionSettings { max_batch: 8, max_delay: LONG, ..SessionSettings::default() };
    let model = load(folder.path(), &largest(Side::Fixed(4)), sessions).await;
    let results = join_all((0..4).map(|number| run(&model, vec![number as f32, 0.5]))).await;
    for (number, result) in results.into_iter().enumerate() {
        let result = result.unwrap();
        assert_eq!((result.batch.rows, result.batch.closed), (4, Closed::Full), "its own rows are the limit");
        assert_eq!(
            (result.outputs[0].shape(), result.outputs[0].data()),
            (&[1, 1][..], &[(number as f32).max(0.5)][..])
        );
    }
    let five = model.infer(vec![Tensor::new(vec![5, 2], vec![0.0; 10]).unwrap()]).await;
    assert!(matches!(five, Err(InferenceError::Input { .. })), "{five:?}");

    let sessions = SessionSettings::default();
    let model = load(folder.path(), &largest(Side::Fixed(4)), sessions).await;
    let one = run(&model, vec![3.0, 4.0]).await.unwrap();
    assert_eq!((one.batch.rows, one.outputs[0].data()), (1, &[4.0][..]), "what fills it up is not given out");
}

/// Into 256 steps between the least and the largest number of the batch, and back.
fn in_steps() -> Graph {
    let mut graph = Graph::new("in steps");
    let sides = [Side::Free("batch"), Side::Fixed(2)];
    graph.input("x", Element::F32, &sides).output("y", Element::F32, &sides);
    graph.node("DynamicQuantizeLinear", &["x"], "steps,step,nought", &[]);
    graph.node("DequantizeLinear", &["steps", "step", "nought"], "y", &[]);
    graph
}

#[tokio::test]
async fn what_a_row_gives_does_not_depend_on_who_else_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = SessionSettings { max_batch: 2, max_delay: LONG, ..SessionSettings::default() };
    let model = load(folder.path(), &in_steps(), sessions).await;
    let small = run(&model, vec![0.1, 0.2]).await.unwrap();
    assert!((small.outputs[0].data()[0] - 0.1).abs() < 1e-3, "{small:?}");
    let (one, two) = tokio::join!(run(&model, vec![0.1, 0.2]), run(&model, vec![100.0, 200.0]));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.outputs, small.outputs);
    assert_eq!((one.batch.rows, two.batch.rows), (1, 1));
    // Its own rows are the caller's business.
    let both =
        model.infer(vec![Tensor::new(vec![2, 2], vec![0.1, 0.2, 100.0, 200.0]).unwrap()]).await.unwrap();
    assert_eq!(both.outputs[0].data()[0], 0.0, "its step is larger than that");
}

/// Not a test: the body of a process whose memory the test below bounds.
#[tokio::test]
#[ignore = "started by the test that bounds its memory"]
async fn short_of_memory() {
    run_short_of_memory(Transfer::Plain).await;
}

/// The same.
#[tokio::test]
#[ignore = "started by the test that bounds its memory"]
async fn short_of_memory_bound() {
    run_short_of_memory(Transfer::Bound).await;
}

async fn run_short_of_memory(transfer: Transfer) {
    let folder = tempfile::tempdir().unwrap();
    let sessions = SessionSettings { max_batch: 8, max_delay: LONG, transfer, ..SessionSettings::default() };
    let model = load(folder.path(), &greedy(), sessions).await;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmSize:")?.split_whitespace().next()).unwrap();
    // Enough for four rows at once, and not for eight.
    let bytes = kib.parse::<usize>().unwrap() * 1024 + 6 * SPREAD * size_of::<f32>();
    let own = std::process::id().to_string();
    let bounded = Command::new("prlimit").args(["--pid", &own, &format!("--as={bytes}")]).status().unwrap();
    assert!(bounded.success());
    let results = join_all((0..8).map(|number| run(&model, vec![number as f32]))).await;
    for (number, result) in results.into_iter().enumerate() {
        let result = result.unwrap();
        assert_eq!(result.outputs[0].data(), [number as f32]);
        assert!(result.batch.rows <= 4, "{:?}", result.batch);
    }
    // Eight are not tried again: four are a full batch now, which waits for nobody.
    for result in join_all((0..4).map(|number| run(&model, vec![number as f32]))).await {
        assert_eq!(result.unwrap().batch.closed, Closed::Full);
    }
}

#[test]
fn a_batch_that_finds_no_memory_runs_in_halves() {
    for body in ["batching::short_of_memory", "batching::short_of_memory_bound"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", body, "--ignored", "--nocapture"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{body}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }
}
