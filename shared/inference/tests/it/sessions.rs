//! Session threads: batches, shapes, requests nobody waits for, and sessions that are opened anew.

use std::time::Duration;

use futures::future::join_all;
use millrace_contracts::ErrorKind;
use millrace_inference::{BySize, Closed, InferenceError, Part, SessionSettings, Tensor};
use millrace_onnx::{Attribute, Element, Graph, Side};

use crate::{loader_of, root};

/// What CUDA says of a device that is beyond use.
const ILLEGAL: &str = "CUDA failure 700: an illegal memory access was encountered";
/// What it says of one that is not there any more.
const NONE_THERE: &str = "no CUDA-capable device is detected";

fn picture(value: f32) -> Tensor {
    Tensor::new(vec![1, 3, 320, 320], vec![value; 3 * 320 * 320]).unwrap()
}

async fn model(sessions: SessionSettings) -> millrace_inference::Model {
    loader_of(root().join("models"), sessions).load(&"shapes-detector".into()).await.unwrap()
}

#[tokio::test]
async fn what_waits_runs_together_and_gives_what_it_gives_alone() {
    let model = model(SessionSettings { max_batch: 4, ..SessionSettings::default() }).await;
    let alone = model.infer(vec![picture(0.25)]).await.unwrap();
    assert_eq!((alone.batch.rows, alone.batch.closed), (1, Closed::Drained));

    let requests = (0..9).map(|number| model.infer(vec![picture(number as f32 / 8.0)]));
    let results: Vec<_> = join_all(requests).await.into_iter().map(Result::unwrap).collect();
    let sizes: Vec<usize> = results.iter().map(|result| result.batch.rows).collect();
    assert!(sizes.iter().all(|&rows| rows <= 4), "{sizes:?}");
    assert!(sizes.contains(&4), "nothing was batched: {sizes:?}");
    let batched = &results[2].outputs[0];
    assert_eq!(batched.shape(), alone.outputs[0].shape());
    let difference =
        batched.data().iter().zip(alone.outputs[0].data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference < 1e-3, "{difference}");
}

#[tokio::test]
async fn a_request_that_does_not_fit_fails_alone() {
    let model = model(SessionSettings::default()).await;
    let wrong = Tensor::new(vec![1, 3, 32, 32], vec![0.0; 3 * 32 * 32]).unwrap();
    let (bad, good, none) =
        tokio::join!(model.infer(vec![wrong]), model.infer(vec![picture(0.5)]), model.infer(Vec::new()));
    assert!(matches!(bad, Err(InferenceError::Input { .. })), "{bad:?}");
    assert!(matches!(none, Err(InferenceError::Input { .. })), "{none:?}");
    assert!(good.is_ok());
}

#[tokio::test]
async fn abandoned_requests_do_not_hold_up_the_others() {
    let model = model(SessionSettings { queue: 2, ..SessionSettings::default() }).await;
    for _ in 0..20 {
        let mut request = Box::pin(model.infer(vec![picture(0.1)]));
        // Polled once, so that it stands in the queue, then dropped, done or not.
        drop(futures::poll!(&mut request));
    }
    assert!(model.infer(vec![picture(0.5)]).await.is_ok());
}

