//! `draw_masks`: masks laid over their picture.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::color::Color;
use super::draw_boxes::ColorBy;
use super::marked;
use crate::block::{Block, Category, Example, Runner};
use crate::ports::{OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `draw_masks`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How much of the colour covers the picture: 0 nothing, 1 all.
    #[serde(default = "half")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub opacity: f64,
    /// Width of an outline in full colour inside each mask, pixels; 0 for none.
    #[serde(default)]
    #[schemars(range(min = 0, max = 20))]
    pub outline: u32,
    /// Colours to choose from, in turn; the built-in palette when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub palette: Option<Vec<Color>>,
    /// What chooses the colour of a mask.
    #[serde(default)]
    pub color_by: ColorBy,
}

fn half() -> f64 {
    0.5
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "draw_masks",
        version: 1,
        category: Category::Transform,
        title: "Draw masks",
        help: "Lays each mask over the picture in its colour, the largest first; masks of 10,000 megapixels together at most.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: marked::inputs("Detections with masks.", "Masks, of a segmentation block."),
        further_inputs: None,
        outputs: Outputs::fixed(vec![OutputPort::new("image", Kind::Image, "The picture with its masks.")]),
        check: Some(marked::check),
        examples: vec![Example {
            title: "Instances with an outline",
            node: json!({"id": "draw", "type": "draw_masks", "inputs": {"image": "$inputs.photo", "masks": "$nodes.segment.masks"}, "config": {"outline": 2}}),
        }],
    }
}
