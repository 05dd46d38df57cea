//! `condition`: two branches, one of which is taken.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Expression, Runner};
use crate::ports::{InputPort, OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `condition`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A CEL expression over the node's inputs that gives true or false.
    #[serde(rename = "if")]
    #[schemars(length(min = 1, max = 4096), extend("format" = "cel"))]
    pub condition: String,
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "condition",
        version: 1,
        category: Category::Logic,
        title: "Condition",
        help: "Passes its value on to `true` or to `false`; what depends on the other port is skipped.",
        runner: Runner::Orchestrator,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[Expression { field: "if", variables: &[] }],
        inputs: vec![InputPort::optional("value", Kind::Any, "What is passed on; null when absent.")],
        further_inputs: Some(Kind::Any),
        outputs: Outputs::varying(ports(&Kind::Any), |placed| ports(&placed.kind_of("value"))),
        check: None,
        examples: vec![Example {
            title: "Go on only when something was found",
            node: json!({
                "id": "found", "type": "condition",
                "inputs": {"value": "$inputs.photo", "count": "$nodes.detect.count"},
                "config": {"if": "count > 0"}
            }),
        }],
    }
}

fn ports(kind: &Kind) -> Vec<OutputPort> {
    vec![
        OutputPort::new("true", kind.clone(), "The value, when the expression is true."),
        OutputPort::new("false", kind.clone(), "The value, when the expression is false."),
    ]
}
