//! Ctrl-C in the middle of a run stops everything within ten seconds, and the next start finishes that run.
//! So does kill -9.

use std::path::Path;
use std::time::Duration;

use millrace_testkit::eventually;
use serde_json::{Value, json};

use crate::support::Stack;
use crate::support::events::check_gapless;
use crate::support::scenes::{base64, scene};
use crate::support::stack::STOP_DEADLINE;

/// A run that is surely under way when it is interrupted: it waits in the middle, by a durable timer.
fn slow_workflow() -> Value {
    json!({
        "name": "slow",
        "nodes": [
            {"id": "photo", "type": "image_input"},
            {"id": "before", "type": "detection", "inputs": {"image": "$inputs.photo"},
             "config": {"model_id": "shapes-detector"}},
            {"id": "pause", "type": "delay", "inputs": {"value": "$nodes.before.detections"},
             "config": {"ms": 3000}},
            {"id": "after", "type": "draw_boxes",
             "inputs": {"image": "$inputs.photo", "detections": "$nodes.pause.value"}},
            {"id": "answer", "type": "json_output",
             "inputs": {"count": "$nodes.before.count", "picture": "$nodes.after.image"}},
        ]
    })
}

async fn start_and_reach_the_pause(stack: &Stack) -> anyhow::Result<String> {
    let client = stack.client();
    let run = client.run_unsaved(&slow_workflow(), json!({"photo": base64(&scene(0)?)})).await?;
    eventually(Duration::from_secs(30), "the run reaches its pause", async || {
        let answer = client.get_json(&format!("/executions/{run}/nodes")).await?;
        let nodes = answer["nodes"].as_array().or(answer.as_array()).cloned().unwrap_or_default();
        let paused = nodes.iter().any(|node| node["node_id"] == "pause" && node["status"] == "running");
        Ok::<_, anyhow::Error>(paused.then_some(()))
    })
    .await?;
    Ok(run)
}

async fn check_finished(stack: &Stack, run: &str) -> anyhow::Result<()> {
    let client = stack.client();
    let events = client.follow(run, "?from=0").await?;
    check_gapless(&events, 1)?;
    let ended = client.ended(run).await?;
    assert_eq!(ended["status"], "completed", "{ended}");
    let detections =
        events.iter().filter(|event| event.name == "node.completed" && event.data["nodeid"] == "before");
    assert_eq!(detections.count(), 1, "what was recorded as done is not done again");
    Ok(())
}

#[tokio::test]
async fn ctrl_c_stops_in_time_and_the_next_start_finishes_the_run() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let run = start_and_reach_the_pause(&stack).await?;
    let worker = worker_pid(&stack).await?;
    let (took, servers) = stack.interrupt()?;
    assert!(took <= STOP_DEADLINE, "stopping took {took:?}");
    assert!(!is_alive(worker), "the worker {worker} outlived millrace");
    let stack = Stack::on(servers)?;
    check_finished(&stack, &run).await
}

#[tokio::test]
async fn a_run_survives_kill_9() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let run = start_and_reach_the_pause(&stack).await?;
    let worker = worker_pid(&stack).await?;
    let servers = stack.kill()?;
    eventually(Duration::from_secs(10), "the orphaned worker ends by itself", async || {
        Ok::<_, anyhow::Error>((!is_alive(worker)).then_some(()))
    })
    .await?;
    let stack = Stack::on(servers)?;
    check_finished(&stack, &run).await
}

/// The process id of the stack's one worker: a child of `millrace up`.
async fn worker_pid(stack: &Stack) -> anyhow::Result<u32> {
    let parent = stack.pid();
    eventually(Duration::from_secs(30), "millrace has a worker", async || {
        let mut processes = std::fs::read_dir("/proc")?.flatten();
        let worker = processes.find_map(|process| worker_of(parent, &process.path()));
        Ok::<_, std::io::Error>(worker)
    })
    .await
}

fn worker_of(parent: u32, process: &Path) -> Option<u32> {
    let status = std::fs::read_to_string(process.join("status")).ok()?;
    let parent_line = format!("PPid:\t{parent}");
    let command = std::fs::read_to_string(process.join("cmdline")).ok()?;
    let is_worker =
        status.lines().any(|line| line == parent_line) && command.split('\0').any(|part| part == "worker");
    is_worker.then(|| process.file_name()?.to_str()?.parse().ok())?
}

fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
