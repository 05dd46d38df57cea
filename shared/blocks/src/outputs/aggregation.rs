//! `aggregation`: many values as a few numbers, of one run or of many.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Problem, Runner, Subject};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Its name in `type`.
pub const NAME: &str = "aggregation";

/// Configuration of `aggregation`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What is worked out.
    #[serde(default = "count")]
    #[schemars(length(min = 1, max = 16))]
    pub functions: Vec<Function>,
    /// The field of each item that counts, such as `confidence`, or `center.0` further in; the item itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub field: Option<String>,
    /// A field of each item: everything is worked out for each of its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub group_by: Option<String>,
    /// Over how many runs, or how much time; over each run by itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The name of the window, which all nodes that say the same share. When absent the window is that of this node in its
    /// saved workflow; a definition that is not saved needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub window: Option<String>,
}

/// What is worked out of the values. An item that is null, as those that failed in a loop with `on_item_error: null`, counts
/// nowhere; one whose `field` is null or missing only counts in `count`. Of no items `count`, `sum` and `count_distinct` are 0, the
/// lists and groups empty, and all else null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// How many items there are, but for those that are null.
    Count,
    /// Their sum.
    Sum,
    /// Their mean; null of none.
    Mean,
    /// The least; null of none.
    Min,
    /// The greatest; null of none.
    Max,
    /// The median, between the middle two where there is no middle one; null of none.
    P50,
    /// What 95 of a hundred do not exceed, between two values where it falls there; null of none.
    P95,
    /// The values that there are, each once, in the order of their first.
    Distinct,
    /// How many different values there are.
    CountDistinct,
    /// How often each value is there.
    ValuesCounts,
}

impl Function {
    /// Its name in the result.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::Distinct => "distinct",
            Self::CountDistinct => "count_distinct",
            Self::ValuesCounts => "values_counts",
        }
    }
}

/// When a window closes: one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// After so many runs; the last of them is given the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub runs: Option<u32>,
    /// After so many seconds; the first run after them is given the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub seconds: Option<u32>,
}

fn count() -> Vec<Function> {
    vec![Function::Count]
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: NAME,
        version: 1,
        category: Category::Output,
        title: "Aggregation",
        help: "Counts, sums, means and the like over a list, or over a window of many runs.",
        runner: Runner::Worker { pool: "cpu", model: false },
        pure: false,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![
            InputPort::optional(
                "items",
                Kind::list(Kind::Any),
                "A list, or detections, or a list of those. Items that are null count nowhere.",
            )
            .or(Kind::Detections)
            .or(Kind::Classification),
        ],
        further_inputs: Some(Kind::Any),
        outputs: Outputs::fixed(vec![OutputPort::new(
            "result",
            Kind::Object,
            "An object with a field for each function; with `group_by`, one such object for each group. Null while a window is \
             open.",
        )]),
        check: Some(check),
        examples: vec![
            Example {
                title: "How sure, class by class",
                node: json!({
                    "id": "stats", "type": "aggregation", "inputs": {"items": "$nodes.detect.detections"},
                    "config": {"functions": ["count", "mean", "p95"], "field": "confidence", "group_by": "class_name"}
                }),
            },
            Example {
                title: "People an hour, over all runs",
                node: json!({
                    "id": "hourly", "type": "aggregation", "inputs": {"people": "$nodes.detect.count"},
                    "config": {"functions": ["sum", "max"], "field": "people", "interval": {"seconds": 3600}}
                }),
            },
        ],
    }
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if placed.inputs.is_empty() {
        problems.push(Problem {
            subject: Subject::MissingInput("items"),
            message: "there is nothing to aggregate".to_owned(),
            hint: "wire a list to `items`, or values by names of your own".to_owned(),
        });
    }
    if placed.inputs.contains_key("items") {
        let others = placed.inputs.keys().filter(|name| *name != "items");
        problems.extend(others.map(|name| Problem {
            subject: Subject::Input(name.clone()),
            message: format!("`{name}` stands beside `items`, and one list is aggregated"),
            hint:
                "give either `items`, or values by names of your own, which are one item together".to_owned(),
        }));
    }
    if let Some(interval) = placed.config.get("interval").and_then(|interval| interval.as_object()) {
        let given =
            ["runs", "seconds"].iter().filter(|name| interval.get(**name).is_some_and(|it| !it.is_null()));
        if given.count() != 1 {
            let message = "an interval is a number of runs or a number of seconds";
            problems.push(Problem::config(
                "interval",
                message,
                "write {\"runs\": 100} or {\"seconds\": 3600}",
            ));
        }
    } else if placed.has("window") && !placed.has("interval") {
        let hint = "say when it closes, `interval`, or leave the name out";
        problems.push(Problem::config("window", "a window without an interval never closes", hint));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(config: &serde_json::Value, inputs: &[&str]) -> usize {
        let inputs = inputs.iter().map(|name| ((*name).to_owned(), Kind::Any)).collect();
        check(&Placed { config: config.as_object().unwrap(), inputs: &inputs }).len()
    }

    #[test]
    fn one_list_or_one_item_and_one_interval() {
        assert_eq!(problems(&json!({}), &["items"]), 0);
        assert_eq!(problems(&json!({"interval": {"runs": 3}, "window": "w"}), &["a", "b"]), 0);
        assert_eq!(problems(&json!({}), &[]), 1);
        assert_eq!(problems(&json!({}), &["items", "a"]), 1);
        assert_eq!(problems(&json!({"interval": {}}), &["items"]), 1);
        assert_eq!(problems(&json!({"interval": {"runs": 3, "seconds": 4}}), &["items"]), 1);
        assert_eq!(problems(&json!({"window": "w"}), &["items"]), 1);
    }
}
