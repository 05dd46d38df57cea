//! `json_output`: what a run gives.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Runner};
use crate::ports::Outputs;
use crate::schema::{read_as, schema_of};

/// Configuration of `json_output`: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "json_output",
        version: 1,
        category: Category::Output,
        title: "JSON output",
        help: "Its inputs become the run's outputs, as `outputs.<node id>.<name>`; images become links.",
        runner: Runner::Output,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: Vec::new(),
        further_inputs: Some(Kind::Any),
        outputs: Outputs::fixed(Vec::new()),
        check: None,
        examples: vec![Example {
            title: "A count and a picture",
            node: json!({
                "id": "answer", "type": "json_output",
                "inputs": {"count": "$nodes.detect.count", "picture": "$nodes.draw.image"}
            }),
        }],
    }
}
