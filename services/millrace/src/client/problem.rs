//! An error answer of the api (RFC 9457), worded for people.

use std::fmt;

use millrace_contracts::Fault;
use serde::Deserialize;

/// An error answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) code: String,
    pub(crate) retryable: bool,
    pub(crate) errors: Vec<Fault>,
}

impl Problem {
    /// The problem in the body of an answer with `status`; a body that is none is quoted.
    pub(crate) fn read(status: u16, body: &str) -> Self {
        serde_json::from_str(body).unwrap_or_else(|_| Self {
            status,
            title: format!("the api answered {status}"),
            detail: body.chars().take(300).collect(),
            ..Self::default()
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        if !self.detail.is_empty() && self.detail != self.title {
            write!(f, ": {}", self.detail)?;
        }
        if self.retryable {
            write!(f, " (trying again may help)")?;
        }
        for fault in &self.errors {
            write!(f, "\n  {}", faulty_place(fault))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// A fault on one line: code, node, place, what is wrong, what to do.
pub(crate) fn faulty_place(fault: &Fault) -> String {
    let node = fault.node.as_ref().map(|node| format!(" node {node}")).unwrap_or_default();
    let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}{node} at {:?}: {}{hint}", fault.code, fault.pointer, fault.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_every_fault_with_its_place() {
        let body = r#"{"type":"x","title":"The workflow is not valid","status":422,"detail":"1 fault","code":"INVALID_WORKFLOW",
            "retryable":false,"errors":[{"code":"UNKNOWN_BLOCK","node":"detect","pointer":"/nodes/1/type","message":"no block \"detecton\"","hint":"did you mean \"detection\"?"}]}"#;
        let shown = Problem::read(422, body).to_string();
        assert!(shown.contains("The workflow is not valid: 1 fault"), "{shown}");
        assert!(shown.contains(r#"UNKNOWN_BLOCK node detect at "/nodes/1/type""#), "{shown}");
        assert!(shown.contains("did you mean"), "{shown}");
    }

    #[test]
    fn an_answer_that_is_no_problem_is_quoted() {
        let shown = Problem::read(502, "<html>bad gateway</html>").to_string();
        assert!(shown.contains("502") && shown.contains("bad gateway"), "{shown}");
    }
}
