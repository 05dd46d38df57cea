//! Whose jobs a worker takes: models that do not fit together, and models that another worker has.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use millrace_bus::LiveItem;
use millrace_contracts::job::Priority;
use millrace_contracts::model::ModelWish;
use millrace_contracts::values::ImageValue;
use millrace_contracts::{Flow, Job, UnixMillis};
use serde_json::{Value, json};

use crate::desk::{Desk, copies, on, repository, settings};
use crate::scene;

/// A picture that keeps a worker busy for a while.
fn large() -> Vec<u8> {
    let frame = millrace_vision::Frame::filled(4500, 4000, [90, 120, 30]);
    millrace_vision::encode(&frame, millrace_vision::Encoding::Png).unwrap()
}

async fn info(desk: &Desk) -> Value {
    let workers = desk.bus.workers().await.unwrap();
    serde_json::from_str(workers[0].info.as_ref().unwrap()).unwrap()
}

#[tokio::test]
async fn models_that_do_not_fit_together_are_served_in_turns_and_not_job_by_job() {
    let mut desk = Desk::open().await;
    let folder = millrace_testkit::test_folder().unwrap();
    copies(folder.path(), &["a", "b"]);
    let image = desk.image(scene("scene_00.jpg")).await;
    let job = |model: &str| Desk::job("detection@1", on(&image), json!({"model_id": model}));
    let jobs: Vec<Job> = (0..40).map(|turn| job(["a", "b"][turn % 2])).collect();
    desk.bus.enqueue(&jobs, &[]).await.unwrap();
    let models = millrace_config::Models {
        dir: folder.path().to_owned().into(),
        max_loaded: 1,
        switch_after: Duration::from_secs(20),
        ..repository()
    };
    let worker = desk.worker_as(settings(), models).await;
    for job in &jobs {
        desk.end_of(job.id).await.unwrap();
    }
    // In the order of arrival the best that can be done with room for one is a load per job (Belady: 40). Put together by
    // model it is a load per handful: eight are in hand at once, and when all of them end together the next model's turn
    // may come.
    let said = async || {
        let info = info(&desk).await;
        Ok::<_, std::convert::Infallible>(
            (info["running"] == 0 && info["loads"].as_u64() >= Some(2)).then_some(info),
        )
    };
    let info = millrace_testkit::eventually(Duration::from_secs(10), "a sign of life", said).await.unwrap();
    let (loads, evictions) = (info["loads"].as_u64().unwrap(), info["evictions"].as_u64().unwrap());
    assert!((2..=8).contains(&loads) && evictions == loads - 1, "{loads} loads, {evictions} evictions");
    desk.queues_become_empty().await;
    worker.stop().await;
}

#[tokio::test]
async fn a_job_waits_for_the_worker_that_has_its_model() {
    let mut desk = Desk::open().await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let job = || Desk::job("detection@1", on(&image), json!({"model_id": "shapes-detector"}));
    let patient = millrace_config::Worker { steal_after: Duration::from_secs(60), ..settings() };
    let models = millrace_config::Models { preload: vec!["shapes-detector".into()], ..repository() };
    let warm = desk.worker_as(patient.clone(), models).await;
    let ready = async || {
        let workers = desk.bus.workers().await?;
        let active = |info: &Option<String>| info.as_ref().is_some_and(|info| info.contains("\"active\""));
        Ok::<_, millrace_bus::BusError>(workers.iter().any(|worker| active(&worker.info)).then_some(()))
    };
    millrace_testkit::eventually(Duration::from_secs(20), "a warm worker", ready).await.unwrap();
    let owner = info(&desk).await["worker_id"].as_str().unwrap().to_owned();
    let cold = desk.worker_as(patient, repository()).await;
    let both = async || Ok::<_, millrace_bus::BusError>((desk.bus.workers().await?.len() == 2).then_some(()));
    millrace_testkit::eventually(Duration::from_secs(20), "two workers", both).await.unwrap();
    for _ in 0..10 {
        let done = desk.run(job()).await.unwrap();
        assert_eq!(done.metrics.worker_id.unwrap().as_str(), owner);
        assert!(done.metrics.model_load_time_ms.abs() < f64::EPSILON);
    }
    warm.stop().await;
    // The one that had it is gone: nobody is waited for.
    let begun = UnixMillis::now();
    let done = desk.run(job()).await.unwrap();
    assert_ne!(done.metrics.worker_id.unwrap().as_str(), owner);
    assert!(UnixMillis::now().since(begun) < 20_000);
    cold.stop().await;
}

