//! Workers that die, jobs that kill, and orderly ends.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use futures::StreamExt;
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_bus::{LiveItem, QueueDepth, QueueKey};
use millrace_contracts::job::JobOutcome;
use millrace_contracts::{ErrorKind, Pool, WorkerId};
use millrace_tasks::CancellationToken;
use millrace_vision::{Encoding, Frame, encode};
use serde_json::json;
use tokio::sync::Notify;

use crate::desk::{Desk, Running, connect, deps, on, repository, settings};
use crate::outside::serve;
use crate::scene;

const REDIS: &str = "MILLRACE_TEST_WORKER_REDIS";
const BLOBS: &str = "MILLRACE_TEST_WORKER_BLOBS";

/// Not a test: the body of a worker process that a test starts in order to kill it.
#[tokio::test]
#[ignore = "started by the tests that kill it"]
async fn worker_process() {
    let Ok(redis) = std::env::var(REDIS) else { return };
    let blobs = Blobs::open(&BlobsSettings::new(std::env::var(BLOBS).unwrap())).unwrap();
    let deps = deps(connect(redis).await, blobs);
    let io = millrace_config::Io::default();
    millrace_worker::run(deps, settings(), repository(), io, CancellationToken::new()).await.unwrap();
}

/// A worker in a process of its own; killed when dropped.
struct Process(Child);

impl Process {
    fn start(desk: &Desk) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lifecycle::worker_process", "--ignored", "--nocapture"])
            .env(REDIS, desk.redis.url())
            .env(BLOBS, desk.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: it gets no chance to say anything.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A worker that is up, and has done its only job.
async fn idle(desk: &mut Desk) -> Running {
    let lively = millrace_config::Worker { heartbeat: Duration::from_millis(100), ..settings() };
    let worker = desk.worker_as(lively, repository()).await;
    let image = desk.image(encode(&Frame::filled(8, 8, [90, 120, 30]), Encoding::Png).unwrap()).await;
    desk.run(Desk::job("rotate_flip@1", on(&image), json!({"flip": "both"}))).await.unwrap();
    // The report is there before the worker hears that it is. Of two signs of life the second was drawn up after this.
    let mut live = desk.bus.subscribe(&["worker:heartbeat"]).await.unwrap();
    let mut idle = 0;
    while idle < 2 {
        let sign = tokio::time::timeout(Duration::from_secs(30), live.next()).await.unwrap();
        let Some(LiveItem::Event(event)) = sign else { panic!("{sign:?}") };
        let event: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
        idle += usize::from(event["data"]["running"] == 0);
    }
    worker
}

#[tokio::test]
async fn a_job_of_a_killed_worker_is_done_by_another() {
    let mut desk = Desk::open().await;
    // Large enough to be under way for a while after its start was reported.
    let large = encode(&Frame::filled(4500, 4000, [90, 120, 30]), Encoding::Png).unwrap();
    let image = desk.image(large).await;
    let config = json!({"width": 3500, "height": 3500, "interpolation": "lanczos3"});
    let job = Desk::job("resize@1", on(&image), config);
    let mut live = desk.bus.subscribe(&["inference:started"]).await.unwrap();
    let process = Process::start(&desk);
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    let started = tokio::time::timeout(Duration::from_secs(30), live.next()).await.unwrap();
    assert!(matches!(started, Some(LiveItem::Event(_))), "{started:?}");
    drop(process);
    assert_eq!(desk.counts(job.id).await.get("completed"), None, "it was done before it could be killed");

    let worker = desk.worker().await;
    let first = desk.wait(|report| matches!(report.outcome, JobOutcome::Started)).await.worker_id;
    desk.end_of(job.id).await.unwrap();
    let last = desk.wait(|report| matches!(report.outcome, JobOutcome::Completed { .. })).await.worker_id;
    assert_ne!(first, last);
    assert_eq!(desk.counts(job.id).await, [("started", 2), ("completed", 1)].into());
    desk.queues_become_empty().await;
    worker.stop().await;
}

#[tokio::test]
async fn a_job_that_takes_its_workers_down_is_set_aside() {
    let mut desk = Desk::open().await;
    let image = desk.image(scene("scene_04.jpg")).await;
    let job = Desk::job("resize@1", on(&image), json!({"width": 10}));
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    let pools = [Pool::from("cpu")];
    // Three workers take it and are never heard of again.
    let mut queues = desk.bus.queues(&WorkerId::from("dead-0")).await.unwrap();
    assert_eq!(queues.read(&pools, 1, Duration::from_secs(5)).await.unwrap().len(), 1);
    for number in 1..3 {
        let mut queues = desk.bus.queues(&WorkerId::from(format!("dead-{number}"))).await.unwrap();
        let claimed = async || {
            let claimed = queues.claim_stale(&pools, Duration::from_millis(1), 1).await?;
            Ok::<_, millrace_bus::BusError>(claimed.into_iter().next())
        };
        let claimed =
            millrace_testkit::eventually(Duration::from_secs(5), "a takeover", claimed).await.unwrap();
        assert_eq!(claimed.deliveries, number + 1);
    }
    let worker = desk.worker().await;
    let error = desk.end_of(job.id).await.unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Internal, false));
    assert!(error.message.contains(&job.id.to_string()), "{error}");
    assert_eq!(desk.counts(job.id).await.get("started"), None);
    desk.queues_become_empty().await;
    worker.stop().await;
}

