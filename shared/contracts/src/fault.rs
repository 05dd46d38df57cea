//! What is wrong with a definition or an input: all of it, each with its place.

use serde::{Deserialize, Serialize};

use crate::NodeId;

/// One mistake, with its place and a way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fault {
    /// Stable code such as `UNKNOWN_BLOCK`; each has a page under docs/errors.
    pub code: String,
    /// The node at fault, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// JSON pointer (RFC 6901) into the document that was sent.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Fault {
    /// A mistake at `pointer`.
    #[must_use]
    pub fn new(code: &str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            node: None,
            pointer: pointer.into(),
            message: message.into(),
            hint: None,
        }
    }

    /// The same mistake, laid at a node's door.
    #[must_use]
    pub fn on(mut self, node: &NodeId) -> Self {
        self.node = Some(node.clone());
        self
    }

    /// The same mistake with a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Every mistake that was found, in the order of the document; never empty when it is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Notes one more.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok(value)` when nothing is wrong, all the mistakes otherwise.
    ///
    /// # Errors
    /// The faults themselves, when there are any.
    pub fn or<T>(self, value: T) -> Result<T, Faults> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, fault) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}{} at {:?}: {}", fault.code, fault.pointer, fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Escapes one token of a JSON pointer (RFC 6901 §3).
#[must_use]
pub fn pointer_token(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
