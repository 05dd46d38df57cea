//! `Idempotency-Key`: a request that is sent again answers with the run it made the first time.

use axum::extract::Request;
use axum::http::HeaderMap;
use millrace_contracts::Fault;

use crate::auth::Caller;
use crate::problem::{Code, Problem};

/// Characters of a key.
const MAX_KEY: usize = 200;

/// Whose keys are those of callers that need no api key.
const NOBODY: &str = "local";

/// The key a request carries, as it is recorded: those of different callers, and of different addresses (`kind`), do not meet. A
/// session is its api key's.
pub(crate) fn idempotency_key(request: &Request, kind: &str) -> Result<Option<String>, Problem> {
    let caller = request.extensions().get::<Caller>();
    let owner = caller.map_or_else(|| NOBODY.to_owned(), |caller| caller.id.to_string());
    Ok(read(request.headers())?.map(|key| format!("{kind}:{owner}:{key}")))
}

fn read(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().map(str::trim);
    let sound = text
        .filter(|key| (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()));
    match sound {
        Some(key) => Ok(Some(key.to_owned())),
        None => {
            let message =
                format!("Idempotency-Key is 1 to {MAX_KEY} visible ASCII characters, without blanks");
            let fault = Fault::new("INVALID_VALUE", "", message)
                .hint("a fresh UUID for each new submission does well");
            Err(Problem::fault(Code::InvalidHeader, fault))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii() {
        let with = |key: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("idempotency-key", key.parse().unwrap());
            read(&headers)
        };
        assert_eq!(with("a-1").unwrap().as_deref(), Some("a-1"));
        assert_eq!(read(&HeaderMap::new()).unwrap(), None);
        for key in ["", "a b", &"x".repeat(201)] {
            assert_eq!(with(key).unwrap_err().code(), Code::InvalidHeader);
        }
    }
}
