//! `detection`: finds objects with a detection model.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Problem, Runner, Subject};
use crate::models::ModelSource;
use crate::models::source::model_id;
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `detection`.
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
    /// Detections below this score are left out.
    #[serde(default = "half")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: f64,
    /// Of two boxes of a class that overlap by more than this share (intersection over union), the weaker goes. Models
    /// that find each thing once by design (DETR, YOLOS, RT-DETR, D-FINE, YOLOv10) are left as they are, unless
    /// `agnostic_nms` is set; boxes of overlapping slices that are of one thing by it become one.
    #[serde(default = "iou")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub iou_threshold: f64,
    /// No more detections than this, the most confident first.
    #[serde(default = "three_hundred")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_detections: u32,
    /// Only these classes, by name; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1000))]
    pub class_filter: Option<Vec<String>>,
    /// Whether overlapping boxes suppress each other across classes too.
    #[serde(default)]
    pub agnostic_nms: bool,
    /// Cuts the picture into overlapping slices, detects on each, and stitches the results: for small objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tile: Option<Tile>,
    /// Whether a JPEG much larger than the model sees it is decoded at a half, a quarter or an eighth of its size: a
    /// quarter to two fifths less work, and a fraction of the memory. Scores and boxes differ a little.
    #[serde(default)]
    pub reduced_decode: bool,
}

/// How a picture is sliced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// Width of a slice, pixels.
    #[serde(default = "slice")]
    #[schemars(range(min = 16, max = 16_384))]
    pub slice_width: u32,
    /// Height of a slice, pixels.
    #[serde(default = "slice")]
    #[schemars(range(min = 16, max = 16_384))]
    pub slice_height: u32,
    /// Share of its width that a slice has in common with the next.
    #[serde(default = "overlap")]
    #[schemars(range(min = 0.0, max = 0.9))]
    pub overlap_x: f64,
    /// Share of its height that a slice has in common with the next.
    #[serde(default = "overlap")]
    #[schemars(range(min = 0.0, max = 0.9))]
    pub overlap_y: f64,
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

fn slice() -> u32 {
    640
}

fn overlap() -> f64 {
    0.2
}

/// Slices are cut out of the whole picture.
fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let reduced = placed.config.get("reduced_decode").and_then(serde_json::Value::as_bool) == Some(true);
    if !(reduced && placed.has("tile")) {
        return Vec::new();
    }
    vec![Problem {
        subject: Subject::Config("reduced_decode"),
        message: "slices need all pixels of the picture, and reduced_decode leaves most of them out"
            .to_owned(),
        hint: "leave reduced_decode or tile out".to_owned(),
    }]
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "detection",
        version: 1,
        category: Category::Model,
        title: "Object detection",
        help: "Finds objects: a box, a class and a score for each.",
        runner: Runner::Worker { pool: "fast", model: true },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required("image", Kind::Image, "The picture to look at.")],
        further_inputs: None,
        outputs: Outputs::fixed(vec![
            OutputPort::new("detections", Kind::Detections, "What was found, most confident first."),
            OutputPort::new("count", Kind::Integer, "How many were found."),
            OutputPort::new(
                "classes",
                Kind::list(Kind::String),
                "The names of the classes found, each once, most confident first.",
            ),
        ]),
        check: Some(check),
        examples: vec![Example {
            title: "Detect with the demo model",
            node: json!({
                "id": "detect", "type": "detection", "inputs": {"image": "$inputs.photo"},
                "config": {"model_id": "shapes-detector", "confidence": 0.4}
            }),
        }],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn slices_are_of_the_whole_picture() {
        let problems = |config: serde_json::Value| {
            let inputs = BTreeMap::new();
            check(&Placed { config: config.as_object().unwrap(), inputs: &inputs }).len()
        };
        assert_eq!(problems(json!({"tile": {}, "reduced_decode": true})), 1);
        for fine in [
            json!({"tile": {}}),
            json!({"tile": null, "reduced_decode": true}),
            json!({"tile": {}, "reduced_decode": false}),
        ] {
            assert_eq!(problems(fine), 0);
        }
    }
}
