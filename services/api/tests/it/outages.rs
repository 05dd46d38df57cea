//! Invariants 1, 3 and 6 at the door: what is promised while Redis or Postgres is away, and afterwards.

use std::time::{Duration, Instant};

use millrace_api::{Deps, run};
use millrace_config::Api;
use millrace_store::{RecordBatch, Store, StoreSettings};
use millrace_testkit::{TestPostgres, eventually};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, Reply, World, constant};

/// How long the store tries to reach an absent Postgres.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

#[tokio::test]
async fn invariant_1_nothing_is_accepted_without_postgres() -> anyhow::Result<()> {
    let mut world = World::start_with(Api::default(), TestPostgres::start_alone().await?).await?;
    let mut player = world.play().await?;
    player.start().await?;
    let server = world.postgres.server().expect("the server is this test's own");
    server.kill().await;

    let refused = world.post("/api/v1/executions", &json!({"workflow": constant()})).await?;
    refused.problem(503, "DATABASE_UNAVAILABLE");
    assert!(!refused.body.to_string().contains("sqlx"), "{refused:?}");
    // Invariant 6: what runs goes on, and is seen to.
    let asked = Instant::now();
    let seen = world.get(&format!("/api/v1/executions/{}", player.run)).await?;
    assert!(asked.elapsed() < ACQUIRE_TIMEOUT, "it waited for the record, which says no more");
    assert_eq!((seen.status, seen.body["status"].as_str()), (200, Some("running")));
    // What only the record knows is refused as quickly, and like every other refusal of the kind.
    let unread = [
        "executions",
        "workflows",
        "models",
        "inference/jobs",
        "keys",
        "audit",
        "collections",
        "dead-letters",
    ];
    let asked = Instant::now();
    for path in unread {
        world.get(&format!("/api/v1/{path}")).await?.problem(503, "DATABASE_UNAVAILABLE");
    }
    assert!(asked.elapsed() < ACQUIRE_TIMEOUT, "{:?} for {} refusals", asked.elapsed(), unread.len());
    for path in ["queues", "workers", "blocks"] {
        assert_eq!(world.get(&format!("/api/v1/{path}")).await?.status, 200, "{path}");
    }
    let mut follower = world.follow(player.run, None).await?;
    follower.expect("snapshot").await?;
    player.complete(json!({})).await?;
    follower.expect("completed").await?;

    world.postgres.server().expect("the server is this test's own").restart().await?;
    eventually(DEADLINE, "runs are accepted again", async || {
        let again = world.post("/api/v1/executions", &json!({"workflow": constant()})).await?;
        Ok::<_, anyhow::Error>((again.status == 202).then_some(()))
    })
    .await?;
    world.stop().await
}

#[tokio::test]
async fn a_run_is_accepted_without_redis_and_streams_resume_when_it_is_back() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let mut player = world.play().await?;
    player.start().await?;
    let mut follower = world.follow(player.run, None).await?;
    follower.expect("snapshot").await?;
    player.node("min").await?;
    assert_eq!(follower.expect("node.completed").await?.id, "1-2");

    world.redis.server().kill().await;
    let accepted = world.post("/api/v1/executions", &json!({"workflow": constant()})).await?;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let unseen = accepted.body["links"]["self"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&unseen).await?.body["status"], "pending");
    let cancel = format!("/api/v1/executions/{}/cancel", player.run);
    Reply::of(world.request(reqwest::Method::POST, &cancel)).await?.problem(503, "BUS_UNAVAILABLE");

    // The test's Redis keeps nothing; the run's state and log come back as an orchestrator would rebuild them.
    world.redis.server().restart().await?;
    let mut rebuilt = crate::support::Player::new(world.bus.clone(), player.run);
    rebuilt.meta.epoch = 2;
    eventually(DEADLINE, "the bus is back", async || Ok::<_, anyhow::Error>(world.bus.ping().await.ok()))
        .await?;
    rebuilt.start().await?;
    let state = follower.expect("snapshot").await?;
    assert_eq!((state.id.as_str(), state.data["epoch"].as_u64()), ("2-1", Some(2)));
    rebuilt.complete(json!({})).await?;
    assert_eq!(follower.expect("completed").await?.id, "2-2");
    follower.expect("end").await?;
    assert!(follower.next().await?.is_none());
    world.stop().await
}

#[tokio::test]
async fn invariant_3_nobody_is_sent_back_while_redis_is_away() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let mut player = world.play().await?;
    player.start().await?;
    for _ in 0..4 {
        player.node("min").await?;
    }
    // The record is two events behind the client.
    world.store.record(&RecordBatch { events: player.committed[..3].to_vec() }).await?;
    world.redis.server().kill().await;
    let mut follower = world.follow(player.run, Some("1-5")).await?;

    // The log comes back, and goes on where it was.
    world.redis.server().restart().await?;
    let lost = std::mem::take(&mut player.committed);
    let mut player = crate::support::Player::new(world.bus.clone(), player.run);
    eventually(DEADLINE, "the bus is back", async || Ok::<_, anyhow::Error>(world.bus.ping().await.ok()))
        .await?;
    player.meta.seq = 5;
    player.meta.status = millrace_contracts::ExecutionStatus::Running;
    player.commit(lost, Vec::new()).await?;
    player.complete(json!({})).await?;
    assert_eq!(follower.rest().await?, ["completed@1-6", "end@1-6"]);
    world.stop().await
}

#[tokio::test]
async fn a_postgres_that_lets_nobody_in_is_away_like_any_other() -> anyhow::Result<()> {
    let world = World::start().await?;
    let url = world.postgres.url();
    let (_, host) = url.split_once('@').expect("a password");
    let store = Store::connect(&StoreSettings::new(format!("postgres://millrace:wrong@{host}")))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/api/v1", listener.local_addr()?);
    let stop = CancellationToken::new();
    let other = tokio::spawn(run(Deps { store, ..world.deps() }, listener, stop.clone()));
    let submitted = world.client.post(format!("{address}/executions")).json(&json!({"workflow": constant()}));
    for request in [submitted, world.client.get(format!("{address}/workflows"))] {
        Reply::of(request).await?.problem(503, "DATABASE_UNAVAILABLE");
    }
    stop.cancel();
    other.await??;
    world.stop().await
}
