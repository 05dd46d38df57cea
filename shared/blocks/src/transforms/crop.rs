//! `crop`: cuts out what was detected, or one fixed region.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::padding::Padding;
use crate::block::{Block, Category, Example, Problem, Runner, Subject};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `crop`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What is cut out.
    #[serde(default)]
    pub mode: Mode,
    /// `[x1, y1, x2, y2]` in the modes absolute (pixels) and relative (shares of the picture, 0 to 1; what lies
    /// outside is clamped).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(inner(range(min = -1_000_000.0, max = 1_000_000.0)))]
    pub region: Option<[f64; 4]>,
    /// Added on every side: pixels, or a share of the box's own width and height such as `"10%"`.
    #[serde(default)]
    pub padding: Padding,
    /// Crops narrower or lower than this many pixels are left out, with a warning.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 65_535))]
    pub min_size: u32,
}

/// What is cut out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One crop per detection.
    #[default]
    Detections,
    /// `region`, in pixels.
    Absolute,
    /// `region`, in shares of the picture's width and height.
    Relative,
}

fn one() -> u32 {
    1
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "crop",
        version: 1,
        category: Category::Transform,
        title: "Crop",
        help: "Cuts out one picture per detection, or one fixed region; 10,000 pictures, and 10,000 megapixels together, at most.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![
            InputPort::required("image", Kind::Image, "The picture to cut from."),
            InputPort::optional("detections", Kind::Detections, "What to cut out, in mode detections."),
        ],
        further_inputs: None,
        outputs: Outputs::varying(vec![crops(), shifted(), image()], outputs),
        check: Some(check),
        examples: vec![
            Example {
                title: "One crop per detection, with a little air around it",
                node: json!({
                    "id": "cut", "type": "crop",
                    "inputs": {"image": "$inputs.photo", "detections": "$nodes.detect.detections"},
                    "config": {"padding": "10%"}
                }),
            },
            Example {
                title: "The left half",
                node: json!({
                    "id": "left", "type": "crop", "inputs": {"image": "$inputs.photo"},
                    "config": {"mode": "relative", "region": [0, 0, 0.5, 1]}
                }),
            },
        ],
    }
}

fn crops() -> OutputPort {
    OutputPort::new(
        "crops",
        Kind::list(Kind::Image),
        "One picture per detection, in their order (mode detections).",
    )
}

fn shifted() -> OutputPort {
    let help = "The detection of each crop, shifted into it (mode detections).";
    OutputPort::new("detections", Kind::list(Kind::Detections), help)
}

fn image() -> OutputPort {
    OutputPort::new("image", Kind::Image, "The region (modes absolute and relative).")
}

fn outputs(placed: &Placed<'_>) -> Vec<OutputPort> {
    match placed.text("mode") {
        Some("absolute" | "relative") => vec![image()],
        _ => vec![crops(), shifted()],
    }
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    match placed.text("mode") {
        Some("absolute" | "relative") => check_region(placed),
        Some("detections") if !placed.inputs.contains_key("detections") => vec![Problem {
            subject: Subject::MissingInput("detections"),
            message: "mode detections needs the input `detections`".to_owned(),
            hint: "wire a detection block's `detections` to it, or set `mode` to absolute or relative"
                .to_owned(),
        }],
        // Which ports a crop has depends on its mode, so the mode has to be known before the run.
        None if placed.has("mode") => {
            let hint = "write `mode` out: detections, absolute or relative";
            vec![Problem::config("mode", "`mode` cannot be a selector: the ports depend on it", hint)]
        }
        _ => Vec::new(),
    }
}

fn check_region(placed: &Placed<'_>) -> Vec<Problem> {
    if !placed.has("region") {
        let hint = "add `region`: [x1, y1, x2, y2]";
        return vec![Problem::config("region", "this mode needs `region`", hint)];
    }
    let corners = placed.config.get("region").and_then(|region| region.as_array());
    let corner =
        |position: usize| corners.and_then(|list| list.get(position)).and_then(|value| value.as_f64());
    let reversed = |low, high| corner(low).zip(corner(high)).is_some_and(|(low, high)| low >= high);
    if reversed(0, 2) || reversed(1, 3) {
        let hint = "write [x1, y1, x2, y2] with x1 < x2 and y1 < y2";
        return vec![Problem::config("region", "the region is empty", hint)];
    }
    Vec::new()
}
