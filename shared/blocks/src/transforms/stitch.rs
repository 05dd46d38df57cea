//! `stitch`: what was found on tiles or crops, as one set on the picture they were cut from.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Runner};
use crate::ports::{InputPort, OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `stitch`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What becomes of things that were found more than once.
    #[serde(default)]
    pub strategy: Strategy,
    /// From which overlap on two boxes are of one thing (intersection over union).
    #[serde(default = "threshold")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub iou_threshold: f64,
    /// Whether only boxes of one class can be of one thing.
    #[serde(default = "yes")]
    pub class_aware: bool,
}

/// What becomes of things that were found more than once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The most confident box stays; those that overlap it by more than the threshold go.
    #[default]
    Nms,
    /// Boxes that overlap the most confident one by the threshold or more become one box around all of them, with the
    /// mean of their confidences, weighted by area.
    Nmm,
    /// All stay.
    None,
}

fn threshold() -> f64 {
    0.3
}

fn yes() -> bool {
    true
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "stitch",
        version: 1,
        category: Category::Transform,
        title: "Stitch",
        help: "Takes detections of tiles or crops back to the picture they were cut from, each thing once.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![
            InputPort::required("image", Kind::Image, "The picture that the boxes are to be on."),
            InputPort::required(
                "detections",
                Kind::list(Kind::Detections),
                "What was found, per tile or crop.",
            ),
        ],
        further_inputs: None,
        outputs: Outputs::fixed(vec![
            OutputPort::new("detections", Kind::Detections, "All of it, in pixels of the picture."),
            OutputPort::new("count", Kind::Integer, "How many there are."),
        ]),
        check: None,
        examples: vec![Example {
            title: "One set from many tiles",
            node: json!({
                "id": "whole", "type": "stitch",
                "inputs": {"image": "$inputs.photo", "detections": "$nodes.per_tile.items"}
            }),
        }],
    }
}
