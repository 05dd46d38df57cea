//! `delay`: when it is over. The waiting is the engine's.

use std::time::Duration;

use millrace_blocks::logic::delay::Config;
use millrace_contracts::time::rfc3339;
use millrace_contracts::{ErrorKind, JobError, UnixMillis};
use serde_json::{Map, Value};

use super::{Call, config_of};

/// No delay is longer than 30 days.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The instant at which a `delay` that began at `now` passes its value on; `now` or earlier means at once.
///
/// # Errors
/// `INVALID_CONFIG` when neither or both of `ms` and `until` are given, or are no time within 30 days.
pub fn due_at(config: &Map<String, Value>, now: UnixMillis) -> Result<UnixMillis, JobError> {
    let fault = |field: &str, message: &str| {
        Err(JobError::new(ErrorKind::InvalidConfig, message).at(format!("/config/{field}")))
    };
    let inputs = Map::new();
    let Config { ms, until } = config_of("delay@1", &Call { inputs: &inputs, config })?;
    let (field, due) = match (ms, until) {
        (Some(ms), None) => ("ms", now.after(Duration::from_millis(ms))),
        (None, Some(until)) => match rfc3339::deserialize(Value::from(until)) {
            Ok(instant) => ("until", instant),
            Err(_) => return fault("until", "`until` must be an instant such as 2030-01-31T12:00:00Z"),
        },
        _ => return fault("ms", "give one of `ms` and `until`"),
    };
    if due > now.after(LONGEST) {
        return fault(field, "a delay is 30 days at most");
    }
    Ok(due)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn due(config: &Value) -> Result<i64, String> {
        let now = UnixMillis(1_700_000_000_000);
        due_at(config.as_object().unwrap(), now)
            .map(|due| due.0 - now.0)
            .map_err(|error| error.pointer.unwrap())
    }

    #[test]
    fn a_delay_has_one_end() {
        assert_eq!(due(&json!({"ms": 1500})), Ok(1_500));
        assert_eq!(due(&json!({"until": "2023-11-14T22:13:21Z"})), Ok(1_000));
        assert_eq!(due(&json!({"until": "2020-01-01T00:00:00Z"})).map(|early| early < 0), Ok(true));
        assert_eq!(due(&json!({"until": "tomorrow"})), Err("/config/until".to_owned()));
        assert_eq!(due(&json!({"until": "2099-01-01T00:00:00Z"})), Err("/config/until".to_owned()));
        assert_eq!(due(&json!({"ms": u64::MAX})), Err("/config/ms".to_owned()));
        assert_eq!(due(&json!({})), Err("/config".to_owned()));
    }
}
