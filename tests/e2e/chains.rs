//! Transforms in a row: one job for the worker, and for everybody else as many node runs, each with events and times of its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::StreamExt;
use redis::aio::PubSub;
use serde_json::{Value, json};

use crate::support::events::{SseEvent, check_gapless, durable};
use crate::support::scenes::scene;
use crate::support::stack::Servers;
use crate::support::{Client, Stack};

const PATIENCE: Duration = Duration::from_secs(60);
const NODES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Five transforms in a row; the run gives what each made.
fn workflow() -> Value {
    let node = |id: &str, kind: &str, image: &str, config: Value| json!({"id": id, "type": kind, "inputs": {"image": image}, "config": config, "cache": "off"});
    let pictures: serde_json::Map<String, Value> =
        NODES.iter().map(|id| ((*id).to_owned(), json!(format!("$nodes.{id}.image")))).collect();
    json!({"name": "chain", "nodes": [
        {"id": "photo", "type": "image_input"},
        node("a", "resize", "$inputs.photo", json!({"width": 200, "height": 150})),
        node("b", "rotate_flip", "$nodes.a.image", json!({"degrees": 90})),
        node("c", "smoothing", "$nodes.b.image", json!({"kernel_size": 3})),
        node("d", "normalize", "$nodes.c.image", json!({"equalize": "stretch"})),
        node("e", "crop", "$nodes.d.image", json!({"mode": "absolute", "region": [10, 10, 90, 120]})),
        {"id": "answer", "type": "json_output", "inputs": pictures},
    ]})
}

/// The same with a third step that cannot be done.
fn failing(on_error: Value) -> Value {
    let mut workflow = workflow();
    workflow["nodes"][3]["type"] = json!("crop");
    workflow["nodes"][3]["config"] = json!({"mode": "absolute", "region": [5000, 5000, 5100, 5100]});
    workflow["nodes"][3]["on_error"] = on_error;
    workflow
}

async fn operator(stack: &Stack) -> anyhow::Result<PubSub> {
    let mut subscription = redis::Client::open(stack.servers.redis.url())?.get_async_pubsub().await?;
    subscription.psubscribe("workflow:*").await?;
    subscription.psubscribe("inference:*").await?;
    Ok(subscription)
}

/// Channel and node of what an operator sees until the run has ended.
async fn seen(subscription: PubSub, run: &str) -> anyhow::Result<BTreeMap<(String, String), usize>> {
    let mut messages = subscription.into_on_message();
    let mut seen = BTreeMap::new();
    let seeing = async {
        while let Some(message) = messages.next().await {
            let event: Value = serde_json::from_str(&message.get_payload::<String>()?)?;
            let (channel, node) = (message.get_channel_name().to_owned(), event["nodeid"].as_str());
            if event["executionid"] != run {
                continue;
            }
            *seen.entry((channel.clone(), node.unwrap_or_default().to_owned())).or_default() += 1;
            if matches!(channel.as_str(), "workflow:completed" | "workflow:failed" | "workflow:cancelled") {
                return Ok(seen);
            }
        }
        anyhow::bail!("the subscription ended")
    };
    tokio::time::timeout(PATIENCE, seeing).await.context("the run's end was not seen")?
}

/// The terminal event of each node, in order.
fn ends(events: &[SseEvent]) -> Vec<(&str, &Value)> {
    let of_nodes = durable(events).into_iter().filter(|event| event.name.starts_with("node."));
    of_nodes.map(|event| (event.name.as_str(), &event.data["data"])).collect()
}

/// How the five ended.
fn statuses(events: &[SseEvent]) -> BTreeMap<&str, &str> {
    ends(events)
        .into_iter()
        .filter_map(|(_, node)| Some((node["node_id"].as_str()?, node["status"].as_str()?)))
        .filter(|(node, _)| NODES.contains(node))
        .collect()
}

async fn blob(client: &Client) -> anyhow::Result<Value> {
    Ok(json!({"photo": format!("blob:{}", client.upload(scene(2)?).await?)}))
}

