//! The runs that are under way while things die: branches, a loop, and jobs that fail and are tried again.

use std::time::Duration;

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use millrace_testkit::eventually;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::client::Client;
use crate::roles::root;

/// Submissions at once.
const SUBMITTERS: usize = 8;
/// Attempts of the job that always fails.
pub(crate) const ATTEMPTS: i64 = 3;

/// Pictures in the blob store: one that is sound, and one whose header is, so that only the worker finds out.
pub(crate) struct Pictures {
    pub(crate) sound: String,
    pub(crate) broken: String,
}

impl Pictures {
    pub(crate) async fn upload(client: &Client) -> anyhow::Result<Self> {
        let bytes = std::fs::read(root().join("examples/scene.jpg")).context("the demo's picture")?;
        Ok(Self { sound: client.upload(bytes).await?, broken: client.upload(broken_png()).await? })
    }
}

/// A PNG with a sound header whose pixels do not unpack.
fn broken_png() -> Vec<u8> {
    let header: [u8; 33] = [
        0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
        0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x08, 0x08, 0x00, 0x00, 0x00, 0x00, 0xe1, 0x64, 0xe1, 0x57,
    ];
    header.into_iter().chain(std::iter::repeat_n(0xff, 64)).collect()
}

/// Nothing is taken from the cache: what is disturbed is work.
///
/// A branch that is taken and one that is not, a loop of three, a job that fails three times and is passed over, a join.
pub(crate) fn busy() -> Value {
    let resize = |id: &str, image: &str, width: Value| json!({"id": id, "type": "resize", "inputs": {"image": image}, "config": {"width": width}, "cache": "off"});
    json!({"name": "busy", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "broken_photo", "type": "image_input"},
        {"id": "widths", "type": "parameter_input", "config": {"kind": "list<integer>", "default": [16, 24, 32]}},
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer"}},
        {"id": "even", "type": "condition", "inputs": {"value": "$inputs.photo", "n": "$inputs.n"},
         "config": {"if": "n % 2 == 0"}},
        resize("left", "$nodes.even.true", json!(40)),
        resize("right", "$nodes.even.false", json!(48)),
        {"id": "side", "type": "first_of", "inputs": {"left": "$nodes.left.image", "right": "$nodes.right.image"},
         "config": {"order": ["left", "right"]}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.widths"}},
        resize("small", "$nodes.side.value", json!("$item")),
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.small.image"}},
        {"id": "pause", "type": "delay", "inputs": {"value": "$nodes.all.count"}, "config": {"ms": 300}},
        {"id": "broken", "type": "resize", "inputs": {"image": "$inputs.broken_photo"}, "config": {"width": 8},
         "retry": {"max_attempts": ATTEMPTS, "initial_ms": 50, "jitter": 0.5, "on": ["INVALID_INPUT"]}, "on_error": "skip"},
        {"id": "join", "type": "first_of", "inputs": {"broken": "$nodes.broken.image", "side": "$nodes.side.value"},
         "config": {"order": ["broken", "side"]}},
        {"id": "answer", "type": "json_output",
         "inputs": {"count": "$nodes.pause.value", "picture": "$nodes.join.value"}},
    ]})
}

/// The model that jobs of `wide` run.
pub(crate) const MODEL: &str = "shapes-detector";

/// Two loops: so many jobs on pixels, and beside them so many that run a model, each with a bound of its own.
pub(crate) fn wide(pictures: usize, found: usize) -> Value {
    let widths: Vec<usize> = (16..16 + pictures).collect();
    let bounds: Vec<f64> = (0..found).map(|number| 0.25 + 0.001 * number as f64).collect();
    json!({"name": "wide", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "widths", "type": "parameter_input", "config": {"kind": "list<integer>", "default": widths}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.widths"}},
        {"id": "small", "type": "resize", "inputs": {"image": "$inputs.photo"}, "config": {"width": "$nodes.each.item"}, "cache": "off"},
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.small.image"}},
        {"id": "bounds", "type": "parameter_input", "config": {"kind": "list<float>", "default": bounds}},
        {"id": "every", "type": "for_each", "inputs": {"items": "$inputs.bounds"}},
        {"id": "seen", "type": "detection", "inputs": {"image": "$inputs.photo"},
         "config": {"model_id": MODEL, "confidence": "$nodes.every.item"}, "cache": "off"},
        {"id": "counts", "type": "collect", "inputs": {"item": "$nodes.seen.count"}},
        {"id": "answer", "type": "json_output",
         "inputs": {"pictures": "$nodes.all.items", "counts": "$nodes.counts.items"}},
    ]})
}

/// Submits `count` runs of `workflow`; `input` makes each one's.
pub(crate) async fn submit(
    client: &Client,
    workflow: &str,
    count: usize,
    input: impl Fn(usize) -> Value,
) -> anyhow::Result<Vec<String>> {
    let runs = (0..count).map(|number| client.run(workflow, input(number)));
    stream::iter(runs).buffered(SUBMITTERS).try_collect().await
}

/// Waits until the record knows the end of every run.
pub(crate) async fn all_ended(record: &PgPool, count: usize, patience: Duration) -> anyhow::Result<()> {
    let ended = eventually(patience, "every run ends", async || {
        let open: i64 =
            sqlx::query_scalar("select count(*) from wf_executions where status in ('pending', 'running')")
                .fetch_one(record)
                .await?;
        anyhow::Ok((open == 0).then_some(()))
    })
    .await;
    if let Err(error) = ended {
        let open: Vec<(String, String)> = sqlx::query_as(
            "select execution_id::text, node_id || path || ' ' || status || ' #' || attempt from wf_node_runs
            where status not in ('completed', 'skipped') order by 1, 2 limit 40",
        )
        .fetch_all(record)
        .await?;
        anyhow::bail!("{error}; open: {open:#?}");
    }
    // Those that were begun while their commit was under way, and taken back when it failed, were not.
    let all: i64 = sqlx::query_scalar(
        "select count(*) from wf_executions where (status, error_message) is distinct from ('cancelled', 'not accepted')",
    )
    .fetch_one(record)
    .await?;
    anyhow::ensure!(all == i64::try_from(count)?, "{all} runs where {count} were accepted");
    Ok(())
}
