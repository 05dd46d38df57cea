//! `normalize`: the levels of a picture, mapped or evened out.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Problem, Runner};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `normalize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Taken off each channel (R, G, B) after scaling; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(inner(range(min = -1_000_000.0, max = 1_000_000.0)))]
    pub mean: Option<[f64; 3]>,
    /// What each channel is divided by then, at least a millionth away from 0; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(inner(range(min = -1_000_000.0, max = 1_000_000.0)))]
    pub std: Option<[f64; 3]>,
    /// What each sample (0 to 255) is multiplied by first; 1/255 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1_000.0, max = 1_000.0))]
    pub scale: Option<f64>,
    /// Evens out the contrast instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equalize: Option<Equalize>,
}

/// Dividing by less makes numbers that a sample has no use for, and infinite ones in the end.
const SMALLEST_STD: f64 = 1e-6;

/// How contrast is evened out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Equalize {
    /// Brightness is spread evenly over the whole picture.
    Histogram,
    /// The same region by region, with a limit that keeps noise down.
    Clahe,
    /// Each channel is stretched to its full range.
    Stretch,
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "normalize",
        version: 1,
        category: Category::Transform,
        title: "Normalize",
        help: "Maps the levels of a picture linearly, or evens out its contrast. The result is a picture again: 0 is black, 1 is white.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("image", Kind::Image, "The picture.")],
        further_inputs: None,
        outputs: Outputs::fixed(vec![OutputPort::new(
            "image",
            Kind::Image,
            "The picture with its new levels.",
        )]),
        check: Some(check),
        examples: vec![Example {
            title: "More contrast in dark corners",
            node: json!({"id": "even", "type": "normalize", "inputs": {"image": "$inputs.photo"}, "config": {"equalize": "clahe"}}),
        }],
    }
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let numbers =
        |field: &str| placed.config.get(field).and_then(|list| list.as_array()).into_iter().flatten();
    let mut problems = Vec::new();
    if placed.has("equalize") && ["mean", "std", "scale"].iter().any(|field| placed.has(field)) {
        let hint = "give `equalize`, or `mean`, `std` and `scale`; two nodes do both";
        problems.push(Problem::config("equalize", "`equalize` takes the place of the linear map", hint));
    }
    if numbers("std").filter_map(|value| value.as_f64()).any(|value| value.abs() < SMALLEST_STD) {
        problems.push(Problem::config(
            "std",
            "a channel cannot be divided by 0, or by next to nothing",
            "write numbers that are at least 0.000001 away from 0",
        ));
    }
    problems
}
