//! `for_each`: opens a scope over a list.

use millrace_contracts::Kind;
use millrace_contracts::definition::OnItemError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Problem, Runner};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `for_each`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Items under way at once.
    #[serde(default = "sixty_four")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_parallel: u32,
    /// What a failed item means: `fail` fails the loop, `null` collects it as null, `drop` leaves it out.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = ["fail", "null", "drop"]))]
    pub on_item_error: OnItemError,
}

fn sixty_four() -> u32 {
    64
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "for_each",
        version: 1,
        category: Category::Logic,
        title: "For each",
        help: "Opens a loop: what depends on its item runs once per item, in parallel; a collect closes it.",
        runner: Runner::Orchestrator,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![
            InputPort::required("items", Kind::list(Kind::Any), "The list to go through.")
                .or(Kind::Classification),
        ],
        further_inputs: None,
        outputs: Outputs::varying(ports(Kind::Any), |placed| ports(element(placed))),
        check: Some(check),
        examples: vec![Example {
            title: "Every crop",
            node: json!({"id": "each", "type": "for_each", "inputs": {"items": "$nodes.cut.crops"}}),
        }],
    }
}

fn element(placed: &Placed<'_>) -> Kind {
    match placed.kind_of("items") {
        Kind::List(element) => *element,
        // Each of its items is a class.
        Kind::Classification => Kind::Object,
        _ => Kind::Any,
    }
}

fn ports(item: Kind) -> Vec<OutputPort> {
    vec![
        OutputPort::new("item", item, "The item; `$item` for short."),
        OutputPort::new("index", Kind::Integer, "Its place in the list, from 0; `$index` for short."),
    ]
}

/// The loop's shape is part of the compiled workflow.
fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let selected = |field: &&str| {
        let text = placed.config.get(*field).and_then(serde_json::Value::as_str);
        text.is_some_and(|text| text.starts_with('$'))
    };
    let fields = ["max_parallel", "on_item_error"].into_iter().filter(selected);
    fields
        .map(|field| {
            let message =
                format!("`{field}` cannot be a selector: it is fixed when the workflow is compiled");
            Problem::config(field, message, "write the value out")
        })
        .collect()
}
