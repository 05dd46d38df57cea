//! `api_response`: the status of an answer.

use millrace_contracts::{ErrorKind, JobError};
use serde_json::Value;

use super::name_of;

/// The statuses that may end an exchange (RFC 9110, 15): those below announce that more will follow.
const STATUSES: std::ops::RangeInclusive<u64> = 200..=599;

/// The HTTP status that the port `status` asks for; 200 when it is absent or null.
///
/// # Errors
/// `INVALID_INPUT` at `/inputs/status` when it is no whole number from 200 to 599.
pub fn status(value: Option<&Value>) -> Result<u16, JobError> {
    let value = value.unwrap_or(&Value::Null);
    if value.is_null() {
        return Ok(200);
    }
    let status = value.as_u64().filter(|status| STATUSES.contains(status));
    status.and_then(|status| u16::try_from(status).ok()).ok_or_else(|| {
        let found = if value.is_number() { value.to_string() } else { name_of(value).to_owned() };
        let message = format!("a status is a whole number from 200 to 599, and this is {found}");
        JobError::new(ErrorKind::InvalidInput, message).at("/inputs/status")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_ends_an_exchange() {
        assert_eq!(status(None).unwrap(), 200);
        for (value, expected) in [(json!(null), 200), (json!(200), 200), (json!(404), 404), (json!(599), 599)]
        {
            assert_eq!(status(Some(&value)).unwrap(), expected);
        }
        for wrong in [json!(199), json!(600), json!(-1), json!(200.5), json!("200"), json!(true)] {
            assert_eq!(
                status(Some(&wrong)).unwrap_err().pointer.as_deref(),
                Some("/inputs/status"),
                "{wrong}"
            );
        }
    }
}
