//! `similarity_search`: what is near in a collection of vectors.

use millrace_contracts::{IO_POOL, Kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::block::{Block, Category, Example, Problem, Runner};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `similarity_search`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The collection that is searched; of the dimension that the embedding has.
    #[schemars(length(min = 1, max = 64))]
    pub collection: String,
    /// No more matches than this, the nearest first.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 1_000))]
    pub top_k: u32,
    /// Matches below this score are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_score: Option<f64>,
    /// Only points whose payload has exactly these values by these names: texts, whole numbers, true or false.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 32))]
    pub filter: Map<String, Value>,
    /// Which store is searched.
    #[serde(default)]
    pub backend: Backend,
}

/// Which store is searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// The collections of Millrace itself (`/api/v1/collections`), in Postgres.
    #[default]
    Pgvector,
    /// The Qdrant that the operator has named.
    Qdrant,
}

fn ten() -> u32 {
    10
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "similarity_search",
        version: 1,
        category: Category::Model,
        title: "Similarity search",
        help: "Finds what is near to a vector in a collection: the most alike first, each with its payload.",
        runner: Runner::Worker { pool: IO_POOL, model: false },
        // What is in a collection changes.
        pure: false,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("embedding", Kind::Embedding, "The vector to be near to.")],
        further_inputs: None,
        outputs: Outputs::fixed(vec![
            OutputPort::new(
                "matches",
                Kind::list(Kind::Object),
                "A list of {id, score, payload}, the nearest first.",
            ),
            OutputPort::new("best", Kind::Object, "The nearest; null without matches."),
        ]),
        check: Some(check),
        examples: vec![Example {
            title: "The five most alike in stock",
            node: json!({
                "id": "alike", "type": "similarity_search", "inputs": {"embedding": "$nodes.look.embedding"},
                "config": {"collection": "catalogue", "top_k": 5, "min_score": 0.3, "filter": {"in_stock": true}}
            }),
        }],
    }
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let fields = placed.config.get("filter").and_then(Value::as_object).into_iter().flatten();
    let wrong = fields.filter(|(_, value)| !(value.is_string() || value.is_boolean() || value.is_i64()));
    wrong
        .map(|(name, _)| {
            let hint = "write a text, a whole number, true or false";
            Problem::config("filter", format!("`{name}` is compared with a plain value"), hint)
        })
        .collect()
}
