//! A block's description of itself: the one source for the catalogue endpoint, the console, the docs and the compiler.

use millrace_contracts::Kind;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{fill_defaults, settle_fields};

/// Everything there is to know about a block without running it.
#[derive(Debug)]
pub struct Block {
    /// The name in `type`, such as `crop`.
    pub name: &'static str,
    /// The version in `type`, from 1: `crop@1`.
    pub version: u32,
    /// The shelf it stands on.
    pub category: Category,
    /// Its name for people.
    pub title: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// Who runs it.
    pub runner: Runner,
    /// Whether equal inputs and config give equal outputs, so that a result may be reused.
    pub pure: bool,
    /// JSON Schema of its configuration, subschemas inlined, with defaults.
    pub config: Value,
    /// Reads a configuration as the typed `Config` of the block's module; the error says why it cannot.
    pub read: fn(&Map<String, Value>) -> Result<(), String>,
    /// Fields of the configuration that hold a CEL expression.
    pub expressions: &'static [Expression],
    /// Input ports with fixed names.
    pub inputs: Vec<InputPort>,
    /// The kind of further inputs that the workflow names itself; none when there may be none.
    pub further_inputs: Option<Kind>,
    /// Output ports.
    pub outputs: Outputs,
    /// Rules that JSON Schema cannot express, such as `min` below `max`.
    pub check: Option<fn(&Placed<'_>) -> Vec<Problem>>,
    /// How it is used.
    pub examples: Vec<Example>,
}

impl Block {
    /// `crop@1`.
    #[must_use]
    pub fn versioned(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Whether a worker may run it right behind another such block, before anything is recorded of either: pixels to pixels on
    /// the CPU, and doing it twice does no harm.
    #[must_use]
    pub fn is_transform_job(&self) -> bool {
        let on_cpu = matches!(self.runner, Runner::Worker { pool: "cpu", model: false });
        on_cpu && self.pure && self.category == Category::Transform
    }

    /// The input port with this name, if it is a fixed one.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&InputPort> {
        self.inputs.iter().find(|port| port.name == name)
    }

    /// The output ports of the block where it is placed.
    #[must_use]
    pub fn outputs_at(&self, placed: &Placed<'_>) -> Vec<OutputPort> {
        self.outputs.at(placed)
    }

    /// Fills its defaults into a configuration, where a field is absent.
    pub fn fill_defaults(&self, config: &mut Map<String, Value>) {
        fill_defaults(&self.config, config);
    }

    /// Writes whole numbers as such where the schema asks for them: some clients send 640 as `640.0`.
    pub fn settle_numbers(&self, config: &mut Map<String, Value>) {
        settle_fields(&self.config, config);
    }

    /// The fields of its configuration, in the schema's order.
    pub fn config_fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        let fields = self.config.get("properties").and_then(Value::as_object);
        fields.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }
}

/// The shelves of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// What a run is given.
    Input,
    /// Inference.
    Model,
    /// Pixels to pixels.
    Transform,
    /// Decisions, loops, lists.
    Logic,
    /// What a run gives.
    Output,
}

/// Who runs a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Runner {
    /// Nobody: its value is the run's input of the node's name.
    Input,
    /// The orchestrator, in pure code.
    Orchestrator,
    /// A worker, as a job.
    Worker {
        /// The pool it goes to unless the node says otherwise.
        pool: &'static str,
        /// Whether `model_id` and `model_source` of its configuration name a model.
        model: bool,
    },
    /// Nobody: its inputs are part of the run's outputs.
    Output,
}

/// A field of a configuration that holds a CEL expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expression {
    /// The field's name.
    pub field: &'static str,
    /// Variables it sees beside the node's inputs, such as `item`.
    pub variables: &'static [&'static str],
}

/// A broken rule of a block's own, found by its `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is at fault.
    pub subject: Subject,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// The part of a node that a [`Problem`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A field of the configuration; the whole of it when empty.
    Config(&'static str),
    /// An input port that these settings need.
    MissingInput(&'static str),
    /// An input name that is taken for something else.
    Input(String),
}

/// A node as somebody would write it.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// What it shows.
    pub title: &'static str,
    /// The node's JSON.
    pub node: Value,
}

impl Problem {
    /// A broken rule about one field of the configuration.
    #[must_use]
    pub fn config(field: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { subject: Subject::Config(field), message: message.into(), hint: hint.into() }
    }
}
