//! `parameter_input`: any other value that a run is given.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::block::{Block, Category, Example, Problem, Runner};
use crate::ports::{OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `parameter_input`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The kind of value: `float`, `string`, `detections`, `list<image>`, …
    #[schemars(with = "String", regex(pattern = KIND_PATTERN))]
    pub kind: Kind,
    /// The value of a run that gives none. Without a default a run must give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The least number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The only values allowed.
    #[serde(default, rename = "enum", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1000))]
    pub choices: Option<Vec<Value>>,
    /// What it is for, shown to whoever starts a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub description: Option<String>,
}

/// Every kind by name, and lists of them up to four deep.
const KIND_PATTERN: &str = "^(list<){0,4}(image|detections|classification|embedding|mask|segments|string|integer|float|boolean|timestamp|object|document|page|any)>{0,4}$";

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "parameter_input",
        version: 1,
        category: Category::Input,
        title: "Parameter",
        help: "A value the run is given: a number, a text, recorded detections, a list; with a default and limits.",
        runner: Runner::Input,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: Vec::new(),
        further_inputs: None,
        outputs: Outputs::varying(vec![value(Kind::Any)], |placed| vec![value(kind(placed))]),
        check: Some(check),
        examples: vec![Example {
            title: "A threshold with a default and limits",
            node: json!({
                "id": "min", "type": "parameter_input",
                "config": {"kind": "float", "default": 0.4, "min": 0, "max": 1}
            }),
        }],
    }
}

fn kind(placed: &Placed<'_>) -> Kind {
    placed.text("kind").and_then(|text| text.parse().ok()).unwrap_or(Kind::Any)
}

fn value(kind: Kind) -> OutputPort {
    OutputPort::new("value", kind, "The value, of the configured kind.")
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let kind_text = placed.text("kind");
    if let Some(text) = kind_text.filter(|text| text.parse::<Kind>().is_err()) {
        let message = format!("{text:?} is not a kind");
        problems.push(Problem::config(
            "kind",
            message,
            "each `list<` needs its own `>`, as in `list<image>`",
        ));
    }
    let numeric = matches!(kind(placed), Kind::Integer | Kind::Float | Kind::Any);
    for field in ["min", "max"] {
        if placed.has(field) && !numeric {
            let message = format!("`{field}` is for numbers, and the kind is {}", kind(placed));
            problems.push(Problem::config(field, message, format!("leave `{field}` out")));
        }
    }
    if let (Some(min), Some(max)) = (placed.number("min"), placed.number("max"))
        && min > max
    {
        let message = format!("`min` {min} is above `max` {max}");
        problems.push(Problem::config("min", message, "swap the two"));
    }
    problems
}
