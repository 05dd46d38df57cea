//! `embedding`: a picture or a text as a vector.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Problem, Runner, Subject};
use crate::models::ModelSource;
use crate::models::source::model_id;
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `embedding`.
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
    /// Whether the vector is scaled to length one, as comparing by cosine wants it. CLIP and SigLIP exports that do both
    /// pictures and texts in one graph scale it themselves.
    #[serde(default = "yes")]
    pub normalize: bool,
    /// How the vectors of the patches become one; the model's own way when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooling: Option<Pooling>,
    /// The text to embed instead of a picture, for models with a text tower such as CLIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65_536))]
    pub text: Option<String>,
    /// Whether a JPEG much larger than the model sees it is decoded at a half, a quarter or an eighth of its size: a
    /// quarter to two fifths less work, and a fraction of the memory. Vectors differ a little.
    #[serde(default)]
    pub reduced_decode: bool,
}

/// How the vectors of the patches become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The class token.
    Cls,
    /// The mean of the patches.
    Mean,
    /// The model's own head.
    Pooler,
}

fn yes() -> bool {
    true
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "embedding",
        version: 1,
        category: Category::Model,
        title: "Embedding",
        help: "A picture or a text as a vector, to compare and search by.",
        runner: Runner::Worker { pool: "fast", model: true },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![
            InputPort::optional("image", Kind::Image, "The picture to embed."),
            InputPort::optional("text", Kind::String, "The text to embed instead of a picture."),
        ],
        further_inputs: None,
        outputs: Outputs::fixed(vec![
            OutputPort::new("embedding", Kind::Embedding, "The vector: a list of numbers."),
            OutputPort::new("dimension", Kind::Integer, "How many numbers it has."),
        ]),
        check: Some(check),
        examples: vec![
            Example {
                title: "A picture as a vector",
                node: json!({
                    "id": "look", "type": "embedding", "inputs": {"image": "$inputs.photo"},
                    "config": {"model_id": "clip-vit-base-patch32"}
                }),
            },
            Example {
                title: "A text as a vector, in the same space",
                node: json!({
                    "id": "words", "type": "embedding", "inputs": {"text": "$inputs.query"},
                    "config": {"model_id": "clip-vit-base-patch32"}
                }),
            },
        ],
    }
}

/// One thing is embedded: a picture, or a text.
fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let wired = |name: &str| placed.inputs.contains_key(name);
    let sources = [wired("image"), wired("text"), placed.has("text")];
    match sources.into_iter().filter(|given| *given).count() {
        1 => Vec::new(),
        0 => vec![Problem {
            subject: Subject::MissingInput("image"),
            message: "there is nothing to embed".to_owned(),
            hint: "wire a picture to `image` or a text to `text`, or write `text` into the configuration"
                .to_owned(),
        }],
        _ => {
            let hint = "leave one of them; two vectors take two blocks";
            let message = "a picture and a text, or two texts, are given, and one vector comes out";
            let subject =
                if placed.has("text") { Subject::Config("text") } else { Subject::Input("text".to_owned()) };
            vec![Problem { subject, message: message.to_owned(), hint: hint.to_owned() }]
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    fn problems(config: &Value, inputs: &[&str]) -> usize {
        let inputs: BTreeMap<String, Kind> =
            inputs.iter().map(|name| ((*name).to_owned(), Kind::Any)).collect();
        check(&Placed { config: config.as_object().unwrap(), inputs: &inputs }).len()
    }

    #[test]
    fn exactly_one_thing_is_embedded() {
        assert_eq!(problems(&json!({}), &["image"]), 0);
        assert_eq!(problems(&json!({}), &["text"]), 0);
        assert_eq!(problems(&json!({"text": ""}), &[]), 0, "no words are a text too");
        assert_eq!(problems(&json!({"text": null}), &["image"]), 0);
        assert_eq!(problems(&json!({}), &[]), 1);
        assert_eq!(problems(&json!({"text": "a cat"}), &["image"]), 1);
        assert_eq!(problems(&json!({}), &["image", "text"]), 1);
    }
}
