//! `tensor`: a model outside the known families, numbers in and numbers out.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Problem, Runner, Subject};
use crate::models::ModelSource;
use crate::models::source::model_id;
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `tensor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the model in the repository, or its address.
    #[serde(deserialize_with = "model_id")]
    #[schemars(length(min = 1, max = 2048))]
    pub model_id: String,
    /// Where the model comes from.
    #[serde(default)]
    pub model_source: ModelSource,
    /// Only these outputs of the graph, by name; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub outputs: Option<Vec<String>>,
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "tensor",
        version: 1,
        category: Category::Model,
        title: "Raw tensors",
        help: "Runs any model with plain inputs and outputs: numbers in, numbers out.",
        runner: Runner::Worker { pool: "fast", model: true },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![
            InputPort::optional(
                "image",
                Kind::Image,
                "A picture, prepared as the model's millrace.toml says under [image], or its registration as `image`.",
            ),
            InputPort::optional(
                "tensors",
                Kind::Any,
                "By name of the graph's input: {\"shape\": [1, 3], \"data\": [1, 2, 3]}, or nested lists; for a graph with \
                 one input that alone will do.",
            ),
        ],
        further_inputs: None,
        outputs: Outputs::fixed(vec![OutputPort::new(
            "outputs",
            Kind::Object,
            "By name of the graph's output: {\"shape\", \"dtype\", \"data\"}, the data row-major.",
        )]),
        check: Some(check),
        examples: vec![Example {
            title: "Run a regression on three numbers",
            node: json!({
                "id": "price", "type": "tensor", "inputs": {"tensors": {"x": {"shape": [1, 3], "data": [1.0, 2.0, 3.0]}}},
                "config": {"model_id": "my-regression"}
            }),
        }],
    }
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    if placed.inputs.contains_key("image") || placed.inputs.contains_key("tensors") {
        return Vec::new();
    }
    vec![Problem {
        subject: Subject::MissingInput("tensors"),
        message: "the model is given nothing".to_owned(),
        hint: "wire a picture to `image`, or numbers to `tensors`".to_owned(),
    }]
}
