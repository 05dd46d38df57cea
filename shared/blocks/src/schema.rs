//! JSON Schemas of configurations: self-contained, and with plain `enum`s, which people and messages read best.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The schema of a configuration type, subschemas inlined.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(plain_enum).transform(&mut schema);
    RecursiveTransform(plain_option).transform(&mut schema);
    let mut value = schema.to_value();
    if let Some(root) = value.as_object_mut() {
        root.remove("$schema");
        root.remove("title");
    }
    value
}

/// Turns `oneOf: [{const, description}, …]`, which documented variants become, into `enum` and `enumDescriptions`.
fn plain_enum(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let Some(choices) = object.get("oneOf").and_then(Value::as_array) else { return };
    let constant = |choice: &Value| choice.get("const").cloned();
    let Some(values) = choices.iter().map(constant).collect::<Option<Vec<_>>>() else { return };
    let describe = |choice: &Value| choice.get("description").cloned().unwrap_or_default();
    let descriptions = choices.iter().map(describe).collect::<Vec<_>>();
    object.remove("oneOf");
    object.insert("type".to_owned(), "string".into());
    object.insert("enum".to_owned(), values.into());
    object.insert("enumDescriptions".to_owned(), descriptions.into());
}

/// Turns `anyOf: [X, {type: null}]`, which optional structs and enums become, into X that may be null: a fault inside
/// then stands where it is, not at the whole.
fn plain_option(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let Some([Value::Object(inner), null]) = object.get("anyOf").and_then(Value::as_array).map(Vec::as_slice)
    else {
        return;
    };
    let Some(Value::String(kind)) = inner.get("type").filter(|_| null["type"] == "null") else { return };
    let (mut inner, kind) = (inner.clone(), kind.clone());
    inner.insert("type".to_owned(), vec![kind, "null".to_owned()].into());
    if let Some(choices) = inner.get_mut("enum").and_then(Value::as_array_mut) {
        choices.push(Value::Null);
    }
    object.remove("anyOf");
    for (keyword, value) in inner {
        object.entry(keyword).or_insert(value);
    }
}

/// Fills the schema's defaults into a configuration, at the top level: what is nested gets its own where it is read.
pub(crate) fn fill_defaults(schema: &Value, config: &mut Map<String, Value>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for (name, property) in properties {
        let default = property.get("default").filter(|value| !value.is_null());
        if let Some(default) = default.filter(|_| !config.contains_key(name)) {
            config.insert(name.clone(), default.clone());
        }
    }
}

/// Reads a configuration as `T`.
pub(crate) fn read_as<T: DeserializeOwned>(config: &Map<String, Value>) -> Result<(), String> {
    serde_json::from_value::<T>(Value::Object(config.clone())).map(drop).map_err(|error| error.to_string())
}

/// Turns `640.0` into `640` in every field whose schema takes whole numbers only.
pub(crate) fn settle_fields(schema: &Value, fields: &mut Map<String, Value>) {
    for (name, value) in fields {
        if let Some(property) = schema.get("properties").and_then(|properties| properties.get(name)) {
            settle(property, value);
        }
    }
}

fn settle(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => settle_fields(schema, fields),
        Value::Array(items) => {
            if let Some(inner) = schema.get("items") {
                items.iter_mut().for_each(|item| settle(inner, item));
            }
        }
        Value::Number(number) if number.is_f64() && takes_whole_numbers_only(schema) => {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15);
            if let Some(float) = float {
                *value = Value::from(float as i64);
            }
        }
        _ => {}
    }
}

fn takes_whole_numbers_only(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == "integer",
        Some(Value::Array(many)) => {
            many.iter().any(|one| one == "integer") && !many.iter().any(|one| one == "number")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        /// How.
        #[serde(default)]
        mode: Mode,
        /// How much.
        #[schemars(range(min = 1, max = 9))]
        amount: Option<u32>,
        /// How otherwise.
        fallback: Option<Mode>,
    }

    #[derive(Default, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        /// Slowly.
        #[default]
        Slow,
        /// Fast.
        VeryFast,
    }

    #[test]
    fn variants_become_a_plain_enum_and_unknown_fields_are_refused() {
        let schema = schema_of::<Sample>();
        assert_eq!(schema["properties"]["mode"]["enum"], serde_json::json!(["slow", "very_fast"]));
        assert_eq!(schema["properties"]["mode"]["default"], "slow");
        assert_eq!(schema["properties"]["amount"]["maximum"], 9);
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["fallback"]["enum"], serde_json::json!(["slow", "very_fast", null]));
        assert_eq!(schema["properties"]["fallback"]["type"], serde_json::json!(["string", "null"]));
        assert_eq!(schema["properties"]["fallback"]["description"], "How otherwise.");
    }

    #[test]
    fn defaults_fill_what_is_absent_only() {
        let mut config = Map::new();
        fill_defaults(&schema_of::<Sample>(), &mut config);
        assert_eq!(Value::from(config.clone()), serde_json::json!({"mode": "slow"}));
        config.insert("mode".to_owned(), "very_fast".into());
        fill_defaults(&schema_of::<Sample>(), &mut config);
        assert_eq!(config["mode"], "very_fast");
    }

    #[test]
    fn whole_numbers_are_written_as_such() {
        let schema = serde_json::json!({"properties": {
            "n": {"type": ["integer", "null"]}, "x": {"type": "number"},
            "list": {"type": "array", "items": {"type": "integer"}}
        }});
        let mut config = serde_json::json!({"n": 640.0, "x": 1.0, "list": [1.0, 1.5], "other": 2.0});
        settle_fields(&schema, config.as_object_mut().unwrap());
        assert_eq!(config.to_string(), r#"{"n":640,"x":1.0,"list":[1,1.5],"other":2.0}"#);
    }
}
