//! `resize`: a picture in another size.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::color::Color;
use crate::block::{Block, Category, Example, Problem, Runner};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `resize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Width wanted, pixels; from the height by the picture's aspect when null.
    #[serde(default)]
    #[schemars(range(min = 1, max = 16_384))]
    pub width: Option<u32>,
    /// Height wanted, pixels; from the width by the picture's aspect when null.
    #[serde(default)]
    #[schemars(range(min = 1, max = 16_384))]
    pub height: Option<u32>,
    /// What happens when the aspect is another.
    #[serde(default)]
    pub mode: Mode,
    /// How pixels between pixels are found.
    #[serde(default)]
    pub interpolation: Interpolation,
    /// The colour of a letterbox's bars: a grey level, `[r, g, b]` or `"#rrggbb"`.
    #[serde(default = "grey")]
    pub pad_color: Color,
    /// Whether a JPEG much larger than it becomes is decoded at a half, a quarter or an eighth of its size: a quarter to
    /// two fifths less work, and a fraction of the memory. Pixels differ a little.
    #[serde(default)]
    pub reduced_decode: bool,
}

/// What happens when the wanted aspect is another than the picture's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The picture is distorted to the size.
    #[default]
    Stretch,
    /// The picture fits inside the size; the result may be smaller on one side.
    Fit,
    /// The picture fits inside the size, and bars fill the rest.
    Letterbox,
    /// The picture covers the size, and what stands over is cut off evenly.
    Fill,
}

/// How pixels between pixels are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// Linear.
    #[default]
    Bilinear,
    /// Cubic.
    Bicubic,
    /// The mean of the area, for making smaller.
    Area,
    /// Lanczos with three lobes: sharpest, slowest.
    Lanczos3,
}

fn grey() -> Color {
    Color::grey(114)
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "resize",
        version: 1,
        category: Category::Transform,
        title: "Resize",
        help: "Makes a picture larger or smaller, with or without keeping its aspect.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("image", Kind::Image, "The picture.")],
        further_inputs: None,
        outputs: Outputs::fixed(vec![OutputPort::new("image", Kind::Image, "The picture in its new size.")]),
        check: Some(check),
        examples: vec![Example {
            title: "At most 640 wide, aspect kept",
            node: json!({
                "id": "small", "type": "resize", "inputs": {"image": "$inputs.photo"}, "config": {"width": 640}
            }),
        }],
    }
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    if placed.has("width") || placed.has("height") {
        return Vec::new();
    }
    vec![Problem::config("", "neither `width` nor `height` is given", "give one of them, or both")]
}
