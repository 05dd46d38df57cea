//! A run's input, checked against the input nodes of its plan. Pictures are only recognised here: whoever accepts the
//! run fetches, measures and stores them, by what [`InputSpec`] says.

mod detections;
mod masks;
pub(crate) mod parameter;
pub(crate) mod picture;

use millrace_blocks::Block;
use millrace_blocks::inputs::{image_input, parameter_input};
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Faults, Kind, NodeId};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::codes;
use crate::draft::DraftNode;
use crate::plan::{Action, NodeIndex, Plan, PlanNode, Template};
use crate::suggest::did_you_mean;

/// One input of a workflow, as whoever starts a run has to know it.
#[derive(Debug, Clone, PartialEq)]
pub struct InputSpec {
    /// The input node's position.
    pub index: NodeIndex,
    /// Its id: the key in a run's `input`.
    pub name: NodeId,
    /// Block type with its version: `image_input@1`, `parameter_input@1`.
    pub block: String,
    /// What it takes: `image`, `list<image>`, or a parameter's kind.
    pub kind: Kind,
    /// Whether a run must give it.
    pub required: bool,
    /// The limits on each picture, for `image_input`s and for parameters of a kind made of images.
    pub image: Option<image_input::Config>,
    /// The parameter's kind, limits and default, for `parameter_input`s.
    pub parameter: Option<parameter_input::Config>,
}

/// What is wrong with a value, and where inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// JSON pointer below the value.
    pub(crate) below: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Wrong {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { below: String::new(), message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same inside an element of a list.
    pub(crate) fn inside(mut self, position: usize) -> Self {
        self.below = format!("/{position}{}", self.below);
        self
    }
}

impl InputSpec {
    /// The input that a node is, if it is one.
    fn of(index: NodeIndex, node: &PlanNode) -> Option<Self> {
        let Action::Input { port, .. } = node.action else { return None };
        let base = Self { index, ..Self::blank(node.id.clone(), node.block.clone()) };
        Some(base.configured(port, config_of(node)))
    }

    /// The input of a called workflow that an input node inside it is.
    pub(crate) fn of_argument(node: &DraftNode<'_>) -> Self {
        let block = node.block.map(Block::versioned).unwrap_or_default();
        let port = node.outputs.first().map_or("value", |port| port.name.as_ref());
        Self::blank(node.name.into(), block).configured(port, Value::Object(node.settings.clone()))
    }

    fn blank(name: NodeId, block: String) -> Self {
        Self {
            index: NodeIndex(0),
            name,
            block,
            kind: Kind::Any,
            required: true,
            image: None,
            parameter: None,
        }
    }

    fn configured(self, port: &str, config: Value) -> Self {
        if port == "value" {
            let config: parameter_input::Config = typed(config);
            let pictures = picture::is_made_of_images(&config.kind).then(picture::default_limits);
            let required = config.default.is_none();
            return Self {
                kind: config.kind.clone(),
                required,
                image: pictures,
                parameter: Some(config),
                ..self
            };
        }
        let config: image_input::Config = typed(config);
        let kind = if port == "images" { Kind::list(Kind::Image) } else { Kind::Image };
        Self { kind, required: config.required, image: Some(config), ..self }
    }

    /// Whether it is an `image_input`.
    pub(crate) fn is_picture(&self) -> bool {
        self.image.is_some() && self.parameter.is_none()
    }

    /// The value of a run that gives none.
    pub(crate) fn default_value(&self) -> Option<Value> {
        match &self.parameter {
            Some(parameter) => parameter.default.clone(),
            None => (!self.required).then_some(Value::Null),
        }
    }

    /// Checks a value, and gives it in its usual form.
    pub(crate) fn accept(&self, value: Value) -> Result<Value, Wrong> {
        match &self.parameter {
            Some(parameter) => parameter::accept(value, parameter),
            None => picture::accept(value, &self.kind),
        }
    }
}

fn config_of(node: &PlanNode) -> Value {
    let Template::Literal(config) = &node.config else {
        unreachable!("the compiler admits no selectors in an input node's configuration")
    };
    config.clone()
}

fn typed<T: DeserializeOwned>(config: Value) -> T {
    serde_json::from_value(config).expect("the compiler checked the configuration against its schema")
}

impl Plan {
    /// The workflow's inputs, in topological order.
    #[must_use]
    pub fn inputs(&self) -> Vec<InputSpec> {
        self.iter().filter_map(|(index, node)| InputSpec::of(index, node)).collect()
    }

    /// Checks a run's `input` and gives it complete: defaults filled in, numbers and detections in their usual form.
    /// An optional image that is not given is null.
    ///
    /// # Errors
    /// Every mistake in it, with the input node and a pointer such as `/input/photo`.
    pub fn check_input(&self, input: &Map<String, Value>) -> Result<Map<String, Value>, Faults> {
        let specs = self.inputs();
        let mut faults = Faults::default();
        for name in input.keys().filter(|name| !specs.iter().any(|spec| spec.name.as_str() == *name)) {
            let message = format!("the workflow has no input {name:?}");
            let mut fault = Fault::new(codes::UNKNOWN_INPUT, pointer_to(name), message);
            fault.hint = did_you_mean(name, specs.iter().map(|spec| spec.name.as_str()))
                .or_else(|| Some("this workflow takes no inputs".to_owned()));
            faults.push(fault);
        }
        let mut complete = Map::new();
        for spec in &specs {
            match given(spec, input) {
                Ok(value) => {
                    complete.insert(spec.name.to_string(), value);
                }
                Err(fault) => faults.push(*fault),
            }
        }
        faults.or(complete)
    }
}

fn given(spec: &InputSpec, input: &Map<String, Value>) -> Result<Value, Box<Fault>> {
    let name = spec.name.as_str();
    let value = input.get(name).filter(|value| !value.is_null()).cloned().or_else(|| spec.default_value());
    let Some(value) = value else {
        let fault =
            Fault::new(codes::MISSING_INPUT, pointer_to(name), format!("the input {name:?} is missing"));
        let hint = format!("give it a value of kind {}", spec.kind);
        return Err(Box::new(fault.on(&spec.name).hint(hint)));
    };
    if value.is_null() {
        return Ok(value);
    }
    spec.accept(value).map_err(|wrong| {
        let pointer = format!("{}{}", pointer_to(name), wrong.below);
        let mut fault = Fault::new(codes::INVALID_INPUT, pointer, wrong.message).on(&spec.name);
        fault.hint = wrong.hint;
        Box::new(fault)
    })
}

fn pointer_to(name: &str) -> String {
    format!("/input/{}", pointer_token(name))
}
