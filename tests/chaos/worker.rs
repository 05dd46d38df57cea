//! Invariant 4, of workers: what one had in hand when it died is taken over within ten seconds, and counts once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::StreamExt;
use millrace_testkit::eventually;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};

use crate::load::{MODEL, Pictures, all_ended, submit, wide};
use crate::roles::Site;
use crate::{check, size};

/// The promise.
const TAKEOVER: Duration = Duration::from_secs(10);
/// Jobs of one run: on pixels, and with a model.
const PICTURES: usize = 80;
const FOUND: usize = 20;
const ITEMS: usize = PICTURES + FOUND;

#[tokio::test]
async fn kill_9_of_a_worker_loses_no_job() -> anyhow::Result<()> {
    let runs = size(5, 50);
    let site = Site::start().await?;
    let _roles = [site.api()?, site.orchestrator()?, site.writer()?];
    let victim = site.worker()?;
    let (client, record) = (site.client().await?, check::record(&site.postgres.url()).await?);
    let pictures = Pictures::upload(&client).await?;
    let workflow = client.save(&wide(PICTURES, FOUND)).await?;
    submit(&client, &workflow, runs, |_| json!({"photo": pictures.sound})).await?;
    eventually(Duration::from_secs(60), "the worker is in the middle of both", async || {
        let done: (i64, i64) = sqlx::query_as(
            "select count(*) filter (where node_id = 'small'), count(*) filter (where node_id = 'seen')
            from wf_node_runs where status = 'completed'",
        )
        .fetch_one(&record)
        .await?;
        anyhow::Ok((done.0 >= 16 && done.1 >= 4).then_some(()))
    })
    .await?;
    victim.kill()?;
    let killed = Instant::now();
    let mut redis = redis::Client::open(site.redis.url())?.get_multiplexed_async_connection().await?;
    let dead = in_hand(&mut redis, "*").await?;
    let held: u64 = dead.values().sum();
    let with_model: u64 = in_hand(&mut redis, &format!("*:{MODEL}")).await?.values().sum();
    anyhow::ensure!(
        with_model > 0,
        "of {held} jobs that the worker had in hand none had a model: the test shows nothing of them"
    );
    let _heir = site.worker()?;
    let taken_over = eventually(TAKEOVER + Duration::from_secs(5), "what it had is taken over", async || {
        let left = in_hand(&mut redis, "*").await?;
        anyhow::Ok((!dead.keys().any(|worker| left.contains_key(worker))).then(|| killed.elapsed()))
    })
    .await?;
    all_ended(&record, runs, Duration::from_secs(90)).await?;
    eprintln!(
        "{} jobs, {held} in hand at the kill, {with_model} of them with a model, taken over within {taken_over:.1?}, all ended {:.1?} after it",
        runs * ITEMS,
        killed.elapsed()
    );
    assert!(taken_over <= TAKEOVER, "taking over took {taken_over:?}");
    check::all_is_well(&record).await?;
    let results: (i64, i64) = sqlx::query_as(
        "select count(*), count(distinct (execution_id, node_id, path)) from wf_inference_jobs where status = 'completed'",
    )
    .fetch_one(&record)
    .await?;
    assert_eq!(results, ((runs * ITEMS) as i64, (runs * ITEMS) as i64), "each job has one result");
    Ok(())
}

#[tokio::test]
async fn kill_9_in_the_middle_of_a_chain_is_done_again_by_another() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let _roles = [site.api()?, site.orchestrator()?, site.writer()?];
    let victim = site.worker()?;
    let (client, record) = (site.client().await?, check::record(&site.postgres.url()).await?);
    let pictures = Pictures::upload(&client).await?;
    let mut live = redis::Client::open(site.redis.url())?.get_async_pubsub().await?;
    live.psubscribe("inference:started").await?;
    let workflow = client.save(&row()).await?;
    submit(&client, &workflow, 1, |_| json!({"photo": pictures.sound})).await?;
    let mut begun = live.on_message();
    tokio::time::timeout(Duration::from_secs(60), async {
        while let Some(message) = begun.next().await {
            if message.get_payload::<String>()?.contains("\"nodeid\":\"long\"") {
                return anyhow::Ok(());
            }
        }
        anyhow::bail!("the subscription ended")
    })
    .await??;
    victim.kill()?;
    let done: i64 = sqlx::query_scalar(
        "select count(*) from wf_node_runs where status = 'completed' and node_id <> 'photo'",
    )
    .fetch_one(&record)
    .await?;
    assert_eq!(done, 0, "nothing was recorded of the chain");
    let _heir = site.worker()?;
    all_ended(&record, 1, Duration::from_secs(90)).await?;
    check::all_is_well(&record).await?;
    let results: (i64, i64) = sqlx::query_as(
        "select count(*), count(distinct node_id) from wf_inference_jobs where status = 'completed' and attempt = 1",
    )
    .fetch_one(&record)
    .await?;
    assert_eq!(results, (4, 4), "each has one result, of its first attempt");
    Ok(())
}

/// Four transforms in a row; the third takes long.
fn row() -> Value {
    let resize = |id: &str, image: &str, side: u32| {
        let config = json!({"width": side, "height": side, "interpolation": "lanczos3"});
        json!({"id": id, "type": "resize", "inputs": {"image": image}, "config": config, "cache": "off"})
    };
    json!({"name": "row", "nodes": [
        {"id": "photo", "type": "image_input"},
        resize("one", "$inputs.photo", 64),
        resize("two", "$nodes.one.image", 80),
        resize("long", "$nodes.two.image", 7000),
        resize("four", "$nodes.long.image", 32),
        {"id": "answer", "type": "json_output", "inputs": {"picture": "$nodes.four.image"}},
    ]})
}

/// How many jobs of some queues each worker has in hand, as Redis sees it.
async fn in_hand(redis: &mut MultiplexedConnection, queues: &str) -> anyhow::Result<HashMap<String, u64>> {
    let pattern = format!("{{mr:q:{queues}}}:normal");
    let streams: Vec<String> = redis::cmd("KEYS").arg(pattern).query_async(redis).await?;
    let mut held = HashMap::new();
    for stream in streams {
        type Summary = (u64, Option<String>, Option<String>, Option<Vec<(String, u64)>>);
        let summary: Summary = redis::cmd("XPENDING").arg(stream).arg("workers").query_async(redis).await?;
        for (worker, count) in summary.3.unwrap_or_default().into_iter().filter(|(_, count)| *count > 0) {
            *held.entry(worker).or_default() += count;
        }
    }
    Ok(held)
}
