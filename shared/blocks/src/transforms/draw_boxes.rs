//! `draw_boxes`: detections drawn on their picture.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::color::Color;
use super::marked;
use crate::block::{Block, Category, Example, Runner};
use crate::ports::{OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `draw_boxes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Width of the lines, pixels.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 100))]
    pub thickness: u32,
    /// Colours to choose from, in turn; the built-in palette when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub palette: Option<Vec<Color>>,
    /// What chooses the colour of a box.
    #[serde(default)]
    pub color_by: ColorBy,
    /// What is written on a box.
    #[serde(default)]
    pub labels: Labels,
    /// Size of the text, 1 being normal.
    #[serde(default = "normal")]
    #[schemars(range(min = 0.1, max = 10.0))]
    pub text_scale: f64,
    /// How round the corners are: 0 square, 1 as round as they can be.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub roundness: f64,
}

/// What chooses the colour of a box.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColorBy {
    /// Its class.
    #[default]
    Class,
    /// Its place in the list.
    Index,
    /// Its tracker id; its class where it has none.
    Track,
}

/// What is written on a box.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// The class.
    #[default]
    Class,
    /// The class and the score.
    ClassConfidence,
    /// Nothing.
    None,
}

fn two() -> u32 {
    2
}

fn normal() -> f64 {
    1.0
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "draw_boxes",
        version: 1,
        category: Category::Transform,
        title: "Draw boxes",
        help: "Draws each detection's box and label on the picture; 30,000 labels, and lines and labels of 10,000 megapixels together, at most.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: marked::inputs("What to draw.", "Masks, drawn as the boxes around them."),
        further_inputs: None,
        outputs: Outputs::fixed(vec![OutputPort::new("image", Kind::Image, "The picture with its boxes.")]),
        check: Some(marked::check),
        examples: vec![Example {
            title: "Boxes with class and score",
            node: json!({
                "id": "draw", "type": "draw_boxes",
                "inputs": {"image": "$inputs.photo", "detections": "$nodes.detect.detections"},
                "config": {"labels": "class_confidence"}
            }),
        }],
    }
}
