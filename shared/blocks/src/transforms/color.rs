//! Colours as a configuration writes them: a grey level, `[r, g, b]`, or `"#rrggbb"`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// An opaque colour, sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color {
    /// Red, green, blue; 0 to 255.
    pub rgb: [u8; 3],
}

impl Color {
    /// A grey of this level.
    #[must_use]
    pub fn grey(level: u8) -> Self {
        Self { rgb: [level; 3] }
    }

    fn parse(value: &Value) -> Option<Self> {
        let level = |value: &Value| value.as_u64().and_then(|level| u8::try_from(level).ok());
        match value {
            Value::Number(_) => level(value).map(Self::grey),
            Value::Array(parts) => {
                let rgb = parts.iter().map(level).collect::<Option<Vec<_>>>()?;
                Some(Self { rgb: rgb.try_into().ok()? })
            }
            Value::String(text) => {
                let hex = |digits: &&str| {
                    digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
                };
                let digits = text.strip_prefix('#').filter(hex)?;
                let number = u32::from_str_radix(digits, 16).ok()?;
                let [_, red, green, blue] = number.to_be_bytes();
                Some(Self { rgb: [red, green, blue] })
            }
            _ => None,
        }
    }
}

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [red, green, blue] = self.rgb;
        if red == green && green == blue {
            return serializer.serialize_u8(red);
        }
        serializer.collect_str(&format_args!("#{red:02x}{green:02x}{blue:02x}"))
    }
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::parse(&value).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{value} is not a colour: write 114, [255, 0, 0] or \"#ff0000\""
            ))
        })
    }
}

impl JsonSchema for Color {
    fn schema_name() -> Cow<'static, str> {
        "Color".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "array", "string"],
            "minimum": 0,
            "maximum": 255,
            "items": {"type": "integer", "minimum": 0, "maximum": 255},
            "minItems": 3,
            "maxItems": 3,
            "pattern": "^#[0-9a-fA-F]{6}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn colours_have_three_spellings() {
        let read = |value: Value| serde_json::from_value::<Color>(value).ok().map(|color| color.rgb);
        assert_eq!(read(json!(114)), Some([114; 3]));
        assert_eq!(read(json!([1, 2, 3])), Some([1, 2, 3]));
        assert_eq!(read(json!("#0a0B0c")), Some([10, 11, 12]));
        for wrong in [json!(256), json!([1, 2]), json!("red"), json!("#+12345"), json!(null)] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }
}
