//! `delay`: waits.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Problem, Runner};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `delay`: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Waits so many milliseconds, 30 days at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2_592_000_000_u64))]
    pub ms: Option<u64>,
    /// Waits until this instant, RFC 3339; not at all when it has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub until: Option<String>,
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "delay",
        version: 1,
        category: Category::Logic,
        title: "Delay",
        help: "Passes its value on after a time, or at an instant.",
        runner: Runner::Orchestrator,
        pure: false,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("value", Kind::Any, "What is passed on.")],
        further_inputs: None,
        outputs: Outputs::varying(ports(Kind::Any), |placed| ports(placed.kind_of("value"))),
        check: Some(check),
        examples: vec![Example {
            title: "One second",
            node: json!({
                "id": "wait", "type": "delay", "inputs": {"value": "$inputs.photo"}, "config": {"ms": 1000}
            }),
        }],
    }
}

fn ports(kind: Kind) -> Vec<OutputPort> {
    vec![OutputPort::new("value", kind, "The value, unchanged.")]
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    match (placed.has("ms"), placed.has("until")) {
        (false, false) => {
            vec![Problem::config("", "neither `ms` nor `until` is given", "give one of them")]
        }
        (true, true) => {
            vec![Problem::config("until", "both `ms` and `until` are given", "leave one of them out")]
        }
        _ => Vec::new(),
    }
}