#[tokio::test]
async fn a_long_job_stays_with_its_worker() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let large = encode(&Frame::filled(5000, 5000, [90, 120, 30]), Encoding::Png).unwrap();
    let image = desk.image(large).await;
    let job = Desk::job(
        "resize@1",
        on(&image),
        json!({"width": 8000, "height": 8000, "interpolation": "lanczos3"}),
    );
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    desk.wait(|report| matches!(report.outcome, JobOutcome::Started)).await;
    // Another worker looks for stale claims all the time and never finds this one.
    let mut thief = desk.bus.queues(&WorkerId::from("thief")).await.unwrap();
    let stolen = async {
        loop {
            let found = thief.claim_stale(&[Pool::from("cpu")], crate::desk::LEASE, 1).await.unwrap();
            if !found.is_empty() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        ended = desk.end_of(job.id) => drop(ended.unwrap()),
        stolen = stolen => panic!("taken over: {stolen:?}"),
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_worker_that_stops_finishes_what_it_has_and_leaves_the_list() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    // Under way for so long that its start is told by itself.
    let image = desk.image(encode(&Frame::filled(4500, 4000, [90, 120, 30]), Encoding::Png).unwrap()).await;
    let config = json!({"width": 3500, "height": 3500, "interpolation": "lanczos3"});
    let job = Desk::job("resize@1", on(&image), config);
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    desk.wait(|report| matches!(report.outcome, JobOutcome::Started)).await;
    assert_eq!(desk.counts(job.id).await, [("started", 1)].into());
    let listed = desk.bus.workers().await.unwrap();
    let info: serde_json::Value = serde_json::from_str(listed[0].info.as_ref().unwrap()).unwrap();
    // Every hand that what is running may be in, those for the world outside too.
    let hands = settings().concurrency + settings().spare_hands + millrace_config::Io::default().concurrency;
    assert_eq!((listed.len(), &info["capacity"]), (1, &json!(hands)));
    let families = info["families"].as_array().unwrap();
    assert!(
        ["ultralytics-detect", "transformers-detect", "raw"]
            .iter()
            .all(|name| families.contains(&json!(name)))
    );
    worker.stop().await;
    let metrics = desk.end_of(job.id).await.unwrap().metrics;
    // Alone in hand, all of the worker's time was its own.
    let (share, total) = (metrics.worker_share_ms, metrics.total_time_ms);
    assert!(share > 0.0 && share >= total * 0.9, "a share of {share} ms of {total} ms");
    assert!(info["busy_ms"].is_u64(), "{info}");
    assert!(desk.bus.workers().await.unwrap().is_empty());
    // It takes nothing more.
    let next = Desk::job("detection@1", on(&image), json!({"model_id": "shapes-detector"}));
    desk.bus.enqueue(std::slice::from_ref(&next), &[]).await.unwrap();
    let depths = desk.bus.queue_depths().await.unwrap();
    let waiting: u64 = depths.iter().map(|depth| depth.waiting).sum();
    assert_eq!(waiting, 1);
    assert_eq!(QueueKey::of(&next).pool, Pool::from("fast"));
}

#[tokio::test]
async fn a_worker_with_nothing_in_hand_says_that_it_goes() {
    let mut desk = Desk::open().await;
    let worker = idle(&mut desk).await;
    let mut live = desk.bus.subscribe(&["worker:draining"]).await.unwrap();
    worker.stop().await;
    let said = tokio::time::timeout(Duration::from_secs(10), live.next()).await.unwrap();
    assert!(matches!(said, Some(LiveItem::Event(_))), "{said:?}");
    assert!(desk.bus.workers().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_worker_that_lost_redis_and_has_nothing_in_hand_stops_at_once() {
    let mut desk = Desk::open().await;
    let worker = idle(&mut desk).await;
    desk.redis.server().kill().await;
    // The signs of life and the farewell would go to nobody; the grace period, which is longer, is for jobs. About two seconds on a
    // machine that has time.
    tokio::time::timeout(Duration::from_secs(10), worker.stop()).await.expect("it waits for Redis");
}

#[tokio::test]
async fn a_job_that_was_given_to_a_worker_that_stops_is_for_others_at_once() {
    let mut desk = Desk::open().await;
    let worker = idle(&mut desk).await;
    let blocked = async || {
        let clients: String = desk.redis.ask(&["INFO", "clients"]).await?;
        anyhow::Ok(clients.contains("blocked_clients:1").then_some(()))
    };
    millrace_testkit::eventually(Duration::from_secs(30), "a worker that waits", blocked).await.unwrap();
    let image = desk.image(encode(&Frame::filled(8, 8, [90, 120, 30]), Encoding::Png).unwrap()).await;
    let (url, job) = (desk.redis.url(), Desk::job("rotate_flip@1", on(&image), json!({"flip": "both"})));
    // While this thread waits the worker does nothing: it has the job, and hears at once that it is to stop.
    let enqueue = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { connect(url).await.enqueue(&[job], &[]).await.unwrap() });
    };
    std::thread::spawn(enqueue).join().unwrap();
    worker.stop().await;
    let depths = desk.bus.queue_depths().await.unwrap();
    let sum = |of: fn(&QueueDepth) -> u64| depths.iter().map(of).sum::<u64>();
    assert_eq!((sum(|depth| depth.waiting), sum(|depth| depth.pending)), (1, 0));
    let mut next = desk.bus.queues(&WorkerId::from("next")).await.unwrap();
    let found = next.read(&[Pool::from("cpu")], 1, Duration::from_secs(5)).await.unwrap();
    assert_eq!(found.iter().map(|delivery| delivery.deliveries).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_worker_that_is_to_drain_does_not_wait_for_its_models() {
    let desk = Desk::open().await;
    let asked = Arc::new(Notify::new());
    let note = Arc::clone(&asked);
    let never = async move || {
        note.notify_one();
        std::future::pending::<()>().await;
    };
    let server = serve(Router::new().route("/never.onnx", get(never))).await;
    let downloads = tempfile::tempdir().unwrap();
    let models = millrace_config::Models {
        preload: vec![format!("{server}/never.onnx")],
        downloads: downloads.path().to_owned(),
        allowed_hosts: vec!["127.0.0.1".to_owned()],
        ..repository()
    };
    let worker = desk.worker_with(models).await;
    tokio::time::timeout(Duration::from_secs(30), asked.notified()).await.expect("it loads its models");
    let listed = desk.bus.workers().await.unwrap();
    desk.bus.drain_worker(&listed[0].id).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), worker.ended()).await.expect("it waits for its models");
}

#[tokio::test]
async fn a_job_whose_worker_is_killed_each_time_is_set_aside_by_name() {
    let mut desk = Desk::open().await;
    let large = encode(&Frame::filled(4500, 4000, [90, 120, 30]), Encoding::Png).unwrap();
    let image = desk.image(large).await;
    let config = json!({"width": 3500, "height": 3500, "interpolation": "lanczos3"});
    let job = Desk::job("resize@1", on(&image), config);
    let mut live = desk.bus.subscribe(&["inference:started"]).await.unwrap();
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    for _ in 0..settings().max_deliveries {
        let process = Process::start(&desk);
        let started = tokio::time::timeout(Duration::from_secs(30), live.next()).await.unwrap();
        assert!(matches!(started, Some(LiveItem::Event(_))), "{started:?}");
        drop(process);
    }
    assert_eq!(desk.counts(job.id).await.get("completed"), None, "it was done before it could be killed");
    let worker = desk.worker().await;
    let error = desk.end_of(job.id).await.unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Internal, false));
    assert!(error.message.contains(&job.id.to_string()) && error.message.contains("3 times"), "{error}");
    desk.queues_become_empty().await;
    worker.stop().await;
}

