//! `grid_builder`: several pictures as one.

use std::borrow::Cow;

use millrace_contracts::Kind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::color::Color;
use crate::block::{Block, Category, Example, Runner};
use crate::ports::{InputPort, OutputPort, Outputs};
use crate::schema::{read_as, schema_of};

/// Configuration of `grid_builder`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Pictures in a row: a number, or `"auto"` for about as many as there are rows.
    #[serde(default)]
    pub columns: Columns,
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

/// Pictures in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Columns {
    /// The smallest number whose square holds all pictures.
    #[default]
    Auto,
    /// So many.
    Number(u32),
}

/// More than this in a row nobody can look at.
const MOST_COLUMNS: u32 = 1_000;

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Number(number) => serializer.serialize_u32(*number),
        }
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = || value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number().filter(|number| (1..=MOST_COLUMNS).contains(number)) {
            Some(number) => Ok(Self::Number(number)),
            None if value.is_null() || value == "auto" => Ok(Self::Auto),
            None => {
                let message =
                    format!("columns is a number from 1 to {MOST_COLUMNS}, or \"auto\", not {value}");
                Err(serde::de::Error::custom(message))
            }
        }
    }
}

impl JsonSchema for Columns {
    fn schema_name() -> Cow<'static, str> {
        "Columns".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "string", "null"],
            "minimum": 1,
            "maximum": MOST_COLUMNS,
            "pattern": "^auto$"
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_a_number_or_auto() {
        let read = |value: Value| {
            serde_json::from_value::<Config>(json!({"columns": value})).map(|it| it.columns).ok()
        };
        assert_eq!(read(json!(3)), Some(Columns::Number(3)));
        assert_eq!((read(json!("auto")), read(json!(null))), (Some(Columns::Auto), Some(Columns::Auto)));
        assert_eq!((read(json!(0)), read(json!(1001)), read(json!("many"))), (None, None, None));
        assert_eq!(schema_of::<Config>()["properties"]["columns"]["default"], "auto");
    }
}
