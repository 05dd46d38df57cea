//! `classification`: names what is on a picture with a classification model.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Runner};
use crate::models::ModelSource;
use crate::models::source::model_id;
use crate::ports::{InputPort, OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `classification`.
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
    /// No more predictions than this, the most confident first.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 10_000))]
    pub top_k: u32,
    /// Predictions below this score are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: Option<f64>,
    /// Whether each class is judged by itself, so that several may be certain at once. Without it the model decides:
    /// usually all scores add up to one.
    #[serde(default)]
    pub multi_label: bool,
    /// Whether a JPEG much larger than the model sees it is decoded at a half, a quarter or an eighth of its size: a
    /// quarter to two fifths less work, and a fraction of the memory. Scores differ a little.
    #[serde(default)]
    pub reduced_decode: bool,
}

fn five() -> u32 {
    5
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "classification",
        version: 1,
        category: Category::Model,
        title: "Image classification",
        help: "Names what is on a picture: the likeliest classes with a score for each.",
        runner: Runner::Worker { pool: "fast", model: true },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("image", Kind::Image, "The picture to name.")],
        further_inputs: None,
        outputs: Outputs::fixed(vec![
            OutputPort::new(
                "predictions",
                Kind::Classification,
                "Classes as a list of {class_id, class_name, confidence}, most confident first.",
            ),
            OutputPort::new(
                "top_class",
                Kind::String,
                "The first prediction's class; null without predictions.",
            ),
            OutputPort::new(
                "confidence",
                Kind::Float,
                "The first prediction's score; null without predictions.",
            ),
        ]),
        check: None,
        examples: vec![Example {
            title: "The two likeliest shapes",
            node: json!({
                "id": "classify", "type": "classification", "inputs": {"image": "$inputs.photo"},
                "config": {"model_id": "shapes-classifier", "top_k": 2}
            }),
        }],
    }
}
