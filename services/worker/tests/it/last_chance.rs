//! Jobs on their last chance: alone in hand, and in nobody's way but their own worker's.

use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use futures::StreamExt;
use millrace_bus::{BusError, Chance};
use millrace_config::{Io, Worker};
use millrace_contracts::values::ImageUrl;
use millrace_contracts::{IMAGE_FETCH, IO_POOL, Job, Pool, WorkerId};
use serde_json::json;
use tokio::sync::watch;

use crate::desk::{Desk, LEASE, repository, settings};
use crate::outside::{local, serve};
use crate::scene;

const PATIENCE: Duration = Duration::from_secs(30);

/// A server of pictures. It gives those whose name begins with `held` once they are let go, and the others at once.
pub(crate) struct Gate {
    address: String,
    /// What was asked for, in order.
    asked: watch::Sender<Vec<String>>,
    let_go: watch::Sender<HashSet<String>>,
}

impl Gate {
    pub(crate) async fn open() -> Self {
        let (asked, let_go) = (watch::Sender::new(Vec::new()), watch::Sender::new(HashSet::new()));
        let (note, wait) = (asked.clone(), let_go.clone());
        let picture = move |Path(name): Path<String>| async move {
            note.send_modify(|asked| asked.push(name.clone()));
            if name.starts_with("held") {
                drop(wait.subscribe().wait_for(|let_go| let_go.contains(&name)).await);
            }
            scene("scene_00.jpg")
        };
        let address = serve(Router::new().route("/{name}", get(picture))).await;
        Self { address, asked, let_go }
    }

