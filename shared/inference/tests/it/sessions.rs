//! Session threads: batches, shapes, requests nobody waits for, and sessions that are opened anew.

use futures::future::join_all;
use millrace_contracts::ErrorKind;
use millrace_inference::{Closed, InferenceError, SessionSettings, Tensor};
use millrace_onnx::{Attribute, Element, Graph, Side};

use crate::{loader_of, root};

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
async fn several_sessions_share_one_queue() {
    let model = model(SessionSettings { sessions: 2, max_batch: 1, ..SessionSettings::default() }).await;
    let results = join_all((0..6).map(|_| model.infer(vec![picture(0.5)]))).await;
    assert!(results.iter().all(Result::is_ok));
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
