//! `comparison`: two pictures, or two sets of detections on one, beside each other and in numbers.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Problem, Runner, Subject};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `comparison`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the picture shows. For detections: side_by_side, or both sets on one picture in every other mode.
    #[serde(default)]
    pub mode: Mode,
    /// Two detections of one class are the same from this overlap on (intersection over union).
    #[serde(default = "half")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub iou_threshold: f64,
}

/// What the picture shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One beside the other.
    #[default]
    SideBySide,
    /// One over the other, half and half.
    Overlay,
    /// How far apart their levels are.
    Difference,
    /// Where their structure differs, as colours.
    Ssim,
}

fn half() -> f64 {
    0.5
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "comparison",
        version: 1,
        category: Category::Transform,
        title: "Comparison",
        help: "Compares two pictures, or two sets of detections on one picture.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![
            InputPort::optional("a", Kind::Image, "The first picture."),
            InputPort::optional(
                "b",
                Kind::Image,
                "The second picture; scaled to the first one's size where it has another.",
            ),
            InputPort::optional("image", Kind::Image, "The picture of both sets of detections."),
            InputPort::optional("detections_a", Kind::Detections, "The first set."),
            InputPort::optional("detections_b", Kind::Detections, "The second set."),
        ],
        further_inputs: None,
        outputs: Outputs::fixed(vec![
            OutputPort::new("image", Kind::Image, "The comparison."),
            OutputPort::new(
                "score",
                Kind::Float,
                "How alike: structural similarity of two pictures (1 for equal ones), F1 of two sets of detections (0 to 1).",
            ),
            OutputPort::new(
                "difference",
                Kind::Float,
                "How far apart: mean difference of the levels of two pictures, share of detections without a match; 0 to 1.",
            ),
        ]),
        check: Some(check),
        examples: vec![Example {
            title: "Before and after",
            node: json!({"id": "change", "type": "comparison", "inputs": {"a": "$inputs.before", "b": "$inputs.after"}, "config": {"mode": "ssim"}}),
        }],
    }
}

/// The inputs of the two ways to compare.
const PICTURES: [&str; 2] = ["a", "b"];
const DETECTIONS: [&str; 3] = ["image", "detections_a", "detections_b"];

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let wired = |port: &&str| placed.inputs.contains_key(*port);
    let hint = "wire `a` and `b`, or `image`, `detections_a` and `detections_b`";
    let wanted: &[&str] = if DETECTIONS.iter().any(wired) { &DETECTIONS } else { &PICTURES };
    let other = if wanted.len() == DETECTIONS.len() { &PICTURES[..] } else { &[] };
    let missing = wanted.iter().filter(|port| !wired(port)).map(|&port| Problem {
        subject: Subject::MissingInput(port),
        message: format!("this comparison needs the input `{port}`"),
        hint: hint.to_owned(),
    });
    let mixed = other.iter().filter(|port| wired(port)).map(|&port| Problem {
        subject: Subject::Input(port.to_owned()),
        message: format!("`{port}` is for comparing two pictures, the others are for comparing detections"),
        hint: hint.to_owned(),
    });
    missing.chain(mixed).collect()
}