    /// A job that asks for a picture.
    pub(crate) fn job(&self, pool: &str, name: &str) -> Job {
        let url = ImageUrl { url: format!("{}/{name}", self.address), max_pixels: None };
        let job = Desk::job(IMAGE_FETCH, json!({"image": url.to_value()}), json!({}));
        Job { pool: Pool::from(pool), ..job }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    /// Waits until so many were asked for.
    pub(crate) async fn has_been_asked(&self, count: usize) {
        let mut asked = self.asked.subscribe();
        let enough = asked.wait_for(|asked| asked.len() >= count);
        drop(tokio::time::timeout(PATIENCE, enough).await.expect("it is asked").unwrap());
    }

    pub(crate) fn let_go(&self, names: &[&str]) {
        self.let_go.send_modify(|let_go| let_go.extend(names.iter().map(|name| (*name).to_owned())));
    }
}

/// A way out on which a picture may take as long as a job.
pub(crate) fn patient(concurrency: usize) -> Io {
    Io { concurrency, picture_timeout: PATIENCE * 4, ..local() }
}

/// Enqueues jobs of one pool and has workers take them that are never heard of again, until the last chance is what they have
/// left. Nobody else may look for jobs of that pool, or have any in hand.
async fn left_by_the_dead(desk: &Desk, jobs: &[Job]) {
    let pools = [jobs[0].pool.clone()];
    desk.bus.enqueue(jobs, &[]).await.unwrap();
    let mut queues = desk.bus.queues(&WorkerId::from("dead-0")).await.unwrap();
    let mut taken = 0;
    while taken < jobs.len() {
        taken += queues.read(&pools, jobs.len(), PATIENCE).await.unwrap().len();
    }
    let most = settings().max_deliveries;
    for number in 1..most - 1 {
        let mut queues = desk.bus.queues(&WorkerId::from(format!("dead-{number}"))).await.unwrap();
        let (mut taken, wanted) = (0, jobs.len());
        let all = async || {
            let so_often = Chance::Only(number + 1);
            let look = (Duration::from_millis(1), wanted - taken);
            taken += queues.take_over(&pools, look, so_often, &[]).await?.jobs.len();
            Ok::<_, BusError>((taken == wanted).then_some(()))
        };
        millrace_testkit::eventually(PATIENCE, "a takeover", all).await.unwrap();
    }
    let mut looker = desk.bus.queues(&WorkerId::from("looker")).await.unwrap();
    let stale = async || {
        let look = looker.take_over(&pools, (LEASE, 0), Chance::But(most), &[]).await?;
        Ok::<_, BusError>((!look.left.is_empty()).then_some(()))
    };
    millrace_testkit::eventually(PATIENCE, "stale claims", stale).await.unwrap();
}

fn signal(pid: u32, name: &str) {
    let told = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(told.success());
}

#[tokio::test]
async fn a_lane_that_gives_way_takes_no_job_with_it() {
    let (mut desk, gate) = (Desk::open().await, Gate::open().await);
    // One hand inside: while it is full, nobody looks for what the dead left.
    let one_hand = Worker { concurrency: 1, spare_hands: 0, ..settings() };
    let worker = desk.worker_out(one_hand, repository(), patient(4)).await;
    let (inside, outside) = (gate.job("fast", "held-inside"), gate.job(IO_POOL, "held-outside"));
    desk.bus.enqueue(std::slice::from_ref(&inside), &[]).await.unwrap();
    desk.bus.enqueue(std::slice::from_ref(&outside), &[]).await.unwrap();
    gate.has_been_asked(2).await;
    let last = gate.job("cpu", "last");
    left_by_the_dead(&desk, std::slice::from_ref(&last)).await;
    gate.let_go(&["held-inside"]);
    // The other lane does job after job, until it gives way while it waits for one.
    let mut number = 0;
    let (late, name) = loop {
        number += 1;
        let name = format!("outside-{number}");
        let job = gate.job(IO_POOL, &name);
        if tokio::time::timeout(LEASE * 2, desk.run(job.clone())).await.is_err() {
            break (job, name);
        }
    };
    let another = Worker { pools: vec![IO_POOL.to_owned()], ..settings() };
    let another = desk.worker_out(another, repository(), patient(4)).await;
    desk.end_of(late.id).await.unwrap();
    another.stop().await;
    assert!(!gate.asked().contains(&"last".to_owned()), "it was not alone");
    gate.let_go(&["held-outside"]);
    desk.end_of(last.id).await.unwrap();
    desk.run(gate.job(IO_POOL, "afterwards")).await.unwrap();
    worker.stop().await;
    desk.queues_become_empty().await;
    for (job, name) in [(late.id, name), (last.id, "last".to_owned())] {
        assert_eq!(desk.counts(job).await, [("started", 1), ("completed", 1)].into(), "{name}");
        assert_eq!(gate.asked().into_iter().filter(|asked| *asked == name).count(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_last_chance_stays_alone_when_redis_fails_beside_it() {
    let (mut desk, gate) = (Desk::open().await, Gate::open().await);
    let last = gate.job("cpu", "held-last");
    left_by_the_dead(&desk, std::slice::from_ref(&last)).await;
    let lively = Worker { heartbeat: Duration::from_millis(100), ..settings() };
    let worker = desk.worker_out(lively, repository(), patient(4)).await;
    gate.has_been_asked(1).await;
    // The worker soon looks whether there is another one, which fails when as much time has passed as it takes here.
    signal(desk.redis.server().pid(), "STOP");
    for _ in 0..2 {
        assert!(desk.bus.workers().await.is_err());
    }
    signal(desk.redis.server().pid(), "CONT");
    let beside = gate.job(IO_POOL, "beside");
    desk.bus.enqueue(std::slice::from_ref(&beside), &[]).await.unwrap();
    let mut live = desk.bus.subscribe(&["worker:heartbeat"]).await.unwrap();
    for _ in 0..10 {
        let sign = tokio::time::timeout(PATIENCE, live.next()).await.unwrap();
        assert!(sign.is_some());
    }
    assert_eq!(gate.asked(), ["held-last"]);
    gate.let_go(&["held-last"]);
    for job in [last, beside] {
        desk.end_of(job.id).await.unwrap();
    }
    worker.stop().await;
    desk.queues_become_empty().await;
}

#[tokio::test]
async fn one_worker_waits_for_a_last_chance_and_the_others_go_on() {
    let (mut desk, gate) = (Desk::open().await, Gate::open().await);
    // Two hands: while both are full, nobody looks for what the dead left.
    let two_hands = || Worker { concurrency: 2, spare_hands: 0, ..settings() };
    let mut workers = Vec::new();
    for names in [["held-1", "held-2"], ["held-3", "held-4"]] {
        workers.push(desk.worker_out(two_hands(), repository(), patient(1)).await);
        desk.bus.enqueue(&names.map(|name| gate.job("fast", name)), &[]).await.unwrap();
        gate.has_been_asked(workers.len() * 2).await;
    }
    let last = gate.job("cpu", "last");
    left_by_the_dead(&desk, std::slice::from_ref(&last)).await;
    gate.let_go(&["held-2", "held-4"]);
    // Time enough for both to look, and to find that they would have to wait.
    let begun = Instant::now();
    let mut number = 0;
    while begun.elapsed() < LEASE * 2 {
        number += 1;
        desk.run(gate.job("fast", &format!("beside-{number}"))).await.unwrap();
    }
    assert!(!gate.asked().contains(&"last".to_owned()), "neither of them was empty");
    gate.let_go(&["held-1", "held-3"]);
    desk.end_of(last.id).await.unwrap();
    for worker in workers {
        worker.stop().await;
    }
    desk.queues_become_empty().await;
    assert_eq!(desk.counts(last.id).await, [("started", 1), ("completed", 1)].into());
}
