//! `blur_region`: what was detected, made unrecognisable.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::marked;
use super::padding::Padding;
use crate::block::{Block, Category, Example, Runner};
use crate::ports::{OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `blur_region`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How a region is made unrecognisable.
    #[serde(default)]
    pub method: Method,
    /// Side of the smoothed neighbourhood in the methods gaussian and box, pixels; an even number counts as the next odd
    /// one.
    #[serde(default = "fifteen")]
    #[schemars(range(min = 1, max = 255))]
    pub kernel_size: u32,
    /// Side of a square in the method pixelate, pixels.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 10_000))]
    pub pixel_size: u32,
    /// Which pixels of a detection's box belong to the region.
    #[serde(default)]
    pub shape: Shape,
    /// Added on every side of the box: pixels, or a share of its own width and height such as `"10%"`. A mask stays as
    /// it is.
    #[serde(default)]
    pub padding: Padding,
}

/// How a region is made unrecognisable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Smoothed, softly.
    #[default]
    Gaussian,
    /// Smoothed by a plain mean.
    Box,
    /// Coarse squares.
    Pixelate,
}

/// Which pixels of a detection's box belong to the region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// All of them.
    #[default]
    Box,
    /// Those of its mask; the whole box, with a warning, where it has none.
    Mask,
    /// Those of the ellipse inside it.
    Ellipse,
}

fn fifteen() -> u32 {
    15
}

fn twenty() -> u32 {
    20
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "blur_region",
        version: 1,
        category: Category::Transform,
        title: "Blur regions",
        help: "Blurs or pixelates what was detected, and nothing else; regions of 10,000 megapixels together at most, of fewer with a kernel larger than 15.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: marked::inputs("What to blur.", "What to blur, to the pixel."),
        further_inputs: None,
        outputs: Outputs::fixed(vec![OutputPort::new(
            "image",
            Kind::Image,
            "The picture with its regions blurred.",
        )]),
        check: Some(marked::check),
        examples: vec![Example {
            title: "Faces, as ellipses",
            node: json!({"id": "private", "type": "blur_region", "inputs": {"image": "$inputs.photo", "detections": "$nodes.faces.detections"}, "config": {"method": "pixelate", "shape": "ellipse", "padding": "10%"}}),
        }],
    }
}
