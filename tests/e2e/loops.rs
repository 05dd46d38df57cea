//! Large loops, through real services: a thousand items go through in order and in bounded memory, and what is too large
//! is refused with the limit it breaks.

use anyhow::Context;
use millrace_testkit::eventually;
use serde_json::{Value, json};

use crate::support::Stack;
use crate::support::client::RUN_DEADLINE;
use crate::support::events::{check_gapless, durable};

const ITEMS: u16 = 1_000;
/// What the control plane (api, orchestrator and writer, one process) may grow by for 3,000 node runs, all kept in memory while
/// the run goes on. Far more than it takes, far less than a copy per item would.
const MOST_GROWTH_KIB: u64 = 256 * 1024;

/// Three nodes per item.
fn triple() -> Value {
    let step = |id: &str, from: &str| json!({"id": id, "type": "map", "inputs": {"items": from}, "config": {"expr": "item + 1.0"}});
    json!({"name": "triple", "nodes": [
        {"id": "rows", "type": "parameter_input", "config": {"kind": "list<list<float>>"}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.rows"}, "config": {"max_parallel": 64}},
        step("a", "$nodes.each.item"),
        step("b", "$nodes.a.items"),
        step("c", "$nodes.b.items"),
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.c.items"}},
        {"id": "answer", "type": "json_output", "inputs": {"rows": "$nodes.all.items"}},
    ]})
}

fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS is told")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[tokio::test]
async fn a_thousand_items_go_through_three_nodes_in_order_and_in_bounded_memory() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let rows: Vec<Value> = (0..ITEMS).map(|item| json!([f64::from(item)])).collect();
    let before = resident_kib(stack.pid())?;
    let run = client.run_unsaved(&triple(), json!({"rows": rows})).await?;
    let events = client.follow(&run, "?from=0").await?;
    check_gapless(&events, 1)?;
    let told = durable(&events).iter().filter(|event| event.name == "node.completed").count();
    assert!(told >= 3 * usize::from(ITEMS), "{told} node runs were told");
    let ended = client.get_json(&format!("/executions/{run}")).await?;
    let grown = resident_kib(stack.pid())?.saturating_sub(before);
    assert!(grown < MOST_GROWTH_KIB, "the control plane grew by {grown} KiB");
    assert_eq!(ended["status"], "completed", "{ended}");
    Ok(())
}

/// What is told of each node is the same while Redis has the run and from the record.
#[tokio::test]
async fn a_loops_nodes_are_measured_alike_live_and_recorded() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let run = client.run_unsaved(&triple(), json!({"rows": [[1.0], [2.0], [3.0]]})).await?;
    client.follow(&run, "?from=0").await?;
    let live = client.get_json(&format!("/executions/{run}")).await?;
    assert_eq!(live["node_metrics"]["b"]["runs"], 3, "{live}");
    eventually(RUN_DEADLINE, "the run is recorded", async || {
        let page = client.get_json("/executions?status=completed").await?;
        anyhow::Ok(page.to_string().contains(&run).then_some(()))
    })
    .await?;
    stack.servers.redis.flush().await?;
    let recorded = client.get_json(&format!("/executions/{run}")).await?;
    assert_eq!(recorded["seq"], Value::Null, "this is the record");
    assert_eq!(recorded["node_metrics"], live["node_metrics"]);
    Ok(())
}

#[tokio::test]
async fn a_loop_that_is_too_large_is_refused_with_the_limit_it_breaks() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let numbers = json!({"name": "large", "nodes": [
        {"id": "list", "type": "parameter_input", "config": {"kind": "list<float>"}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.list"}},
        {"id": "a", "type": "map", "inputs": {"items": [1], "n": "$nodes.each.item"}, "config": {"expr": "n"}},
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.a.items"}},
        {"id": "answer", "type": "json_output", "inputs": {"all": "$nodes.all.items"}},
    ]});
    let run = client.run_unsaved(&numbers, json!({"list": vec![1.0; 100_000]})).await?;
    let ended = client.ended(&run).await?;
    assert_eq!(ended["status"], "failed", "{ended}");
    let error = &ended["error"];
    assert_eq!((&error["kind"], &error["node"]), (&json!("INVALID_INPUT"), &json!("each")), "{error}");
    assert_eq!(error["pointer"], "/inputs/items");
    let message = error["message"].as_str().context("a failure has a message")?;
    assert!(message.contains("100000") && message.contains("20000"), "{message}");
    Ok(())
}
