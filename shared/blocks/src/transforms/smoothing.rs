//! `smoothing`: a picture without its noise, or without its detail.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Runner};
use crate::ports::{InputPort, OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `smoothing`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How a pixel follows from its neighbourhood.
    #[serde(default)]
    pub method: Method,
    /// Side of the neighbourhood, pixels; an even number counts as the next odd one.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 255))]
    pub kernel_size: u32,
}

/// How a pixel follows from its neighbourhood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Their mean.
    Average,
    /// Their mean, near ones counting for more.
    #[default]
    Gaussian,
    /// Their median: takes away single wrong pixels.
    Median,
    /// Their mean, near and alike ones counting for more: keeps edges. The slowest.
    Bilateral,
}

fn five() -> u32 {
    5
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "smoothing",
        version: 1,
        category: Category::Transform,
        title: "Smoothing",
        help: "Takes noise or detail out of a picture.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("image", Kind::Image, "The picture.")],
        further_inputs: None,
        outputs: Outputs::fixed(vec![OutputPort::new("image", Kind::Image, "The smoothed picture.")]),
        check: None,
        examples: vec![Example {
            title: "Without single wrong pixels",
            node: json!({"id": "clean", "type": "smoothing", "inputs": {"image": "$inputs.photo"}, "config": {"method": "median", "kernel_size": 3}}),
        }],
    }
}
