//! A worker whose device is beyond use: it ends, and others do its jobs.

use std::path::Path;
use std::time::Duration;

use millrace_bus::{BusError, Chance};
use millrace_contracts::{Job, Pool, WorkerId};
use millrace_onnx::{Attribute, Element, Graph, Side};
use serde_json::json;

use crate::desk::{Desk, Running, repository, settings};
use crate::last_chance::{Gate, patient};

const PATIENCE: Duration = Duration::from_secs(30);
/// What CUDA says of a device that is beyond use, and of one that is not there any more.
const ILLEGAL: &str = "CUDA failure 700: an illegal memory access was encountered";
const NONE_THERE: &str = "no CUDA-capable device is detected";

fn graph() -> Graph {
    let (mut graph, sides) = (Graph::new("odd"), [Side::Free("batch"), Side::Fixed(1)]);
    graph.input("x", Element::F32, &sides).output("y", Element::F32, &sides);
    graph
}

/// Fails, unless it is given nought, as on such a device: a node goes by the name of its output, and the runtime says which failed.
fn loses_its_device() -> Vec<u8> {
    let mut graph = graph();
    graph.constant("numbers", &[1], &[0.0]);
    graph.node("Cast", &["x"], "at", &[("to", Attribute::Int(7))]);
    graph.node("Gather", &["numbers", "at"], ILLEGAL, &[]).node("Identity", &[ILLEGAL], "y", &[]);
    graph.encode()
}

/// Cannot be loaded, as where there is no device.
fn finds_no_device() -> Vec<u8> {
    graph().node(&format!("org.example::{NONE_THERE}"), &["x"], "y", &[]).encode()
}

fn put(folder: &Path, file: &[u8]) -> millrace_config::Models {
    std::fs::create_dir_all(folder.join("m")).unwrap();
    std::fs::write(folder.join("m/model.onnx"), file).unwrap();
    millrace_config::Models { dir: folder.to_owned().into(), ..repository() }
}

fn job() -> Job {
    Desk::job("tensor@1", json!({"tensors": {"x": [[5]]}}), json!({"model_id": "m"}))
}

async fn ends_for_its_device(desk: &Desk, worker: Running, says: &str) {
    let why = tokio::time::timeout(PATIENCE, worker.failed()).await.expect("it stays").to_string();
    assert!(why.contains("worker.device") && why.contains("beyond use") && why.contains(says), "{why}");
    assert!(desk.bus.workers().await.unwrap().is_empty(), "it is on the list still");
}

#[tokio::test]
async fn a_worker_that_loses_its_device_ends_and_others_do_its_jobs() {
    let (mut desk, gate, folder) = (Desk::open().await, Gate::open().await, tempfile::tempdir().unwrap());
    let models = put(folder.path(), &loses_its_device());
    let worker = desk.worker_out(settings(), models.clone(), patient(4)).await;
    let (held, guilty) = (gate.job("cpu", "held"), job());
    desk.bus.enqueue(std::slice::from_ref(&held), &[]).await.unwrap();
    gate.has_been_asked(1).await;
    desk.bus.enqueue(std::slice::from_ref(&guilty), &[]).await.unwrap();
    ends_for_its_device(&desk, worker, "CUDA failure 700").await;
    for id in [held.id, guilty.id] {
        let counts = desk.counts(id).await;
        assert!(!counts.contains_key("failed") && !counts.contains_key("completed"), "{counts:?}");
    }
    // What it had in hand beside is for others at once, and nothing is said against it.
    let mut next = desk.bus.queues(&WorkerId::from("next")).await.unwrap();
    let given_back = next.read(&[Pool::from("cpu")], 1, Duration::from_secs(5)).await.unwrap();
    let given_back: Vec<_> =
        given_back.iter().map(|delivery| (delivery.job.id, delivery.deliveries)).collect();
    assert_eq!(given_back, [(held.id, 1)]);
    // What the device was lost of is taken over and counted, as of a worker that died.
    let claimed = async || {
        let (look, but) = ((crate::desk::LEASE, 1), Chance::But(settings().max_deliveries));
        let found = next.take_over(&[Pool::from("fast")], look, but, &[]).await?;
        Ok::<_, BusError>(found.jobs.into_iter().next())
    };
    let claimed = millrace_testkit::eventually(PATIENCE, "a takeover", claimed).await.unwrap();
    assert_eq!((claimed.job.id, claimed.deliveries), (guilty.id, 2));
    // This is its last chance, alone in hand: the other, of which nobody heard since it was read, ends as well.
    gate.let_go(&["held"]);
    put(folder.path(), &graph().node("Identity", &["x"], "y", &[]).encode());
    let worker = desk.worker_out(settings(), models, patient(4)).await;
    let done = desk.end_of(guilty.id).await.unwrap();
    assert_eq!(done.outputs["outputs"]["y"]["data"], json!([5.0]));
    desk.end_of(held.id).await.unwrap();
    worker.stop().await;
}

#[tokio::test]
async fn a_worker_that_finds_no_device_for_a_load_ends_too() {
    let (mut desk, folder) = (Desk::open().await, tempfile::tempdir().unwrap());
    let models = put(folder.path(), &finds_no_device());
    let (worker, job) = (desk.worker_with(models.clone()).await, job());
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    ends_for_its_device(&desk, worker, NONE_THERE).await;
    assert!(!desk.counts(job.id).await.contains_key("failed"));
    // Before it takes the first job as well.
    let preloads = millrace_config::Models { preload: vec!["m".to_owned()], ..models };
    let worker = desk.worker_with(preloads).await;
    ends_for_its_device(&desk, worker, NONE_THERE).await;
}