/// What a worker of another pool has is of no use to a job: who is asked takes it at once, and loads ahead what is expected.
#[tokio::test]
async fn nobody_waits_for_a_worker_of_another_pool_that_has_the_model() {
    let mut desk = Desk::open().await;
    let of = |pool: &str| millrace_config::Worker {
        pools: vec![pool.to_owned()],
        steal_after: Duration::from_secs(3600),
        ..settings()
    };
    let models = millrace_config::Models { preload: vec!["shapes-detector".into()], ..repository() };
    let heavy = desk.worker_as(of("heavy"), models).await;
    let infos = async || {
        let workers = desk.bus.workers().await?;
        let infos = workers.iter().filter_map(|worker| serde_json::from_str(worker.info.as_deref()?).ok());
        Ok::<Vec<Value>, millrace_bus::BusError>(infos.collect())
    };
    let has = |info: &Value| info["models"].as_array().is_some_and(|models| !models.is_empty());
    let warm = async || Ok::<_, millrace_bus::BusError>(infos().await?.iter().any(has).then_some(()));
    millrace_testkit::eventually(Duration::from_secs(30), "a warm worker", warm).await.unwrap();

    let fast = desk.worker_as(of("fast"), repository()).await;
    let wish = ModelWish::Expect { model: "shapes-detector".into(), pool: "fast".into() };
    let loaded = async || {
        // Wished for again as long as nobody listens yet.
        desk.bus.wish(&wish).await?;
        let of_fast = |info: &&Value| info["pools"] == json!(["fast"]) && has(info);
        Ok::<_, millrace_bus::BusError>(infos().await?.iter().find(of_fast).map(|_| ()))
    };
    millrace_testkit::eventually(Duration::from_secs(30), "the model ahead", loaded).await.unwrap();
    fast.stop().await;

    // Cold again.
    let fast = desk.worker_as(of("fast"), repository()).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let done = desk.run(Desk::job("detection@1", on(&image), json!({"model_id": "shapes-detector"}))).await;
    assert!(done.unwrap().metrics.model_load_time_ms > 0.0, "it was there already");
    fast.stop().await;
    heavy.stop().await;
}

/// A model with room for few jobs at once, and more of them waiting: the next is taken when one ends, not when the read that
/// wanted none of them gives up.
#[tokio::test]
async fn jobs_of_a_model_that_has_room_again_are_taken_at_once() {
    let mut desk = Desk::open().await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let job = || Desk::job("detection@1", on(&image), json!({"model_id": "shapes-detector"}));
    let one_by_one = millrace_config::Worker { max_batch: 1, ..settings() };
    let worker = desk.worker_as(one_by_one, repository()).await;
    desk.run(job()).await.unwrap();
    let jobs: Vec<Job> = (0..48).map(|_| job()).collect();
    let begun = UnixMillis::now();
    desk.bus.enqueue(&jobs, &[]).await.unwrap();
    for job in &jobs {
        desk.end_of(job.id).await.unwrap();
    }
    // Two at a time, and a read that gives up after a second: 24 s.
    assert!(UnixMillis::now().since(begun) < 12_000);
    desk.queues_become_empty().await;
    worker.stop().await;
}

