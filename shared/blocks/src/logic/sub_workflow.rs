//! `sub_workflow`: another workflow as a block. The compiler puts the workflow's nodes in its place.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::block::{Block, Category, Example, Problem, Runner};
use crate::ports::{Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// The block's name.
pub const NAME: &str = "sub_workflow";

/// Configuration of `sub_workflow`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The id of a saved workflow, or a name under `workflows` of the definition.
    #[schemars(length(min = 1, max = 64))]
    pub workflow: String,
    /// Its version. When the calling workflow is saved or run, the newest is taken and pinned here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub version: Option<u32>,
}

impl Config {
    /// The configuration of a call as it is written, numbers settled as `block` settles them; none when it cannot be read.
    #[must_use]
    pub fn of(block: &Block, written: &Map<String, Value>) -> Option<Self> {
        let mut config = written.clone();
        block.settle_numbers(&mut config);
        serde_json::from_value(Value::Object(config)).ok()
    }

    /// The name under which the workflow stands in `workflows`: `NAME`, or `ID@VERSION`.
    #[must_use]
    pub fn key(&self) -> String {
        match self.version {
            Some(version) => format!("{}@{version}", self.workflow),
            None => self.workflow.clone(),
        }
    }
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: NAME,
        version: 1,
        category: Category::Logic,
        title: "Sub-workflow",
        help: "Another workflow as a block: it takes that workflow's inputs and gives its outputs.",
        runner: Runner::Orchestrator,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: Vec::new(),
        further_inputs: Some(Kind::Any),
        // The called workflow says which; the compiler knows it.
        outputs: Outputs::fixed(Vec::new()).with_further(),
        check: Some(check),
        examples: vec![Example {
            title: "A saved workflow, at one of its versions",
            node: json!({
                "id": "count", "type": "sub_workflow", "inputs": {"photo": "$inputs.photo"},
                "config": {"workflow": "0192f0c1-2345-7abc-8def-0123456789ab", "version": 3}
            }),
        }],
    }
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let is_selector = |field: &str| {
        placed.config.get(field).and_then(|value| value.as_str()).is_some_and(crate::ports::is_selector)
    };
    let problem = |field| {
        let message = format!("`{field}` cannot be a selector: the workflow is put in place before the run");
        Problem::config(field, message, "write it out; a switch in front of several calls chooses in the run")
    };
    ["workflow", "version"].into_iter().filter(|field| is_selector(field)).map(problem).collect()
}
