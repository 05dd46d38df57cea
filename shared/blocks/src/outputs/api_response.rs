//! `api_response`: what a request that waits for its run is answered.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Runner};
use crate::ports::{InputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// The block's name.
pub const NAME: &str = "api_response";

/// Configuration of `api_response`: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: NAME,
        version: 1,
        category: Category::Output,
        title: "API response",
        help: "Answers a request that waits for its run (`?wait=`) with this body, as JSON, and this status.",
        runner: Runner::Output,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![
            InputPort::required(
                "body",
                Kind::Any,
                "The answer's body, written as JSON; images become links.",
            ),
            InputPort::optional(
                "status",
                Kind::Integer,
                "The answer's HTTP status, 200 to 599; 200 when absent.",
            ),
        ],
        further_inputs: None,
        outputs: Outputs::fixed(Vec::new()),
        check: None,
        examples: vec![
            Example {
                title: "The count, and nothing around it",
                node: json!({
                    "id": "reply", "type": "api_response",
                    "inputs": {"body": {"shapes": "$nodes.detect.count", "picture": "$nodes.draw.image"}}
                }),
            },
            Example {
                title: "A refusal, on a branch",
                node: json!({
                    "id": "refuse", "type": "api_response",
                    "inputs": {"body": {"error": "nothing was found", "seen": "$nodes.check.false"}, "status": 422}
                }),
            },
        ],
    }
}