#[tokio::test]
async fn what_a_thread_puts_in_the_queue_is_run_as_any_other_or_given_back_when_there_is_no_room() {
    let model = model(SessionSettings { queue: 1, ..SessionSettings::default() }).await;
    let expected = model.infer(vec![picture(0.5)]).await.unwrap().outputs;
    // The place of a run is free a moment after its answer is there.
    let first = loop {
        match model.begin(Part::Main, vec![picture(0.5)].into()) {
            Ok(pending) => break pending,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    // It takes milliseconds: most of these find the only place taken.
    let others: Vec<_> = (0..20).map(|_| model.begin(Part::Main, vec![picture(0.5)].into())).collect();
    assert!(others.iter().any(Result::is_err));
    for begun in std::iter::once(Ok(first)).chain(others) {
        let found = match begun {
            Ok(pending) => pending.inferred().await,
            Err(rows) => model.infer(rows).await,
        };
        assert_eq!(found.unwrap().outputs, expected);
    }
    assert!(model.begin(Part::Text, vec![picture(0.5)].into()).is_err(), "it has no such graph");
}

#[tokio::test]
async fn several_sessions_share_one_queue() {
    let model = model(SessionSettings { sessions: 2, max_batch: 1, ..SessionSettings::default() }).await;
    let results = join_all((0..6).map(|_| model.infer(vec![picture(0.5)]))).await;
    assert!(results.iter().all(Result::is_ok));
}

#[tokio::test]
async fn threads_and_sessions_change_no_result() {
    let one = model(SessionSettings::default()).await;
    let several =
        SessionSettings { sessions: 2, intra_op_threads: 2, max_batch: 1, ..SessionSettings::default() };
    let several = model(several).await;
    for level in [0.1, 0.5, 0.9] {
        let expected = one.infer(vec![picture(level)]).await.unwrap().outputs;
        let both = join_all((0..4).map(|_| several.infer(vec![picture(level)]))).await;
        for found in both.into_iter().map(|found| found.unwrap().outputs) {
            assert_eq!(found[0].shape(), expected[0].shape());
            let pairs = found[0].data().iter().zip(expected[0].data());
            let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(difference < 1e-3, "{difference}");
        }
    }
}

/// How nice those of this process's threads are that run operators.
#[cfg(target_os = "linux")]
fn niceness_of_operators() -> Vec<i32> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().map(|entry| entry.unwrap());
    let of = |task: &std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap();
        let id = task.file_name().to_str().unwrap().parse().unwrap();
        let id = rustix::process::Pid::from_raw(id);
        name.starts_with("operators").then(|| rustix::process::getpriority_process(id).unwrap())
    };
    threads.filter_map(|task| of(&task)).collect()
}

/// A session is opened by a thread that gives way to the others; what it runs on does not.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn threads_of_operators_give_way_to_nobody() {
    let three = SessionSettings { intra_op_threads: 3, ..SessionSettings::default() };
    let model = model(three).await;
    let own = rustix::process::getpriority_process(None).unwrap();
    // Whoever runs a batch is the third.
    assert_eq!(niceness_of_operators(), [own, own]);
    model.infer(vec![picture(0.5)]).await.unwrap();
}

/// Of sessions that nobody asked for there are no more than their weights leave room for.
#[test]
fn sessions_are_reckoned_with_their_weights_and_left_out_where_those_are_too_large() {
    let bytes = std::fs::metadata(root().join("models/shapes-detector/model.onnx")).unwrap().len();
    let prospect = |most_read_bytes: Option<u64>| {
        let by_size = most_read_bytes.map(|most_read_bytes| BySize {
            sessions_if_large: 1,
            threads_if_large: 1,
            most_read_bytes,
        });
        let four = SessionSettings { sessions: 4, by_size, max_batch: 1, ..SessionSettings::default() };
        loader_of(root().join("models"), four).prospect(&"shapes-detector".into())
    };
    for (most, sessions) in [(None, 4), (Some(u64::MAX), 4), (Some(3 * bytes), 3), (Some(0), 1)] {
        let found = prospect(most);
        assert_eq!((found.file_bytes, found.concurrency), (Some(sessions as u64 * bytes), sessions + 1));
    }
}

/// Gives `number` for 0; runs of anything else fail.
fn only_for_nought(number: f32, version: &str) -> Vec<u8> {
    let mut graph = Graph::new("only for nought");
    let sides = [Side::Free("batch"), Side::Fixed(1)];
    graph.input("x", Element::F32, &sides).output("y", Element::F32, &sides);
    graph.constant("numbers", &[1], &[number]);
    graph.node("Cast", &["x"], "at", &[("to", Attribute::Int(7))]);
    graph.node("Gather", &["numbers", "at"], "y", &[]).metadata("version", version);
    graph.encode()
}

