//! What the workers of `millrace up` tell of themselves, and where.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use futures::StreamExt;
use millrace_testkit::{eventually, test_folder};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::Stack;
use crate::support::stack::{Servers, root};

const PATIENCE: Duration = Duration::from_secs(30);
/// A model counts for half of its files at least, which is far more than a run of it takes: for 64 MiB.
const WEIGHTS: u64 = 128 << 20;
/// Of which it takes nine tenths.
const BUDGET: &str = "72 MiB";

/// Puts a model into `folder` whose files are large, and what it was measured to take into the file `facts`: that is believed, so
/// that it is tried though its files alone are more than the budget.
fn large_model(folder: &Path, facts: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder.join("large"))?;
    let graph = folder.join("large/model.onnx");
    let bytes = std::fs::copy(root().join("models/shapes-detector/model.onnx"), &graph)?;
    std::fs::File::create(folder.join("large/model.onnx_data"))?.set_len(WEIGHTS)?;
    let measured = json!({"large": {"file_bytes": WEIGHTS + bytes, "memory_bytes": 1}});
    Ok(std::fs::write(facts, measured.to_string())?)
}

#[tokio::test]
async fn how_short_the_memory_of_a_worker_is_is_told_by_its_signs_of_life_the_api_and_its_metrics()
-> anyhow::Result<()> {
    let folder = test_folder()?;
    let (models, facts) = (folder.path().join("models"), folder.path().join("facts.json"));
    large_model(&models, &facts)?;
    let servers = Servers::start().await?;
    let redis = redis::Client::open(servers.redis.url())?;
    let mut subscription = redis.get_async_pubsub().await?;
    subscription.subscribe("worker:heartbeat").await?;
    let settings = [
        ("MILLRACE__MODELS__MEMORY_BUDGET", BUDGET),
        ("MILLRACE__MODELS__MEMORY_FACTS", &facts.display().to_string()),
        ("MILLRACE__MODELS__PRELOAD", "large"),
    ];
    let stack = Stack::with_models(servers, &models.display().to_string(), &settings)?;

    let mut messages = subscription.on_message();
    let heard = async {
        loop {
            let message = messages.next().await.context("the subscription ended")?;
            let event: Value = serde_json::from_str(&message.get_payload::<String>()?)?;
            if event["data"]["memory"]["pressure"] == "high" {
                return anyhow::Ok(event["data"]["health_listen"].clone());
            }
        }
    };
    let address = tokio::time::timeout(PATIENCE, heard).await.context("no sign of life says it")??;
    let address = address.as_str().context("a worker of up tells where it answers")?;

    let client = stack.client();
    eventually(PATIENCE, "the api tells it", async || {
        let listed = client.get_json("/workers").await?;
        anyhow::Ok((listed["workers"][0]["memory"]["pressure"] == "high").then_some(()))
    })
    .await?;
    eventually(PATIENCE, "its metrics tell it", async || {
        let told = reqwest::get(format!("http://{address}/metrics")).await?.text().await?;
        anyhow::Ok(told.lines().any(|line| line == "millrace_worker_memory_pressure 2").then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_worker_of_up_tells_where_it_answers_for_its_health_and_its_metrics() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let address = eventually(PATIENCE, "the worker is listed", async || {
        let listed = client.get_json("/workers").await?;
        anyhow::Ok(listed["workers"][0]["health_listen"].as_str().map(ToOwned::to_owned))
    })
    .await?;
    let answer = reqwest::get(format!("http://{address}/healthz")).await?;
    assert!(answer.status().is_success(), "{answer:?}");
    eventually(PATIENCE, "it tells of its memory", async || {
        let told = reqwest::get(format!("http://{address}/metrics")).await?.text().await?;
        let is_told = |metric: &str| told.lines().any(|line| line.starts_with(metric));
        let all = ["millrace_worker_memory_pressure", "millrace_worker_model_budget_bytes"];
        anyhow::Ok(all.into_iter().all(is_told).then_some(()))
    })
    .await?;

    let mut list = Command::new(env!("CARGO_BIN_EXE_millrace"));
    let table = list.args(["workers", "list", "--url", &stack.api]).output().await?;
    let table = String::from_utf8(table.stdout)?;
    assert!(table.contains("HEALTH") && table.contains(&address), "{table}");
    Ok(())
}
