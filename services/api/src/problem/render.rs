//! A problem as `application/problem+json`.

use millrace_contracts::Fault;
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;

/// The content type of every error answer.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not served (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// A stable URI; docs/errors has a page for each.
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    /// What happened, and what to do.
    detail: &'a str,
    /// The path that was asked for.
    instance: &'a str,
    /// Stable, such as `NOT_FOUND`.
    code: &'a str,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// Each mistake in what was sent, with its place.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
    request_id: &'a str,
    trace_id: &'a str,
}

/// The JSON of `problem`, met at `instance` (the path that was asked for).
pub(crate) fn document(problem: &Problem, instance: &str, request_id: &str, trace_id: &str) -> Vec<u8> {
    let document = Document {
        kind: format!("urn:millrace:error:{}", problem.code.as_str()),
        title: problem.code.title(),
        status: problem.status().as_u16(),
        detail: &problem.detail,
        instance,
        code: problem.code.as_str(),
        retryable: problem.code.retryable(),
        errors: &problem.errors,
        request_id,
        trace_id,
    };
    serde_json::to_vec(&document).expect("a problem is plain data")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::problem::Code;

    #[test]
    fn a_problem_is_rfc_9457_and_keeps_the_cause_to_itself() {
        let secret = std::io::Error::other("password=hunter2");
        let problem = Problem::fault(
            Code::InvalidInput,
            Fault::new("UNSUPPORTED_IMAGE", "/input/photo", "not a picture").on(&"photo".into()),
        )
        .because(secret);
        let bytes = document(&problem, "/api/v1/executions", "r1", "t1");
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"));
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["type"], "urn:millrace:error:INVALID_INPUT");
        assert_eq!(value["status"], 422);
        assert_eq!(value["code"], "INVALID_INPUT");
        assert_eq!(value["retryable"], false);
        assert_eq!(value["instance"], "/api/v1/executions");
        assert_eq!(
            value["errors"],
            json!([{"code": "UNSUPPORTED_IMAGE", "node": "photo", "pointer": "/input/photo", "message": "not a picture"}])
        );
    }
}
