//! Ports: the named ends of a block, each with the kinds of value it takes or gives.

use std::borrow::Cow;
use std::collections::BTreeMap;

use millrace_contracts::Kind;
use serde::Serialize;
use serde_json::{Map, Value};

/// An input port with a fixed name.
#[derive(Debug, Clone, Serialize)]
pub struct InputPort {
    /// Its name.
    pub name: &'static str,
    /// The kinds it takes, the usual one first.
    pub kinds: Vec<Kind>,
    /// Whether the node needs it; an optional port reads null where its source was skipped.
    pub required: bool,
    /// What it is for.
    pub help: &'static str,
}

impl InputPort {
    /// A port the node needs.
    #[must_use]
    pub fn required(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kinds: vec![kind], required: true, help }
    }

    /// A port the node can do without.
    #[must_use]
    pub fn optional(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kinds: vec![kind], required: false, help }
    }

    /// The same port, taking another kind too.
    #[must_use]
    pub fn or(mut self, kind: Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// The first of its kinds that a value of kind `have` may stand for.
    #[must_use]
    pub fn accepts(&self, have: &Kind) -> Option<&Kind> {
        self.kinds.iter().find(|wanted| have.fits(wanted))
    }
}

/// An output port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputPort {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it carries.
    pub kind: Kind,
    /// What that means.
    pub help: Cow<'static, str>,
}

impl OutputPort {
    /// A port of this name and kind.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, kind: Kind, help: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), kind, help: help.into() }
    }
}

/// A block where it is placed in a workflow, as far as its ports and rules depend on that.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// Its configuration with defaults filled in; selectors stand as their text.
    pub config: &'a Map<String, Value>,
    /// The kind of value wired to each of its inputs.
    pub inputs: &'a BTreeMap<String, Kind>,
}

impl Placed<'_> {
    /// The kind wired to input `name`; any when nothing is.
    #[must_use]
    pub fn kind_of(&self, name: &str) -> Kind {
        self.inputs.get(name).cloned().unwrap_or(Kind::Any)
    }

    /// A text field of the configuration, unless it is absent or a selector.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.config.get(field).and_then(Value::as_str).filter(|text| !is_selector(text))
    }

    /// A number field of the configuration, unless it is absent or a selector.
    #[must_use]
    pub fn number(&self, field: &str) -> Option<f64> {
        self.config.get(field).and_then(Value::as_f64)
    }

    /// Whether a field of the configuration has a value other than null.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.config.get(field).is_some_and(|value| !value.is_null())
    }
}

/// Whether a string of a definition is a selector rather than a literal; `$$` writes a literal dollar.
#[must_use]
pub fn is_selector(text: &str) -> bool {
    text.starts_with('$') && !text.starts_with("$$")
}

/// Output ports, fixed or depending on where the block is placed.
#[derive(Debug)]
pub struct Outputs {
    /// The ports as the catalogue lists them.
    pub declared: Vec<OutputPort>,
    /// The ports of one placed block, where they differ from the declared ones.
    pub placed: Option<fn(&Placed<'_>) -> Vec<OutputPort>>,
    /// Whether the workflow names further ports itself, as `switch` does with its cases.
    pub further: bool,
}

impl Outputs {
    /// The same ports wherever the block is placed.
    #[must_use]
    pub fn fixed(declared: Vec<OutputPort>) -> Self {
        Self { declared, placed: None, further: false }
    }

    /// Ports whose presence or kind depends on configuration or inputs.
    #[must_use]
    pub fn varying(declared: Vec<OutputPort>, placed: fn(&Placed<'_>) -> Vec<OutputPort>) -> Self {
        Self { declared, placed: Some(placed), further: false }
    }

    /// The same, with further ports named by the workflow.
    #[must_use]
    pub fn with_further(mut self) -> Self {
        self.further = true;
        self
    }

    /// The ports where the block is placed.
    #[must_use]
    pub fn at(&self, placed: &Placed<'_>) -> Vec<OutputPort> {
        self.placed.map_or_else(|| self.declared.clone(), |ports| ports(placed))
    }
}
