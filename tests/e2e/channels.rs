//! An operator with `redis-cli PSUBSCRIBE` sees every step of the path, each as a CloudEvent.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::support::Stack;
use crate::support::scenes::{base64, demo_workflow, image_input, scene};

const SEEN_DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn every_channel_of_the_path_is_visible() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let redis = redis::Client::open(stack.servers.redis.url())?;
    let mut subscription = redis.get_async_pubsub().await?;
    for pattern in ["workflow:*", "inference:*", "worker:*", "model:*"] {
        subscription.psubscribe(pattern).await?;
    }
    let client = stack.client();
    let workflow = demo_workflow()?;
    let name = image_input(&workflow)?.to_owned();
    let run = client.run_unsaved(&workflow, json!({&name: base64(&scene(0)?)})).await?;

    let mut wanted = BTreeSet::from([
        "workflow:execute",
        "workflow:started",
        "workflow:node:queued",
        "workflow:node:started",
        "workflow:node:completed",
        "workflow:completed",
        "inference:queued",
        "inference:started",
        "inference:completed",
        "worker:heartbeat",
    ]);
    let mut messages = subscription.on_message();
    let seeing = async {
        while !wanted.is_empty() {
            let message = messages.next().await.context("the subscription ended")?;
            let channel = message.get_channel_name().to_owned();
            let payload: String = message.get_payload()?;
            check_envelope(&channel, &payload, &run)?;
            wanted.remove(channel.as_str());
        }
        anyhow::Ok(())
    };
    match tokio::time::timeout(SEEN_DEADLINE, seeing).await {
        Ok(seen) => seen,
        Err(_) => anyhow::bail!("not seen: {wanted:?}"),
    }
}

fn check_envelope(channel: &str, payload: &str, run: &str) -> anyhow::Result<()> {
    anyhow::ensure!(payload.len() <= 64 * 1024, "{channel}: an event of {} bytes", payload.len());
    let event: Value = serde_json::from_str(payload).with_context(|| format!("{channel}: {payload}"))?;
    anyhow::ensure!(event["specversion"] == "1.0", "{channel}: {payload}");
    let kind = format!("millrace.{}", channel.replace(':', "."));
    anyhow::ensure!(event["type"] == kind.as_str(), "{channel}: type {}", event["type"]);
    let about_a_run = channel.starts_with("workflow:") || channel.starts_with("inference:");
    anyhow::ensure!(!about_a_run || event["executionid"] == run, "{channel}: {payload}");
    Ok(())
}
