//! Large workflows run to their end: 500 jobs one after the other, and 500 at once.

use serde_json::{Value, json};

use crate::support::Stack;
use crate::support::events::{check_gapless, durable};
use crate::support::scenes::{base64, scene};

const JOBS: usize = 500;

/// A small picture, and `JOBS` jobs; `from` says what a job gets its picture from.
fn workflow(from: impl Fn(usize) -> String) -> Value {
    let resize = |id: &str, image: &str, width: usize| json!({"id": id, "type": "resize", "inputs": {"image": image}, "config": {"width": width}});
    let mut nodes = vec![json!({"id": "photo", "type": "image_input"}), resize("small", "$inputs.photo", 16)];
    nodes.extend((0..JOBS).map(|number| {
        let source = from(number);
        // No two alike, so that nothing can be answered from a cache.
        let width = 8 + number % 9;
        resize(&format!("n{number}"), &format!("$nodes.{source}.image"), width)
    }));
    let last = format!("$nodes.n{}.image", JOBS - 1);
    nodes.push(json!({"id": "answer", "type": "json_output", "inputs": {"last": last}}));
    json!({"name": "large", "nodes": nodes})
}

async fn runs_to_its_end(definition: &Value) -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let run = client.run_unsaved(definition, json!({"photo": base64(&scene(0)?)})).await?;
    let events = client.follow(&run, "?from=0").await?;
    check_gapless(&events, 1)?;
    let ended = client.ended(&run).await?;
    assert_eq!(ended["status"], "completed", "{}", ended["error"]);
    let progress = &ended["progress"];
    assert_eq!(
        (&progress["total"], &progress["completed"]),
        (&json!(JOBS + 3), &json!(JOBS + 3)),
        "{progress}"
    );
    let completed = durable(&events).into_iter().filter(|event| event.name == "node.completed");
    assert_eq!(completed.count(), JOBS + 3, "each node ends once");
    Ok(())
}

#[tokio::test]
async fn five_hundred_nodes_in_a_chain() -> anyhow::Result<()> {
    runs_to_its_end(&workflow(|number| match number {
        0 => "small".to_owned(),
        _ => format!("n{}", number - 1),
    }))
    .await
}

#[tokio::test]
async fn five_hundred_nodes_at_once() -> anyhow::Result<()> {
    runs_to_its_end(&workflow(|_| "small".to_owned())).await
}
