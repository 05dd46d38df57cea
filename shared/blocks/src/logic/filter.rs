//! `filter`: keeps some of a list's items, or some of a set of detections.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::map::refuse_reserved_inputs;
use crate::block::{Block, Category, Example, Expression, Problem, Runner};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// What `item` has in an expression over detections: the fields of one, some of which only some have, and what follows from its
/// box.
pub const DETECTION_FIELDS: [&str; 13] = [
    "detection_id",
    "class_id",
    "class_name",
    "confidence",
    "bbox",
    "mask",
    "keypoints",
    "tracker_id",
    "parent_id",
    "width",
    "height",
    "area",
    "center",
];

/// Configuration of `filter`. An item is kept when it passes every rule that is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A CEL expression over `item`, `index` and the node's other inputs. Over detections `item` has the fields of
    /// one detection, plus `width`, `height`, `area` and `center` ([x, y]).
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096), extend("format" = "cel"))]
    pub condition: Option<String>,
    /// Only these classes, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub classes: Option<Vec<String>>,
    /// Only a confidence of at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_confidence: Option<f64>,
    /// Only a confidence of at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_confidence: Option<f64>,
    /// Only boxes of at least this area, square pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e12))]
    pub min_area: Option<f64>,
    /// Only boxes of at most this area, square pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e12))]
    pub max_area: Option<f64>,
    /// Only what lies in this polygon, `[[x, y], …]` in pixels of the image. A detection counts by its box's center.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 1000))]
    pub zone: Option<Vec<[f64; 2]>>,
    /// Of what passed, only so many: the first by `sort_by`; without it the most confident detections, or the first
    /// items of a list, in the order of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub top_n: Option<u32>,
    /// A field of the item to sort what is kept by, such as `confidence` or `area`: largest first, or smallest first
    /// with `asc` behind it (`"area asc"`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,63}( (asc|desc))?$"))]
    pub sort_by: Option<String>,
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "filter",
        version: 1,
        category: Category::Logic,
        title: "Filter",
        help: "Keeps the items or detections that pass every rule: expression, class, confidence, area, zone, top n.",
        runner: Runner::Orchestrator,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[Expression { field: "where", variables: &["item", "index"] }],
        inputs: vec![
            InputPort::required("items", Kind::Detections, "Detections, or a list.")
                .or(Kind::list(Kind::Any))
                .or(Kind::Classification),
        ],
        further_inputs: Some(Kind::Any),
        outputs: Outputs::varying(ports(&Kind::Any), |placed| ports(&placed.kind_of("items"))),
        check: Some(check),
        examples: vec![
            Example {
                title: "Confident cats and dogs",
                node: json!({
                    "id": "pets", "type": "filter", "inputs": {"items": "$nodes.detect.detections"},
                    "config": {"classes": ["cat", "dog"], "min_confidence": 0.6}
                }),
            },
            Example {
                title: "By an expression, with a variable",
                node: json!({
                    "id": "large", "type": "filter",
                    "inputs": {"items": "$nodes.detect.detections", "least": "$inputs.least"},
                    "config": {"where": "item.area >= least && item.width > item.height", "top_n": 5}
                }),
            },
        ],
    }
}

fn ports(kind: &Kind) -> Vec<OutputPort> {
    vec![
        OutputPort::new("kept", kind.clone(), "What passed, of the same kind as the input."),
        OutputPort::new("dropped", kind.clone(), "The rest, in the order of the input."),
        OutputPort::new("count", Kind::Integer, "How many were kept."),
    ]
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let mut problems = refuse_reserved_inputs(placed);
    for (low, high) in [("min_confidence", "max_confidence"), ("min_area", "max_area")] {
        let pair = placed.number(low).zip(placed.number(high));
        if let Some((least, most)) = pair.filter(|(least, most)| least > most) {
            let message = format!("`{low}` {least} is above `{high}` {most}: nothing can pass");
            problems.push(Problem::config(low, message, "swap the two"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use millrace_contracts::values::{Detection, Rle};

    use super::*;

    #[test]
    fn the_fields_of_a_detection_are_known() {
        let bare: Detection = serde_json::from_value(json!({"bbox": [0, 0, 1, 1]})).unwrap();
        let full = Detection {
            mask: Some(Rle { size: [1, 1], counts: vec![1] }),
            keypoints: Some(Vec::new()),
            tracker_id: Some(1),
            parent_id: Some(String::new()),
            ..bare
        };
        let full = json!(full);
        let own = full.as_object().unwrap().keys().map(String::as_str);
        let all: BTreeSet<&str> = own.chain(["width", "height", "area", "center"]).collect();
        assert_eq!(all, DETECTION_FIELDS.into_iter().collect());
    }
}
