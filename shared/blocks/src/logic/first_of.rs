//! `first_of`: joins branches.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::block::{Block, Category, Example, Problem, Runner};
use crate::ports::{OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `first_of`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The inputs in the order they are tried. Those not named come after, by name.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub order: Vec<String>,
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "first_of",
        version: 1,
        category: Category::Logic,
        title: "First of",
        help: "Joins branches: gives the first of its inputs that was not skipped.",
        runner: Runner::Orchestrator,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: Vec::new(),
        further_inputs: Some(Kind::Any),
        outputs: Outputs::varying(ports(Kind::Any), |placed| ports(common_kind(placed))),
        check: Some(check),
        examples: vec![Example {
            title: "The drawn picture where there is one, the photo otherwise",
            node: json!({
                "id": "picture", "type": "first_of",
                "inputs": {"drawn": "$nodes.draw.image", "plain": "$inputs.photo"},
                "config": {"order": ["drawn", "plain"]}
            }),
        }],
    }
}

fn ports(kind: Kind) -> Vec<OutputPort> {
    vec![
        OutputPort::new("value", kind, "The first value there is. Skipped when every input was."),
        OutputPort::new("source", Kind::String, "The name of the input it came from."),
    ]
}

/// The kind all inputs share; any when they differ.
fn common_kind(placed: &Placed<'_>) -> Kind {
    let mut kinds = placed.inputs.values();
    let first = kinds.next().cloned().unwrap_or(Kind::Any);
    if kinds.all(|kind| *kind == first) { first } else { Kind::Any }
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    if placed.inputs.is_empty() {
        let hint = "wire at least one branch to it";
        return vec![Problem::config("", "a first_of without inputs has nothing to give", hint)];
    }
    let order = placed.config.get("order").and_then(Value::as_array);
    let names = order.into_iter().flatten().filter_map(Value::as_str);
    let unknown = names.filter(|name| !name.starts_with('$') && !placed.inputs.contains_key(*name));
    unknown
        .map(|name| {
            let known = placed.inputs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            Problem::config(
                "order",
                format!("no input is called {name:?}"),
                format!("the inputs are: {known}"),
            )
        })
        .collect()
}
