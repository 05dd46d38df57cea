//! Taking over what is stale, and only what is nobody's.

use std::time::Duration;

use millrace_config::Worker;
use millrace_contracts::{Pool, WorkerId};

use crate::desk::{Desk, repository, settings};
use crate::last_chance::{Gate, patient};

const PATIENCE: Duration = Duration::from_secs(60);

/// Entry, consumer, idle time and deliveries, as XPENDING tells.
type Claim = (String, String, u64, u64);

#[tokio::test]
async fn a_worker_does_not_take_over_what_it_has_in_hand_itself() {
    let (mut desk, gate) = (Desk::open().await, Gate::open().await);
    // Somebody who died had a job of the same queue in hand.
    let left = gate.job("cpu", "left");
    desk.bus.enqueue(std::slice::from_ref(&left), &[]).await.unwrap();
    let mut dead = desk.bus.queues(&WorkerId::from("dead")).await.unwrap();
    assert_eq!(dead.read(&[Pool::from("cpu")], 1, PATIENCE).await.unwrap().len(), 1);
    // Long enough for the worker to take its own job before it looks for what is stale once more.
    let slow = Worker { lease: Duration::from_secs(12), ..settings() };
    let worker = desk.worker_out(slow, repository(), patient(4)).await;
    let held = gate.job("cpu", "held");
    desk.bus.enqueue(std::slice::from_ref(&held), &[]).await.unwrap();
    gate.has_been_asked(1).await;

    // As after an outage of Redis: all claims are old, and stay so until the worker has looked.
    let (stream, patience) = ("{mr:q:cpu:-}:normal", PATIENCE.as_millis().to_string());
    let grow_old = async {
        loop {
            let claims: Vec<Claim> =
                desk.redis.ask(&["XPENDING", stream, "workers", "-", "+", "9"]).await.unwrap();
            for (entry, worker, ..) in claims.iter().filter(|claim| claim.2 < 12_000) {
                let claim = ["XCLAIM", stream, "workers", worker, "0", entry, "IDLE", &patience, "JUSTID"];
                desk.redis.tell(&claim).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = grow_old => {}
        () = gate.has_been_asked(2) => {}
    }
    assert!(gate.asked().contains(&"left".to_owned()), "the worker has looked");
    desk.end_of(left.id).await.unwrap();
    gate.let_go(&["held"]);
    desk.end_of(held.id).await.unwrap();
    assert_eq!(gate.asked().iter().filter(|name| *name == "held").count(), 1, "{:?}", gate.asked());
    desk.queues_become_empty().await;
    assert_eq!(desk.counts(held.id).await, [("started", 1), ("completed", 1)].into());
    worker.stop().await;
}
