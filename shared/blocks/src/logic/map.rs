//! `map`: a list through an expression.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Expression, Problem, Runner, Subject};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `map`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A CEL expression over `item`, `index` and the node's other inputs.
    #[schemars(length(min = 1, max = 4096), extend("format" = "cel"))]
    pub expr: String,
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "map",
        version: 1,
        category: Category::Logic,
        title: "Map",
        help: "Turns each item of a list into the value of an expression.",
        runner: Runner::Orchestrator,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[Expression { field: "expr", variables: &["item", "index"] }],
        inputs: vec![
            InputPort::required("items", Kind::list(Kind::Any), "The list.").or(Kind::Classification),
        ],
        further_inputs: Some(Kind::Any),
        outputs: Outputs::fixed(vec![OutputPort::new(
            "items",
            Kind::list(Kind::Any),
            "The value of the expression for each item, in order.",
        )]),
        check: Some(refuse_reserved_inputs),
        examples: vec![Example {
            title: "Percentages",
            node: json!({
                "id": "percent", "type": "map", "inputs": {"items": "$inputs.scores"},
                "config": {"expr": "item * 100.0"}
            }),
        }],
    }
}

/// Inputs are variables of the expression by their own name, and these two are taken.
pub(super) fn refuse_reserved_inputs(placed: &Placed<'_>) -> Vec<Problem> {
    let taken = placed.inputs.keys().filter(|name| matches!(name.as_str(), "item" | "index"));
    taken
        .map(|name| Problem {
            subject: Subject::Input(name.clone()),
            message: format!("the name `{name}` is taken: expressions see the list's own items by it"),
            hint: format!("call the input something else, such as `this_{name}`"),
        })
        .collect()
}