#[tokio::test]
async fn a_session_is_opened_anew_of_the_files_that_the_model_was_loaded_from_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m/model.onnx");
    std::fs::create_dir_all(folder.path().join("m")).unwrap();
    std::fs::write(&file, only_for_nought(1.0, "one")).unwrap();
    let loader = loader_of(folder.path().to_owned(), SessionSettings::default());
    let model = loader.load(&"m".into()).await.unwrap();
    let run = async |x: f32| model.infer(vec![Tensor::new(vec![1, 1], vec![x]).unwrap()]).await;
    let wear_out = async || {
        for _ in 0..3 {
            let failed = run(5.0).await;
            assert!(matches!(failed, Err(InferenceError::Run { .. })), "{failed:?}");
        }
    };
    wear_out().await;
    assert_eq!(run(0.0).await.unwrap().outputs[0].data(), [1.0]);

    std::fs::write(&file, only_for_nought(2.0, "another")).unwrap();
    wear_out().await;
    let lost = run(0.0).await.unwrap_err();
    assert!(matches!(lost, InferenceError::SessionLost { .. }), "{lost}");
    assert_eq!(lost.kind(), ErrorKind::ModelLoadError, "asked for again it is loaded afresh");
}

/// Gives 0 for 0; runs of anything else fail as they do on a device that is beyond use: a node goes by the name of its output,
/// and the runtime says which node failed.
fn loses_its_device() -> Vec<u8> {
    let mut graph = Graph::new("loses its device");
    let sides = [Side::Free("batch"), Side::Fixed(1)];
    graph.input("x", Element::F32, &sides).output("y", Element::F32, &sides);
    graph.constant("numbers", &[1], &[0.0]);
    graph.node("Cast", &["x"], "at", &[("to", Attribute::Int(7))]);
    graph.node("Gather", &["numbers", "at"], ILLEGAL, &[]).node("Identity", &[ILLEGAL], "y", &[]);
    graph.encode()
}

fn row(x: f32) -> Vec<Tensor> {
    vec![Tensor::new(vec![1, 1], vec![x]).unwrap()]
}

#[tokio::test]
async fn a_device_that_is_beyond_use_is_told_to_all_who_wait_and_to_all_who_come() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("m")).unwrap();
    std::fs::write(folder.path().join("m/model.onnx"), loses_its_device()).unwrap();
    // Four in a batch, and a fifth behind it.
    let sessions =
        SessionSettings { max_batch: 4, max_delay: Duration::from_secs(60), ..SessionSettings::default() };
    let model = loader_of(folder.path().to_owned(), sessions).load(&"m".into()).await.unwrap();
    let results = join_all([0.0, 0.0, 5.0, 0.0, 0.0].map(|x| model.infer(row(x)))).await;
    for result in results.into_iter().chain([model.infer(row(0.0)).await]) {
        let lost = result.unwrap_err();
        assert!(matches!(lost, InferenceError::DeviceLost { .. }), "{lost}");
        assert_eq!(lost.kind(), ErrorKind::WorkerUnavailable, "another process may do it");
        assert!(lost.to_string().contains("CUDA failure 700"), "{lost}");
    }
}

#[tokio::test]
async fn a_session_that_finds_no_device_when_it_is_opened_anew_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m/model.onnx");
    std::fs::create_dir_all(folder.path().join("m")).unwrap();
    std::fs::write(&file, only_for_nought(1.0, "one")).unwrap();
    let model = loader_of(folder.path().to_owned(), SessionSettings::default());
    let model = model.load(&"m".into()).await.unwrap();
    let mut graph = Graph::new("no device");
    let sides = [Side::Free("batch"), Side::Fixed(1)];
    graph.input("x", Element::F32, &sides).output("y", Element::F32, &sides);
    std::fs::write(&file, graph.node(&format!("org.example::{NONE_THERE}"), &["x"], "y", &[]).encode())
        .unwrap();
    for _ in 0..3 {
        let failed = model.infer(row(5.0)).await;
        assert!(matches!(failed, Err(InferenceError::Run { .. })), "{failed:?}");
    }
    let lost = model.infer(row(0.0)).await.unwrap_err();
    assert!(
        matches!(&lost, InferenceError::DeviceLost { detail, .. } if detail.contains(NONE_THERE)),
        "{lost}"
    );
}
