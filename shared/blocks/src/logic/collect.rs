//! `collect`: closes the scope of a `for_each`.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Runner};
use crate::ports::{InputPort, OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `collect`: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "collect",
        version: 1,
        category: Category::Logic,
        title: "Collect",
        help: "Closes a loop: gives one value per item as a list, in the order of the loop's input.",
        runner: Runner::Orchestrator,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("item", Kind::Any, "What to collect from each item of the loop.")],
        further_inputs: None,
        outputs: Outputs::varying(ports(Kind::Any), |placed| ports(placed.kind_of("item"))),
        check: None,
        examples: vec![Example {
            title: "The count of every crop",
            node: json!({"id": "counts", "type": "collect", "inputs": {"item": "$nodes.detect_again.count"}}),
        }],
    }
}

fn ports(item: Kind) -> Vec<OutputPort> {
    vec![
        OutputPort::new("items", Kind::list(item), "The values. Items that were skipped are left out."),
        OutputPort::new("count", Kind::Integer, "How many there are."),
    ]
}
