//! Padding around a box: pixels, or a share of the box.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// How much is added on every side of a box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Padding {
    /// So many pixels.
    Pixels(f64),
    /// So many percent of the box's own width (left and right) and height (above and below).
    Percent(f64),
}

impl Padding {
    /// Pixels added left and right, and above and below, of a box of this size.
    #[must_use]
    pub fn of(self, width: f64, height: f64) -> (f64, f64) {
        match self {
            Self::Pixels(pixels) => (pixels, pixels),
            Self::Percent(percent) => (width * percent / 100.0, height * percent / 100.0),
        }
    }
}

impl Default for Padding {
    fn default() -> Self {
        Self::Pixels(0.0)
    }
}

impl Serialize for Padding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pixels(pixels) if pixels.fract() == 0.0 => serializer.serialize_u64(*pixels as u64),
            Self::Pixels(pixels) => serializer.serialize_f64(*pixels),
            Self::Percent(percent) => serializer.collect_str(&format_args!("{percent}%")),
        }
    }
}

impl<'de> Deserialize<'de> for Padding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let percent = || value.as_str()?.strip_suffix('%')?.parse().ok().map(Self::Percent);
        let padding = value.as_f64().map(Self::Pixels).or_else(percent);
        let in_range = |padding: &Self| match *padding {
            Self::Pixels(pixels) => (0.0..=65_535.0).contains(&pixels),
            Self::Percent(percent) => (0.0..=1_000.0).contains(&percent),
        };
        padding.filter(in_range).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "padding is a number of pixels or a text such as \"10%\", not {value}"
            ))
        })
    }
}

impl JsonSchema for Padding {
    fn schema_name() -> Cow<'static, str> {
        "Padding".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "string"],
            "minimum": 0,
            "maximum": 65_535,
            "pattern": "^(1000|[0-9]{1,3}(\\.[0-9]{1,6})?)%$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn padding_is_pixels_or_percent() {
        let read = |value: Value| serde_json::from_value::<Padding>(value).ok();
        assert_eq!(read(json!(12)), Some(Padding::Pixels(12.0)));
        assert_eq!(read(json!("12.5%")), Some(Padding::Percent(12.5)));
        assert_eq!(read(json!(-1)), None);
        assert_eq!(read(json!("12px")), None);
        assert_eq!(serde_json::to_value(Padding::Percent(10.0)).unwrap(), json!("10%"));
        assert_eq!(Padding::Percent(10.0).of(200.0, 50.0), (20.0, 5.0));
    }
}
