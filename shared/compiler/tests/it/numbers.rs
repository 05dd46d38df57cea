//! Numbers that are none, or as good as infinite: every setting of every block that works on pixels refuses them when the
//! definition is compiled, so that no worker has to compute with them.

use millrace_blocks::{Category, catalogue};
use millrace_compiler::compile;
use serde_json::{Map, Value, json};

/// What no setting takes: numbers whose squares are infinite, and the words for what JSON has no number for.
fn refused() -> [Value; 6] {
    [json!(1e300), json!(-1e300), json!("NaN"), json!("Infinity"), json!("-inf"), json!("1e999")]
}

fn takes_numbers(schema: &Value) -> bool {
    let number = |kind: &Value| matches!(kind.as_str(), Some("number" | "integer"));
    let kinds = &schema["type"];
    number(kinds) || kinds.as_array().is_some_and(|kinds| kinds.iter().any(number))
}

/// Configurations with one number each, at the place that the schema has one: the number, and whatever stands around it.
fn with_each_number(schema: &Value, number: &Value) -> Vec<Value> {
    if takes_numbers(schema) {
        return vec![number.clone()];
    }
    if let Some(alternatives) = ["anyOf", "oneOf"].iter().find_map(|keyword| schema[keyword].as_array()) {
        return alternatives.iter().flat_map(|schema| with_each_number(schema, number)).collect();
    }
    if let Some(properties) = schema["properties"].as_object() {
        let one = |(name, schema): (&String, &Value)| {
            with_each_number(schema, number)
                .into_iter()
                .map(|value| Value::Object(Map::from_iter([(name.clone(), value)])))
                .collect::<Vec<_>>()
        };
        return properties.iter().flat_map(one).collect();
    }
    if !schema["items"].is_object() {
        return Vec::new();
    }
    let length = schema["minItems"].as_u64().unwrap_or(1) as usize;
    with_each_number(&schema["items"], number).into_iter().map(|value| vec![value; length].into()).collect()
}

/// Whether a definition with this configuration is refused for a setting of it.
fn is_refused(block: &str, config: &Value) -> bool {
    let node = json!({"id": "x", "type": block, "config": config});
    let faults = compile(&json!({"nodes": [node]})).err().unwrap_or_default();
    let name = config.as_object().and_then(|config| config.keys().next()).expect("one setting");
    let place = format!("/nodes/0/config/{name}");
    faults.0.iter().any(|fault| fault.pointer.starts_with(&place))
}

#[test]
fn no_pixel_block_takes_a_number_that_is_none() {
    let pixels = catalogue().iter().filter(|block| block.category == Category::Transform);
    let (mut settings, mut taken) = (0, Vec::new());
    for block in pixels {
        for number in refused() {
            for config in with_each_number(&block.config, &number) {
                settings += 1;
                if !is_refused(block.name, &config) {
                    taken.push(format!("{} {config}", block.name));
                }
            }
        }
    }
    assert!(taken.is_empty(), "compiled:\n{}", taken.join("\n"));
    assert!(settings > 100, "{settings} settings found in the schemas");
    // And JSON itself has neither.
    assert!(
        serde_json::from_str::<Value>("[1e999]").is_err() && serde_json::from_str::<Value>("[NaN]").is_err()
    );
}
