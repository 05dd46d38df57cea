//! Entity tags: of a workflow's version (`"3"`), of a blob (its digest).

use axum::http::{HeaderMap, header};
use millrace_contracts::Fault;

use crate::problem::{Code, Problem};

/// The tag of a workflow's version.
pub(crate) fn of_version(version: u32) -> String {
    format!("\"{version}\"")
}

/// The version that `If-Match` asks for; none when any will do.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version =
        text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(|text| text.parse().ok());
    version.map(Some).ok_or_else(|| {
        let fault = Fault::new("INVALID_VALUE", "", "If-Match is not an ETag of a workflow")
            .hint("send the ETag of the answer you have, such as \"3\" with its quotes");
        Problem::fault(Code::InvalidHeader, fault)
    })
}

/// Whether `If-None-Match` names `tag`, so that the client has it already.
pub(crate) fn none_match(headers: &HeaderMap, tag: &str) -> bool {
    let value = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == tag || one == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn if_match_is_a_version_or_anything() {
        assert_eq!(if_match(&headers(header::IF_MATCH, "\"3\"")).unwrap(), Some(3));
        assert_eq!(if_match(&headers(header::IF_MATCH, "*")).unwrap(), None);
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        for wrong in ["3", "\"x\"", "W/\"3\"", "\"1\", \"2\""] {
            assert_eq!(if_match(&headers(header::IF_MATCH, wrong)).unwrap_err().code(), Code::InvalidHeader);
        }
    }

    #[test]
    fn if_none_match_compares_weakly() {
        assert!(none_match(&headers(header::IF_NONE_MATCH, "\"a\", W/\"b\""), "\"b\""));
        assert!(none_match(&headers(header::IF_NONE_MATCH, "*"), "\"b\""));
        assert!(!none_match(&headers(header::IF_NONE_MATCH, "\"a\""), "\"b\""));
        assert!(!none_match(&HeaderMap::new(), "\"b\""));
    }
}
