//! Runs in line, and the door. No orchestrator is there, so that every run waits.

use millrace_config::Api;
use millrace_testkit::TestPostgres;
use serde_json::json;

use crate::health::job;
use crate::support::{World, constant, png};

#[tokio::test]
async fn runs_in_line_are_shown_with_their_places() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&constant()).await?;
    let mut links = Vec::new();
    for _ in 0..3 {
        let run = world.post(&format!("/api/v1/workflows/{workflow}/run"), &json!({"input": {}})).await?;
        links.push(run.body["links"]["self"].as_str().unwrap().to_owned());
    }
    for (ahead, link) in links.iter().enumerate() {
        let run = world.get(link).await?.body;
        assert_eq!(run["status"], "pending");
        assert_eq!(
            (&run["queue"]["position"], &run["queue"]["ahead_of_flow"]),
            (&json!(ahead + 1), &json!(ahead))
        );
        assert!(run["queue"]["waiting_ms"].is_u64(), "{run}");
    }
    let line = world.get("/api/v1/queues").await?.body["admission"].clone();
    assert_eq!((&line["running"], &line["waiting"]), (&json!(0), &json!(3)));
    assert_eq!(line["flows"], json!([{"flow": workflow, "priority": "normal", "waiting": 3, "running": 0}]));
    assert_eq!(line["priorities"][1]["priority"], "normal");
    assert!(line["priorities"][1]["oldest_ms"].is_u64());
    world.stop().await
}

#[tokio::test]
async fn beyond_what_may_wait_runs_are_refused_at_the_door() -> anyhow::Result<()> {
    let settings = Api { max_waiting_runs: 5, max_waiting_runs_per_workflow: 3, ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let mut paths = Vec::new();
    for weight in [1, 2] {
        let mut definition = constant();
        definition["weight"] = json!(weight);
        paths.push(format!("/api/v1/workflows/{}", world.save(&definition).await?));
    }
    let batch = |count: usize| json!({"inputs": vec![json!({}); count]});
    let refused = world.post(&format!("{}/run-batch", paths[0]), &batch(4)).await?;
    assert_eq!(refused.problem(429, "TOO_MANY_WAITING").header("retry-after"), "5");
    assert_eq!(world.post(&format!("{}/run-batch", paths[0]), &batch(3)).await?.status, 202);
    let one = json!({"input": {}});
    world.post(&format!("{}/run", paths[0]), &one).await?.problem(429, "TOO_MANY_WAITING");
    // Another workflow is not held up by that, until too many of all wait; nothing of a batch is accepted then.
    world.post(&format!("{}/run-batch", paths[1]), &batch(3)).await?.problem(503, "OVERLOADED");
    assert_eq!(world.post(&format!("{}/run-batch", paths[1]), &batch(2)).await?.status, 202);
    let full = world.post(&format!("{}/run", paths[1]), &one).await?;
    assert_eq!(full.problem(503, "OVERLOADED").header("retry-after"), "1");
    let accepted = world.get("/api/v1/executions?limit=50").await?.body;
    assert_eq!(
        accepted["executions"].as_array().map(Vec::len),
        Some(5),
        "nothing was accepted of what was refused"
    );
    world.stop().await
}

#[tokio::test]
async fn a_schedule_that_is_triggered_comes_to_the_door_too() -> anyhow::Result<()> {
    let settings = Api { max_waiting_runs: 3, max_waiting_runs_per_workflow: 1, ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let mut triggers = Vec::new();
    for weight in 1..=4 {
        let mut definition = constant();
        definition["weight"] = json!(weight);
        let schedules = format!("/api/v1/workflows/{}/schedules", world.save(&definition).await?);
        let made = world.post(&schedules, &json!({"cron": "@yearly"})).await?;
        triggers.push(format!("{}/trigger", made.header("location")));
    }
    for trigger in &triggers[..3] {
        assert_eq!(world.post(trigger, &json!(null)).await?.status, 202);
    }
    let refused = world.post(&triggers[0], &json!(null)).await?;
    assert_eq!(refused.problem(429, "TOO_MANY_WAITING").header("retry-after"), "5");
    world.post(&triggers[3], &json!(null)).await?.problem(503, "OVERLOADED");
    let accepted = world.get("/api/v1/executions?limit=50").await?.body;
    assert_eq!(accepted["executions"].as_array().map(Vec::len), Some(3));
    world.stop().await
}

/// The pool alone is full, and so are only those who use it.
#[tokio::test]
async fn a_full_queue_of_jobs_turns_those_away_who_would_use_it() -> anyhow::Result<()> {
    let settings = Api { max_waiting_jobs: 2, ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    world.bus.enqueue(&[job(), job()], &[]).await?;
    let resize = json!({"name": "small", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "small", "type": "resize", "inputs": {"image": "$inputs.photo"}, "config": {"width": 8}},
        {"id": "answer", "type": "json_output", "inputs": {"image": "$nodes.small.image"}},
    ]});
    let path = format!("/api/v1/workflows/{}/run", world.save(&resize).await?);
    let image = world.blobs.put(png(16, 16).into()).await?;
    let body = json!({"input": {"photo": format!("blob:{image}")}});
    let refused = world.post(&path, &body).await?;
    assert_eq!(refused.problem(429, "QUEUE_FULL").header("retry-after"), "5");
    assert_eq!(refused.body["retryable"], true);
    assert_eq!(world.post("/api/v1/executions", &json!({"workflow": constant()})).await?.status, 202);
    world.stop().await
}

#[tokio::test]
async fn what_is_sent_again_passes_a_closed_door_and_makes_nothing_new() -> anyhow::Result<()> {
    let settings = Api { max_waiting_runs: 3, ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let path = format!("/api/v1/workflows/{}", world.save(&constant()).await?);
    let calls = [("run", json!({"input": {}})), ("run-batch", json!({"inputs": [{}, {}]}))];
    let mut made = Vec::new();
    for (call, body) in &calls {
        let answer = world.post_keyed(&format!("{path}/{call}"), body, "once").await?;
        assert_eq!(answer.status, 202, "{answer:?}");
        made.push(answer.body);
    }
    for ((call, body), made) in calls.iter().zip(&made) {
        world.post_keyed(&format!("{path}/{call}"), body, "twice").await?.problem(503, "OVERLOADED");
        let again = world.post_keyed(&format!("{path}/{call}"), body, "once").await?;
        assert_eq!(again.status, 202, "{again:?}");
        for name in ["execution_id", "execution_ids"] {
            assert_eq!(again.body[name], made[name]);
        }
    }
    let accepted = world.get("/api/v1/executions?limit=50").await?.body;
    assert_eq!(accepted["executions"].as_array().map(Vec::len), Some(3));
    world.stop().await
}
