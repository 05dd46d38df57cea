//! `rotate_flip`: a picture turned, mirrored, or both.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::color::Color;
use crate::block::{Block, Category, Example, Runner};
use crate::ports::{InputPort, OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `rotate_flip`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How far it is turned, counter-clockwise, about its centre. Quarter turns change no pixel.
    #[serde(default)]
    #[schemars(range(min = -36_000.0, max = 36_000.0))]
    pub degrees: f64,
    /// Whether the canvas takes the size that holds the whole turned picture; otherwise it keeps its size, and what does
    /// not fit is cut off.
    #[serde(default = "yes")]
    pub expand: bool,
    /// How it is mirrored, after the turn.
    #[serde(default)]
    pub flip: Flip,
    /// The colour of the corners that a turn leaves free: a grey level, `[r, g, b]` or `"#rrggbb"`.
    #[serde(default = "black")]
    pub fill: Color,
}

/// How a picture is mirrored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flip {
    /// Not at all.
    #[default]
    None,
    /// Left and right change sides.
    Horizontal,
    /// Top and bottom change sides.
    Vertical,
    /// Both.
    Both,
}

fn yes() -> bool {
    true
}

fn black() -> Color {
    Color::grey(0)
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "rotate_flip",
        version: 1,
        category: Category::Transform,
        title: "Rotate and flip",
        help: "Turns a picture by any angle, and mirrors it.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("image", Kind::Image, "The picture.")],
        further_inputs: None,
        outputs: Outputs::fixed(vec![OutputPort::new("image", Kind::Image, "The turned picture.")]),
        check: None,
        examples: vec![
            Example {
                title: "A quarter turn to the left",
                node: json!({"id": "upright", "type": "rotate_flip", "inputs": {"image": "$inputs.photo"}, "config": {"degrees": 90}}),
            },
            Example {
                title: "Mirrored",
                node: json!({"id": "mirrored", "type": "rotate_flip", "inputs": {"image": "$inputs.photo"}, "config": {"flip": "horizontal"}}),
            },
        ],
    }
}
