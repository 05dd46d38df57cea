//! `switch`: a branch per case.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::block::{Block, Category, Example, Problem, Runner};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `switch`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Port → the literal that the value must equal. The first case that fits is taken, `default` when none does.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 256,
        "propertyNames" = {"pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,63}$"}))]
    pub cases: Map<String, Value>,
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "switch",
        version: 1,
        category: Category::Logic,
        title: "Switch",
        help: "Passes its value on to the port of the case it equals; what depends on the other ports is skipped.",
        runner: Runner::Orchestrator,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::required(
            "value",
            Kind::Any,
            "What is compared with the cases and passed on.",
        )],
        further_inputs: None,
        outputs: Outputs::varying(vec![default(Kind::Any)], outputs).with_further(),
        check: Some(check),
        examples: vec![Example {
            title: "By class",
            node: json!({
                "id": "by_class", "type": "switch", "inputs": {"value": "$inputs.shape"},
                "config": {"cases": {"round": "circle", "square": "rectangle"}}
            }),
        }],
    }
}

fn default(kind: Kind) -> OutputPort {
    OutputPort::new("default", kind, "The value, when no case fits.")
}

fn outputs(placed: &Placed<'_>) -> Vec<OutputPort> {
    let kind = placed.kind_of("value");
    let cases = placed.config.get("cases").and_then(Value::as_object);
    let port = |(name, literal): (&String, &Value)| {
        OutputPort::new(name.clone(), kind.clone(), format!("The value, when it equals {literal}."))
    };
    let mut ports = cases.into_iter().flatten().map(port).collect::<Vec<_>>();
    ports.push(default(kind));
    ports
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let Some(cases) = placed.config.get("cases") else { return Vec::new() };
    if placed.has("cases") && cases.is_string() {
        let hint = "write the cases out: {\"port\": literal}";
        return vec![Problem::config("cases", "`cases` cannot be a selector: the ports depend on it", hint)];
    }
    if cases.get("default").is_some() {
        let hint = "rename the case: `default` is the port of values that fit no case";
        return vec![Problem::config("cases", "a case is called `default`", hint)];
    }
    Vec::new()
}