#[tokio::test]
async fn five_in_a_row_are_one_job_and_five_node_runs() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let operator = operator(&stack).await?;
    let run = client.run_unsaved(&workflow(), blob(&client).await?).await?;
    let seen = seen(operator, &run).await?;
    let times = |channel: &str, node: &str| seen.get(&(channel.to_owned(), node.to_owned())).copied();
    for node in NODES {
        for channel in ["workflow:node:queued", "workflow:node:started", "workflow:node:completed"] {
            assert_eq!(times(channel, node), Some(1), "{channel} {node}");
        }
        assert_eq!(times("inference:completed", node), Some(1), "{node} is a job of its own");
        assert_eq!(times("inference:queued", node), (node == "a").then_some(1), "one is handed out for all");
    }

    let events = client.follow(&run, "?from=0").await?;
    check_gapless(&events, 1)?;
    let of_nodes: BTreeMap<&str, &Value> =
        ends(&events).into_iter().filter_map(|(_, node)| Some((node["node_id"].as_str()?, node))).collect();
    for pair in NODES.windows(2) {
        let (before, after) = (of_nodes[pair[0]], of_nodes[pair[1]]);
        let at = |node: &Value, what: &str| node[what].as_i64().with_context(|| format!("{what}: {node}"));
        assert!(at(before, "started_at")? <= at(before, "completed_at")?, "{before}");
        // A picture is stored beside the next step: that may have begun before the one before it was done.
        assert!(at(before, "started_at")? <= at(after, "started_at")?, "{before} {after}");
        assert!(at(before, "completed_at")? <= at(after, "completed_at")?, "{before} {after}");
        assert_ne!(before["job"]["id"], after["job"]["id"]);
        assert!(after["metrics"]["total_time_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{after}");
    }

    let apart = Stack::with(Servers::start().await?, &[("MILLRACE__ORCHESTRATOR__CHAIN_NODES", "1")])?;
    let client_apart = apart.client();
    let run_apart = client_apart.run_unsaved(&workflow(), blob(&client_apart).await?).await?;
    let [together, apart] = [client.ended(&run).await?, client_apart.ended(&run_apart).await?];
    // Pictures are named by the digest of their bytes.
    assert_eq!(together["outputs"], apart["outputs"]);
    assert_eq!(together["inference_jobs_completed"], apart["inference_jobs_completed"]);
    Ok(())
}

#[tokio::test]
async fn a_step_that_fails_fails_for_itself() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let input = blob(&client).await?;
    let run = client.run_unsaved(&failing(json!("fail")), input.clone()).await?;
    let events = client.follow(&run, "?from=0").await?;
    let expected =
        [("a", "completed"), ("b", "completed"), ("c", "failed"), ("d", "cancelled"), ("e", "cancelled")];
    assert_eq!(statuses(&events), BTreeMap::from(expected));
    let ends = ends(&events);
    let failed = ends.iter().find(|(_, node)| node["node_id"] == "c").context("c ended")?.1;
    assert_eq!(
        (&failed["error"]["kind"], &failed["error"]["pointer"]),
        (&json!("INVALID_INPUT"), &json!("/config/region"))
    );

    let run = client.run_unsaved(&failing(json!("skip")), input).await?;
    let events = client.follow(&run, "?from=0").await?;
    let expected =
        [("a", "completed"), ("b", "completed"), ("c", "failed"), ("d", "skipped"), ("e", "skipped")];
    assert_eq!(statuses(&events), BTreeMap::from(expected));
    Ok(())
}

#[tokio::test]
async fn a_cancel_ends_a_chain_in_the_middle() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let mut workflow = workflow();
    // Long enough to be cancelled in the middle of.
    workflow["nodes"][2]["type"] = json!("resize");
    workflow["nodes"][2]["config"] = json!({"width": 7000, "height": 7000, "interpolation": "lanczos3"});
    let mut messages = operator(&stack).await?.into_on_message();
    let run = client.run_unsaved(&workflow, blob(&client).await?).await?;
    tokio::time::timeout(PATIENCE, async {
        while let Some(message) = messages.next().await {
            let event: Value = serde_json::from_str(&message.get_payload::<String>()?)?;
            if message.get_channel_name() == "inference:started" && event["nodeid"] == "b" {
                return anyhow::Ok(());
            }
        }
        anyhow::bail!("the subscription ended")
    })
    .await
    .context("the second step was not begun")??;
    let asked = Instant::now();
    let answer = client.post(&format!("/executions/{run}/cancel"), &json!({})).await?;
    assert!(answer.status().is_success(), "{}", answer.status());
    let ended = client.ended(&run).await?;
    assert_eq!(ended["status"], "cancelled");
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
    let events = client.follow(&run, "?from=0").await?;
    let mut told = statuses(&events);
    // On a machine so slow that the first step took longer than a chain may, it was told of by itself.
    let first = told.remove("a");
    assert!(matches!(first, Some("cancelled" | "completed")), "{first:?}");
    let others: BTreeMap<_, _> = NODES[1..].iter().map(|node| (*node, "cancelled")).collect();
    assert_eq!(told, others);
    Ok(())
}
