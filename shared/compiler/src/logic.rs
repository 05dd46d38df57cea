//! What the orchestrator evaluates by itself: pure functions of resolved inputs and config, one file per block.

pub mod api_response;
pub mod delay;
pub mod enter;
pub mod for_each;
pub mod json_output;

mod condition;
pub(crate) mod equal;
mod filter;
mod first_of;
mod map;
mod place;
mod rules;
mod switch;

use std::sync::Arc;

use millrace_blocks::settings;
use millrace_contracts::{ErrorKind, JobError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use json_output::output_value;

use crate::expression::{Expression, Trouble, on_deep_stack};

/// Items of one list that a block here goes through; a longer list is refused.
pub const MAX_ITEMS: usize = 100_000;

/// What a block is called with.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Input ports, resolved. A skipped optional input is null or absent.
    pub inputs: &'a Map<String, Value>,
    /// The configuration, selectors resolved and defaults filled in.
    pub config: &'a Map<String, Value>,
}

/// What a block gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ports {
    /// Ports that carry a value.
    pub values: Map<String, Value>,
    /// Ports that are skipped.
    pub skipped: Vec<String>,
}

/// The compiled evaluation of a block that the orchestrator runs.
#[derive(Debug)]
pub enum Logic {
    /// Passes its value to `true` or to `false`.
    Condition(Arc<Expression>),
    /// Passes its value to the port of a case, or to `default`.
    Switch,
    /// Gives the first input there is.
    FirstOf,
    /// Keeps what passes its rules, `where` among them.
    Filter(Option<Arc<Expression>>),
    /// Gives the value of an expression for each item.
    Map(Arc<Expression>),
    /// Takes the inputs of a call.
    Enter(enter::Entrance),
}

impl Logic {
    /// Evaluates the block. Equal calls give equal ports; the time it takes is bounded.
    ///
    /// # Errors
    /// `INVALID_INPUT` or `INVALID_CONFIG`, with the place in the node.
    pub fn evaluate(&self, call: &Call<'_>) -> Result<Ports, JobError> {
        if !self.expression().is_some_and(|expression| expression.is_deep()) {
            return self.evaluate_here(call);
        }
        on_deep_stack(|| self.evaluate_here(call))
            .unwrap_or_else(|error| Err(JobError::new(ErrorKind::Internal, error.to_string())))
    }

    fn expression(&self) -> Option<&Expression> {
        match self {
            Self::Condition(expression) | Self::Map(expression) => Some(expression),
            Self::Filter(expression) => expression.as_deref(),
            Self::Switch | Self::FirstOf | Self::Enter(_) => None,
        }
    }

    /// Whether it has to see values that are stored apart; otherwise it hands on the references to them.
    #[must_use]
    pub fn reads_values(&self) -> bool {
        !matches!(self, Self::Enter(entrance) if !entrance.reads)
    }

    fn evaluate_here(&self, call: &Call<'_>) -> Result<Ports, JobError> {
        match self {
            Self::Condition(expression) => condition::evaluate(expression, call),
            Self::Switch => switch::evaluate(call),
            Self::FirstOf => first_of::evaluate(call),
            Self::Filter(expression) => filter::evaluate(expression.as_deref(), call),
            Self::Map(expression) => map::evaluate(expression, call),
            Self::Enter(entrance) => entrance.evaluate(call),
        }
    }

    /// The evaluation of a placed block: none when it is none of these, or its expression is at fault.
    pub(crate) fn compile(block: &str, expression: impl FnOnce() -> Option<Arc<Expression>>) -> Option<Self> {
        match block {
            "condition" => expression().map(Self::Condition),
            "switch" => Some(Self::Switch),
            "first_of" => Some(Self::FirstOf),
            "filter" => Some(Self::Filter(expression())),
            "map" => expression().map(Self::Map),
            _ => None,
        }
    }
}

impl Ports {
    fn of<const N: usize>(values: [(&str, Value); N]) -> Self {
        let values = values.into_iter().map(|(port, value)| (port.to_owned(), value)).collect();
        Self { values, skipped: Vec::new() }
    }
}

/// The typed configuration of a call of `block`, if what selectors put there is allowed there.
fn config_of<T: DeserializeOwned>(block: &str, call: &Call<'_>) -> Result<T, JobError> {
    settings::read(block, call.config, call.inputs.keys().map(String::as_str))
}

/// The list on an input port.
fn list_of<'a>(inputs: &'a Map<String, Value>, port: &str) -> Result<&'a [Value], JobError> {
    let items = match inputs.get(port) {
        Some(Value::Array(items)) => items,
        other => {
            let message =
                format!("`{port}` must be a list, and is {}", name_of(other.unwrap_or(&Value::Null)));
            return Err(JobError::new(ErrorKind::InvalidInput, message).at(format!("/inputs/{port}")));
        }
    };
    bounded(items, port)
}

fn bounded<'a>(items: &'a [Value], port: &str) -> Result<&'a [Value], JobError> {
    if items.len() <= MAX_ITEMS {
        return Ok(items);
    }
    let message = format!("`{port}` has {} items, and {MAX_ITEMS} are allowed", items.len());
    Err(JobError::new(ErrorKind::InvalidInput, message).at(format!("/inputs/{port}")))
}

/// What a value is, for messages.
pub(crate) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The failure of an expression in `field`, for item `index` of a list if it is for one.
fn expression_error(field: &str, index: Option<usize>, trouble: &Trouble) -> JobError {
    let place = index.map_or(String::new(), |index| format!(" for item {index}"));
    let message = format!("the expression `{field}` failed{place}: {}", trouble.message);
    JobError::new(trouble.kind, message).at(format!("/config/{field}"))
}
