//! `tile`: a large picture as overlapping smaller ones.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Runner};
use crate::ports::{InputPort, OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `tile`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Width of a tile, pixels.
    #[serde(default = "side")]
    #[schemars(range(min = 16, max = 16_384))]
    pub slice_width: u32,
    /// Height of a tile, pixels.
    #[serde(default = "side")]
    #[schemars(range(min = 16, max = 16_384))]
    pub slice_height: u32,
    /// Share of its width that a tile has in common with the next one.
    #[serde(default = "fifth")]
    #[schemars(range(min = 0.0, max = 0.95))]
    pub overlap_x: f64,
    /// Share of its height that a tile has in common with the one below.
    #[serde(default = "fifth")]
    #[schemars(range(min = 0.0, max = 0.95))]
    pub overlap_y: f64,
    /// What becomes of tiles that would stand over the edge.
    #[serde(default)]
    pub edge: Edge,
}

/// What becomes of tiles that would stand over the edge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// They are pushed back inside, so that all are of equal size.
    #[default]
    Shift,
    /// They end at the edge and are smaller.
    Truncate,
}

fn side() -> u32 {
    640
}

fn fifth() -> f64 {
    0.2
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "tile",
        version: 1,
        category: Category::Transform,
        title: "Tile",
        help: "Cuts a large picture into overlapping tiles, so that small things stay large enough to be found.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("image", Kind::Image, "The picture.")],
        further_inputs: None,
        outputs: Outputs::fixed(vec![
            OutputPort::new("tiles", Kind::list(Kind::Image), "The tiles, row by row."),
            OutputPort::new("count", Kind::Integer, "How many there are."),
        ]),
        check: None,
        examples: vec![Example {
            title: "Tiles of 512 with a quarter in common",
            node: json!({
                "id": "slices", "type": "tile", "inputs": {"image": "$inputs.photo"},
                "config": {"slice_width": 512, "slice_height": 512, "overlap_x": 0.25, "overlap_y": 0.25}
            }),
        }],
    }
}