/// Jobs of many flows, in two pools, at two priorities: none of them is lone enough for the limit of the model.
#[tokio::test]
async fn of_a_model_with_a_limit_no_more_jobs_are_in_hand_whoever_they_are_of() {
    let mut desk = Desk::open().await;
    let mut live = desk.bus.subscribe(&["worker:heartbeat"]).await.unwrap();
    let lively = millrace_config::Worker { heartbeat: Duration::from_millis(10), ..settings() };
    let one = millrace_config::Serving { concurrency: Some(1), ..millrace_config::Serving::default() };
    let models =
        millrace_config::Models { serving: [("shapes-detector".into(), one)].into(), ..repository() };
    let worker = desk.worker_as(lively, models).await;
    let (small, large) = (desk.image(scene("scene_00.jpg")).await, desk.image(large()).await);
    let of = |number: usize, image: &ImageValue| Job {
        pool: ["fast", "heavy"][number % 2].into(),
        priority: [Priority::Normal, Priority::High][number / 2 % 2],
        flow: Flow { id: format!("flow {}", number / 3), weight: 1 },
        ..Desk::job("detection@1", on(image), json!({"model_id": "shapes-detector"}))
    };
    // Warm, and known to the worker, whose next reads block for the jobs of all these queues.
    for number in 0..4 {
        desk.run(of(number, &small)).await.unwrap();
    }
    let jobs: Vec<Job> = (0..12).map(|number| of(number, &large)).collect();
    desk.bus.enqueue(&jobs, &[]).await.unwrap();
    let most = AtomicU64::new(0);
    let listen = async {
        while let Some(item) = live.next().await {
            let LiveItem::Event(event) = item else { continue };
            let sign: Value = serde_json::from_str(&event.payload).unwrap();
            most.fetch_max(sign["data"]["running"].as_u64().unwrap(), Ordering::Relaxed);
        }
    };
    let all = async {
        for job in &jobs {
            desk.end_of(job.id).await.unwrap();
        }
    };
    tokio::select! {
        () = listen => panic!("nothing is heard any more"),
        () = all => {}
    }
    assert_eq!(most.load(Ordering::Relaxed), 1);
    desk.queues_become_empty().await;
    worker.stop().await;
}

/// The only hand is held by a job that takes seconds; somebody else's is done meanwhile, and another of the same flow waits.
#[tokio::test]
async fn a_lone_job_does_not_wait_for_a_hand_that_a_batch_holds() {
    let mut desk = Desk::open().await;
    let (large, small) = (desk.image(large()).await, desk.image(scene("scene_00.jpg")).await);
    let one_hand = millrace_config::Worker { concurrency: 1, ..settings() };
    let worker = desk.worker_as(one_hand, repository()).await;
    let of = |flow: &str, job: Job| Job { flow: Flow { id: flow.to_owned(), weight: 1 }, ..job };
    let big = || of("batch", Desk::job("resize@1", on(&large), json!({"width": 7000, "height": 7000})));
    let batch: Vec<Job> = (0..4).map(|_| big()).collect();
    desk.bus.enqueue(&batch, &[]).await.unwrap();
    desk.wait(|report| report.job_id == batch[0].id).await;
    desk.run(of("lone", Desk::job("resize@1", on(&small), json!({"width": 8})))).await.unwrap();
    assert!(!desk.counts(batch[3].id).await.contains_key("started"), "the batch was done before it");
    for job in batch {
        desk.end_of(job.id).await.unwrap();
    }
    desk.queues_become_empty().await;
    worker.stop().await;
}

#[tokio::test]
async fn a_worker_that_is_to_drain_finishes_and_ends_and_what_it_cannot_finish_goes_to_others_at_once() {
    let mut desk = Desk::open().await;
    // A claim that had to go stale would take far longer than the test may.
    let slow = millrace_config::Worker {
        lease: Duration::from_secs(120),
        grace: Duration::from_millis(50),
        ..settings()
    };
    let image = desk.image(large()).await;
    let config = json!({"width": 7000, "height": 7000, "interpolation": "lanczos3"});
    let job = Desk::job("resize@1", on(&image), config);
    let first = desk.worker_as(slow.clone(), repository()).await;
    desk.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
    let started = desk.wait(|report| report.job_id == job.id).await.worker_id;
    desk.bus.drain_worker(&started).await.unwrap();
    // It ends without being asked by its process.
    first.ended().await;
    assert!(desk.bus.workers().await.unwrap().is_empty());
    let second = desk
        .worker_as(millrace_config::Worker { grace: Duration::from_secs(20), ..slow }, repository())
        .await;
    let done = desk.end_of(job.id).await.unwrap();
    assert_ne!(done.metrics.worker_id, Some(started));
    assert_eq!(desk.counts(job.id).await.get("completed"), Some(&1));
    desk.queues_become_empty().await;
    second.stop().await;
}
