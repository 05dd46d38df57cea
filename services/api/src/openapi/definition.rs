//! A workflow as the document describes it. What may stand in it is the compiler's to say; a test holds both to the same fields.
//! What is optional is left out: the compiler takes no null for it.
#![expect(dead_code, reason = "these types are described, never made: the compiler reads definitions")]

use std::collections::BTreeMap;

use millrace_contracts::job::Priority;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A workflow: a DAG of blocks.
#[derive(ToSchema)]
#[schema(example = json!({"name": "detect", "nodes": [
    {"id": "photo", "type": "image_input"},
    {"id": "detect", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "shapes-detector"}},
    {"id": "answer", "type": "json_output", "inputs": {"detections": "$nodes.detect.detections"}}
]}))]
pub(crate) struct Definition {
    /// 1 to 200 characters; a saved workflow needs one.
    #[schema(nullable = false)]
    name: Option<String>,
    nodes: Vec<Node>,
    /// A run's inputs, as an example.
    #[schema(nullable = false)]
    inputs_example: Option<Map<String, Value>>,
    /// Ends a run after so many milliseconds.
    #[schema(minimum = 1, nullable = false)]
    timeout_ms: Option<u64>,
    /// Node runs at once.
    #[schema(minimum = 1, nullable = false)]
    max_concurrency: Option<u32>,
    /// Its share among workflows of one priority.
    #[schema(minimum = 1, maximum = 16, nullable = false)]
    weight: Option<u32>,
    /// Workflows that come along, for `sub_workflow`, by name.
    #[schema(nullable = false, value_type = Option<BTreeMap<String, Map<String, Value>>>)]
    workflows: Option<BTreeMap<String, Value>>,
    /// What an editor keeps here, such as positions.
    #[schema(nullable = false)]
    ui: Option<Map<String, Value>>,
}

/// A block placed in a workflow. `GET /api/v1/blocks` tells what each type takes.
#[derive(ToSchema)]
pub(crate) struct Node {
    id: String,
    /// The block, `crop`, or a version of it, `crop@1`.
    r#type: String,
    /// Input port to selector or literal.
    #[schema(nullable = false)]
    inputs: Option<Map<String, Value>>,
    #[schema(nullable = false)]
    config: Option<Map<String, Value>>,
    #[schema(nullable = false)]
    retry: Option<Retry>,
    /// Ends an attempt after so many milliseconds.
    #[schema(minimum = 1, nullable = false)]
    timeout_ms: Option<u64>,
    /// `fail` (the run fails), `skip`, or `{"default": {…}}`: its outputs take these values.
    #[schema(nullable = false)]
    on_error: Option<Value>,
    /// The pool for its jobs.
    #[schema(nullable = false)]
    pool: Option<String>,
    #[schema(nullable = false)]
    priority: Option<Priority>,
    #[schema(nullable = false)]
    cache: Option<Cache>,
}

/// How often a node is tried, and when again.
#[derive(ToSchema)]
pub(crate) struct Retry {
    /// The first one counts.
    #[schema(minimum = 1, maximum = 20, nullable = false)]
    max_attempts: Option<u32>,
    #[schema(nullable = false)]
    initial_ms: Option<u64>,
    #[schema(nullable = false)]
    multiplier: Option<f64>,
    #[schema(nullable = false)]
    max_ms: Option<u64>,
    #[schema(nullable = false)]
    jitter: Option<f64>,
    /// The kinds of error it is for; those that may pass when none are named.
    #[schema(nullable = false)]
    on: Option<Vec<String>>,
}

/// Whether a result of the same content may be taken over.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Cache {
    Auto,
    Off,
}
