//! `grid_builder`: several pictures as one.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::color::Color;
use crate::block::{Block, Category, Example, Runner};
use crate::ports::{InputPort, OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `grid_builder`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Pictures in a row; about as many as there are rows when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub columns: Option<u32>,
    /// Width of a cell, pixels.
    #[serde(default = "cell")]
    #[schemars(range(min = 8, max = 4_096))]
    pub cell_width: u32,
    /// Height of a cell, pixels.
    #[serde(default = "cell")]
    #[schemars(range(min = 8, max = 4_096))]
    pub cell_height: u32,
    /// Pixels between the cells, and around them.
    #[serde(default = "gap")]
    #[schemars(range(min = 0, max = 1_000))]
    pub gap: u32,
    /// The colour behind the pictures: a grey level, `[r, g, b]` or `"#rrggbb"`.
    #[serde(default = "ground")]
    pub background: Color,
    /// Written on the pictures in their order, where the input `labels` is not wired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10_000))]
    pub labels: Option<Vec<String>>,
}

fn cell() -> u32 {
    256
}

fn gap() -> u32 {
    4
}

fn ground() -> Color {
    Color::grey(32)
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "grid_builder",
        version: 1,
        category: Category::Transform,
        title: "Grid",
        help: "Puts pictures into cells of equal size, as one picture.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![
            InputPort::required("images", Kind::list(Kind::Image), "The pictures, row by row."),
            InputPort::optional("labels", Kind::list(Kind::Any), "What is written on each, in their order."),
        ],
        further_inputs: None,
        outputs: Outputs::fixed(vec![OutputPort::new("image", Kind::Image, "The grid.")]),
        check: None,
        examples: vec![Example {
            title: "All crops at one look",
            node: json!({"id": "sheet", "type": "grid_builder", "inputs": {"images": "$nodes.cut.crops"}, "config": {"cell_width": 128, "cell_height": 128}}),
        }],
    }
}
