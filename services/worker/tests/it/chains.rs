//! Jobs that follow one another in one hand.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_bus::{Abandon, LiveItem};
use millrace_contracts::chain::{FollowUp, Read};
use millrace_contracts::values::ImageValue;
use millrace_contracts::{ErrorKind, ExecutionId, ItemPath, Job, JobId, Pool, WorkerId};
use millrace_vision::{Encoding, Frame, encode};
use serde_json::{Value, json};

use crate::desk::{Desk, on};
use crate::scene;

/// Five transforms, each of the picture that the one before it made.
fn five() -> [(&'static str, Value); 5] {
    [
        ("resize@1", json!({"width": 200, "height": 150})),
        ("rotate_flip@1", json!({"degrees": 90})),
        ("smoothing@1", json!({"kernel_size": 3})),
        ("normalize@1", json!({"equalize": "stretch"})),
        ("crop@1", json!({"mode": "absolute", "region": [10, 10, 90, 120]})),
    ]
}

/// These blocks as one job: the first, and those that follow it.
fn chained(image: &ImageValue, blocks: &[(&str, Value)]) -> Job {
    let (task, config) = &blocks[0];
    let mut job = Desk::job(task, on(image), config.clone());
    for (place, (task, config)) in blocks.iter().enumerate().skip(1) {
        let node_id = format!("node{place}").into();
        job.then.push(FollowUp {
            id: JobId::of(job.execution_id, &node_id, &ItemPath::root(), 1),
            node_id,
            task: (*task).to_owned(),
            inputs: serde_json::Map::new(),
            reads: vec![read("image", place - 1)],
            config: config.as_object().unwrap().clone(),
        });
    }
    job
}

/// An input that is the picture which the job at `of` makes.
fn read(port: &str, of: usize) -> Read {
    Read { port: port.to_owned(), of, output: "image".to_owned() }
}

fn ids(job: &Job) -> Vec<JobId> {
    std::iter::once(job.id).chain(job.then.iter().map(|follow_up| follow_up.id)).collect()
}

/// Runs a chain, and each of its jobs by itself on the same; both end the same.
async fn ends_as_alone(desk: &mut Desk, job: &Job) {
    desk.bus.enqueue(std::slice::from_ref(job), &[]).await.unwrap();
    let mut outputs = Vec::new();
    for (at, id) in ids(job).into_iter().enumerate() {
        let together = desk.end_of(id).await;
        let single = match at {
            0 => Job { then: Vec::new(), ..job.clone() },
            _ => job.followed_by(&job.then[at - 1], &outputs.iter().collect::<Vec<_>>()).unwrap(),
        };
        let run = ExecutionId::generate();
        let id = JobId::of(run, &single.node_id, &ItemPath::root(), 1);
        match (together, desk.run(Job { id, execution_id: run, ..single }).await) {
            (Ok(together), Ok(alone)) => {
                assert_eq!(
                    together.outputs, alone.outputs,
                    "job {at}: the same bytes, and the same way to the root"
                );
                outputs.push(together.outputs);
            }
            (Err(together), Err(alone)) => {
                assert_eq!(together, alone);
                return;
            }
            other => panic!("job {at} does not end as it does alone: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_chain_makes_what_its_jobs_make_one_by_one() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_02.jpg")).await;
    let resize = |width: u32| ("resize@1", json!({"width": width, "height": 150}));
    ends_as_alone(&mut desk, &chained(&image, &five())).await;
    // One that changes nothing gives on what it was given.
    ends_as_alone(&mut desk, &chained(&image, &[resize(200), resize(200), resize(90)])).await;
    // One that reads two of those before it, and one that is given something else besides.
    let mut job =
        chained(&image, &[resize(200), ("smoothing@1", json!({})), ("comparison@1", json!({})), resize(64)]);
    job.then[1].reads = ["a", "b"].into_iter().enumerate().map(|(of, port)| read(port, of)).collect();
    ends_as_alone(&mut desk, &job).await;
    let mut job = chained(&image, &[resize(200), ("draw_boxes@1", json!({})), resize(64)]);
    job.then[0].inputs.insert("detections".into(), json!([{"bbox": [1, 2, 30, 40], "class_name": "star"}]));
    ends_as_alone(&mut desk, &job).await;
    worker.stop().await;
}

#[tokio::test]
async fn what_cannot_be_stored_fails_the_job_that_made_it() {
    let mut desk = Desk::open().await;
    let settings = BlobsSettings::new(desk.folder.path().to_str().unwrap());
    desk.blobs = Blobs::open(&BlobsSettings { max_blob_bytes: 300_000, ..settings }).unwrap();
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_02.jpg")).await;
    let large = ("resize@1", json!({"width": 1500, "height": 1500}));
    let [first, second, ..] = five();
    let job = chained(&image, &[first, large, second.clone(), second]);
    ends_as_alone(&mut desk, &job).await;
    desk.end_of(job.then[0].id).await.unwrap_err();
    desk.queues_become_empty().await;
    assert!(desk.counts(job.then[1].id).await.is_empty(), "what was made of it is not told of");
    worker.stop().await;
}

#[tokio::test]
async fn each_job_of_a_chain_is_told_of() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_02.jpg")).await;
    let job = chained(&image, &five());
    let mut live = desk.bus.subscribe(&["inference:*"]).await.unwrap();
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    for (at, id) in ids(&job).into_iter().enumerate() {
        let metrics = desk.end_of(id).await.unwrap().metrics;
        assert_eq!(metrics.inference_job_id, Some(id));
        assert!(at == 0 || metrics.decode_ms == 0.0, "job {at} decodes what is at hand");
        assert!(metrics.total_time_ms > 0.0 && metrics.worker_share_ms > 0.0 && metrics.postprocess_ms > 0.0);
    }
    // The inbox hears of those that follow once, with the first; the live channel of each twice, as of any job.
    assert_eq!(desk.counts(job.id).await, [("started", 1), ("completed", 1)].into());
    assert_eq!(desk.counts(job.then[0].id).await, [("completed", 1)].into());
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(Some(LiveItem::Event(event))) = live.next().now_or_never() {
        *told.entry(event.channel).or_default() += 1;
    }
    assert_eq!(told, [("inference:completed".to_owned(), 5), ("inference:started".to_owned(), 5)].into());
    desk.queues_become_empty().await;
    worker.stop().await;
}

#[tokio::test]
async fn one_that_fails_is_the_last() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_02.jpg")).await;
    let mut blocks = five();
    blocks[2] = ("crop@1", json!({"mode": "absolute", "region": [5000, 5000, 5100, 5100]}));
    let job = chained(&image, &blocks);
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    let error = desk.end_of(job.then[1].id).await.unwrap_err();
    assert_eq!((error.kind, error.pointer.as_deref()), (ErrorKind::InvalidInput, Some("/config/region")));
    for id in [job.id, job.then[0].id] {
        desk.end_of(id).await.unwrap();
    }
    desk.queues_become_empty().await;
    for id in [job.then[2].id, job.then[3].id] {
        assert!(desk.counts(id).await.is_empty(), "nothing is said of what was not begun");
    }
    worker.stop().await;
}

