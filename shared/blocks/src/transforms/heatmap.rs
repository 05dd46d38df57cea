//! `heatmap`: where detections crowd, as colours over the picture.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::marked;
use crate::block::{Block, Category, Example, Runner};
use crate::ports::{OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `heatmap`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How far a detection's heat reaches, pixels. What all of them reach on the picture may be 10,000 megapixels together.
    #[serde(default = "forty")]
    #[schemars(range(min = 1.0, max = 10_000.0))]
    pub radius: f64,
    /// How much the colour covers the picture where it is hot: 0 nothing, 1 all.
    #[serde(default = "half")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub opacity: f64,
    /// The colours, from cold to hot.
    #[serde(default)]
    pub colormap: Colormap,
    /// Which point of a detection is hot.
    #[serde(default)]
    pub anchor: Anchor,
    /// How much a detection counts.
    #[serde(default)]
    pub weight_by: WeightBy,
}

/// Colours, from cold to hot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Colormap {
    /// Blue over green and yellow to red.
    #[default]
    Turbo,
    /// Violet over green to yellow; reads the same to the colour-blind.
    Viridis,
    /// Black over red to pale yellow.
    Inferno,
    /// Black over violet to pale pink.
    Magma,
    /// Blue over pink to yellow.
    Plasma,
}

/// Which point of a detection is hot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The middle of its box.
    #[default]
    Center,
    /// The middle of its lower edge: where somebody stands.
    BottomCenter,
}

/// How much a detection counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WeightBy {
    /// Each the same.
    #[default]
    Count,
    /// By its confidence.
    Confidence,
}

fn forty() -> f64 {
    40.0
}

fn half() -> f64 {
    0.5
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "heatmap",
        version: 1,
        category: Category::Transform,
        title: "Heat map",
        help: "Shows where detections crowd, as colours over the picture. Of the detections given; nothing is remembered.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: marked::inputs("What is hot.", "Masks, each as hot as a detection of the box around it."),
        further_inputs: None,
        outputs: Outputs::fixed(vec![OutputPort::new("image", Kind::Image, "The picture with its heat.")]),
        check: Some(marked::check),
        examples: vec![Example {
            title: "Where people stand",
            node: json!({"id": "heat", "type": "heatmap", "inputs": {"image": "$inputs.photo", "detections": "$nodes.detect.detections"}, "config": {"anchor": "bottom_center"}}),
        }],
    }
}
