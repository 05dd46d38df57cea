//! `segmentation`: which pixels belong to what.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Problem, Runner};
use crate::models::ModelSource;
use crate::models::source::model_id;
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `segmentation`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the model in the repository, or its address.
    #[serde(deserialize_with = "model_id")]
    #[schemars(length(min = 1, max = 2048))]
    pub model_id: String,
    /// Where the model comes from.
    #[serde(default)]
    pub model_source: ModelSource,
    /// What is asked of the model; not every model has every mode.
    #[serde(default)]
    pub mode: Mode,
    /// Instances below this score are left out. A class map has no scores.
    #[serde(default = "half")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: f64,
    /// Of two boxes of a class that overlap by more than this share (intersection over union), the weaker goes; for models
    /// that find boxes first (YOLO).
    #[serde(default = "iou")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub iou_threshold: f64,
    /// No more instances than this, the most confident first.
    #[serde(default = "three_hundred")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_detections: u32,
}

/// What is asked of the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A class for every pixel.
    #[default]
    Semantic,
    /// Things, each with its mask; masks may overlap.
    Instance,
    /// Things and surroundings, each with its mask; no pixel in two.
    Panoptic,
}

fn half() -> f64 {
    0.5
}

fn iou() -> f64 {
    0.45
}

fn three_hundred() -> u32 {
    300
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "segmentation",
        version: 1,
        category: Category::Model,
        title: "Segmentation",
        help: "Which pixels belong to what: a class map, or a mask for each instance.",
        runner: Runner::Worker { pool: "fast", model: true },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("image", Kind::Image, "The picture to look at.")],
        further_inputs: None,
        outputs: Outputs::varying(ports(Kind::Any), |placed| {
            ports(if placed.text("mode") == Some("semantic") { Kind::Mask } else { Kind::Segments })
        }),
        check: Some(check),
        examples: vec![
            Example {
                title: "A class for every pixel",
                node: json!({
                    "id": "ground", "type": "segmentation", "inputs": {"image": "$inputs.photo"},
                    "config": {"model_id": "segformer-b0-ade", "mode": "semantic"}
                }),
            },
            Example {
                title: "A mask for each instance",
                node: json!({
                    "id": "things", "type": "segmentation", "inputs": {"image": "$inputs.photo"},
                    "config": {"model_id": "yolo11n-seg", "mode": "instance", "confidence": 0.4}
                }),
            },
        ],
    }
}

fn ports(masks: Kind) -> Vec<OutputPort> {
    vec![
        OutputPort::new(
            "masks",
            masks,
            "The classes of a class map, or the instances, each with its pixels as COCO run lengths.",
        ),
        OutputPort::new(
            "detections",
            Kind::Detections,
            "The same as detections: the box around each mask, the mask with it.",
        ),
        OutputPort::new("areas", Kind::Object, "Pixels of each class that was found, by its name."),
    ]
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    if placed.has("mode") && placed.text("mode").is_none() {
        let hint = "write `mode` out: semantic, instance or panoptic";
        return vec![Problem::config("mode", "`mode` cannot be a selector: the ports depend on it", hint)];
    }
    Vec::new()
}