#[tokio::test]
async fn what_somebody_had_before_is_run_by_itself() {
    let mut desk = Desk::open().await;
    let image = desk.image(scene("scene_02.jpg")).await;
    let job = chained(&image, &five());
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    let mut dead = desk.bus.queues(&WorkerId::from("dead")).await.unwrap();
    assert_eq!(dead.read(&[Pool::from("cpu")], 1, Duration::from_secs(5)).await.unwrap().len(), 1);
    let worker = desk.worker().await;
    desk.end_of(job.id).await.unwrap();
    desk.queues_become_empty().await;
    for follow_up in &job.then {
        assert!(desk.counts(follow_up.id).await.is_empty());
    }
    worker.stop().await;
}

/// A picture whose work takes long, in a build without optimisation or with it.
fn large() -> Vec<u8> {
    encode(&Frame::filled(4000, 3500, [90, 120, 30]), Encoding::Png).unwrap()
}

fn slow() -> [(&'static str, Value); 4] {
    let lanczos =
        |width: u32| ("resize@1", json!({"width": width, "height": 5000, "interpolation": "lanczos3"}));
    [lanczos(6000), lanczos(5900), lanczos(5800), lanczos(5700)]
}

#[tokio::test]
async fn what_takes_long_is_told_soon() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(large()).await;
    let job = chained(&image, &slow());
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    desk.end_of(job.id).await.unwrap();
    desk.queues_become_empty().await;
    assert!(desk.counts(job.then[2].id).await.is_empty(), "the rest is left to be sent by itself");
    worker.stop().await;
}

#[tokio::test]
async fn a_cancel_ends_all_of_it() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_02.jpg")).await;
    let [_, slow, ..] = slow();
    let [first, ..] = five();
    let job = chained(&image, &[first, slow.clone(), slow]);
    let mut live = desk.bus.subscribe(&["inference:started"]).await.unwrap();
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    // The first has ended when the second begins.
    for _ in 0..2 {
        let started = tokio::time::timeout(Duration::from_secs(30), live.next()).await.unwrap();
        assert!(matches!(started, Some(LiveItem::Event(_))), "{started:?}");
    }
    desk.bus.abandon(&[Abandon { execution_id: job.execution_id, job_ids: Vec::new() }]).await.unwrap();
    desk.end_of(job.id).await.unwrap();
    let error = desk.end_of(job.then[0].id).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
    desk.queues_become_empty().await;
    assert!(desk.counts(job.then[1].id).await.is_empty());
    worker.stop().await;
}