#[tokio::test]
async fn a_job_that_takes_its_workers_down_takes_no_other_along() {
    let mut desk = Desk::open().await;
    // Large enough for all to be in hand when the guilty one's start is told, and the worker dies of it.
    let image = desk.image(encode(&Frame::filled(3000, 3000, [90, 120, 30]), Encoding::Png).unwrap()).await;
    let config = json!({"width": 5000, "height": 5000, "interpolation": "lanczos3"});
    let jobs: Vec<_> = (0..3).map(|_| Desk::job("resize@1", on(&image), config.clone())).collect();
    // In the middle, so that there is one before it and one behind it.
    let guilty = jobs[1].id;
    let mut live = desk.bus.subscribe(&["inference:started"]).await.unwrap();
    desk.bus.enqueue(&jobs, &[]).await.unwrap();
    for _ in 0..settings().max_deliveries {
        let process = Process::start(&desk);
        let begun = async {
            loop {
                let Some(LiveItem::Event(event)) = live.next().await else { continue };
                let event: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
                if event["data"]["job_id"] == json!(guilty) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), begun).await.expect("the guilty job begins");
        drop(process);
    }
    let worker = desk.worker().await;
    let error = desk.end_of(guilty).await.unwrap_err();
    assert!(error.message.contains(&guilty.to_string()) && error.message.contains("3 times"), "{error}");
    for innocent in [jobs[0].id, jobs[2].id] {
        desk.end_of(innocent).await.unwrap();
    }
    desk.queues_become_empty().await;
    worker.stop().await;
}
