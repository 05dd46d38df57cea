//! The settings a run request may carry beside its input, checked all at once.

use millrace_contracts::fault::pointer_token;
use millrace_contracts::job::Priority;
use millrace_contracts::{Fault, Faults, Pool};
use millrace_store::OWN_LABEL;
use serde_json::{Map, Value};
use url::Url;

use crate::body::type_name;
use crate::fields;

/// Labels of one run.
const MAX_LABELS: usize = 32;
/// Characters of a label's name.
const MAX_LABEL_NAME: usize = 64;
/// What ends a label's name in a filter, `?label=name:value`.
const NAME_ENDS: [char; 2] = [':', '='];
/// Characters of a label's value.
const MAX_LABEL_VALUE: usize = 256;
/// The longest a run may be given, milliseconds: 30 days, as in definitions.
const MAX_TIMEOUT_MS: u64 = 30 * 24 * 3_600 * 1_000;
/// Bytes of a call-back's address.
const MAX_CALLBACK_BYTES: usize = 4096;
/// Characters of a pool's name.
const MAX_POOL: usize = 64;

/// How a run is to be run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RunOptions {
    /// How urgent.
    pub(crate) priority: Priority,
    /// The pool for all its jobs.
    pub(crate) pool: Option<Pool>,
    /// The caller's labels.
    pub(crate) labels: Map<String, Value>,
    /// Ends it after so many milliseconds.
    pub(crate) timeout_ms: Option<u64>,
    /// Who is told of its end.
    pub(crate) callback_url: Option<String>,
}

/// The fields [`RunOptions::take`] takes.
const FIELDS: [&str; 5] = ["priority", "pool", "callback_url", "labels", "timeout_ms"];

impl RunOptions {
    /// Takes the options out of a request's fields; mistakes go to `faults`.
    pub(crate) fn take(fields: &mut Map<String, Value>, faults: &mut Faults) -> Self {
        let [priority, pool, callback_url, labels, timeout_ms] =
            FIELDS.map(|name| fields::take(fields, name));
        Self {
            priority: priority.map_or_else(Priority::default, |value| read_priority(&value, faults)),
            pool: pool.and_then(|value| read_pool(value, faults)),
            labels: labels.map_or_else(Map::new, |value| read_labels(value, faults)),
            timeout_ms: timeout_ms.and_then(|value| read_timeout(&value, faults)),
            callback_url: callback_url.and_then(|value| read_callback(value, faults)),
        }
    }
}

/// A fault for each field that nobody took; `known` are those beside the options.
pub(crate) fn unknown_fields(fields: &Map<String, Value>, known: &[&str], faults: &mut Faults) {
    fields::refuse_rest(fields, "", &[known, &FIELDS].concat(), faults);
}

fn read_priority(value: &Value, faults: &mut Faults) -> Priority {
    let found = Priority::ALL.into_iter().find(|priority| value.as_str() == Some(priority.as_str()));
    found.unwrap_or_else(|| {
        let fault = Fault::new("INVALID_VALUE", "/priority", "this is not a priority");
        faults.push(fault.hint("write \"high\", \"normal\" or \"low\""));
        Priority::default()
    })
}

fn read_pool(value: Value, faults: &mut Faults) -> Option<Pool> {
    let sound = |name: &str| {
        (1..=MAX_POOL).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match value {
        Value::String(name) if sound(&name) => Some(name.into()),
        _ => {
            let fault = Fault::new("INVALID_VALUE", "/pool", "this cannot be the name of a pool");
            faults.push(fault.hint("write the name of a pool of workers, such as \"fast\" or \"heavy\""));
            None
        }
    }
}

fn read_labels(value: Value, faults: &mut Faults) -> Map<String, Value> {
    let labels = match value {
        Value::Object(labels) => labels,
        other => {
            let message = format!("labels are an object of texts, not {}", type_name(&other));
            faults.push(Fault::new("INVALID_TYPE", "/labels", message));
            return Map::new();
        }
    };
    if labels.len() > MAX_LABELS {
        faults.push(Fault::new("INVALID_VALUE", "/labels", format!("a run has at most {MAX_LABELS} labels")));
    }
    for (name, value) in &labels {
        let pointer = format!("/labels/{}", pointer_token(name));
        if !(1..=MAX_LABEL_NAME).contains(&name.chars().count()) {
            let message = format!("a label's name has 1 to {MAX_LABEL_NAME} characters");
            faults.push(Fault::new("INVALID_VALUE", pointer.clone(), message));
        }
        if name == OWN_LABEL.0 {
            // Lists and reports leave these out.
            let fault =
                Fault::new("INVALID_VALUE", pointer.clone(), "this label is for runs of the server's own");
            faults.push(fault.hint("give the label another name"));
        }
        if name.contains(NAME_ENDS) {
            let fault =
                Fault::new("INVALID_VALUE", pointer.clone(), "a label's name has no `:` and no `=` in it");
            faults.push(fault.hint("lists are filtered by `?label=name:value`; write such as `team.name`"));
        }
        match value {
            Value::String(text) if text.chars().count() <= MAX_LABEL_VALUE => {}
            Value::String(_) => {
                let message = format!("a label's value has at most {MAX_LABEL_VALUE} characters");
                faults.push(Fault::new("INVALID_VALUE", pointer, message));
            }
            other => {
                let message = format!("a label's value is a text, not {}", type_name(other));
                faults.push(Fault::new("INVALID_TYPE", pointer, message));
            }
        }
    }
    labels
}

fn read_timeout(value: &Value, faults: &mut Faults) -> Option<u64> {
    let found = value.as_u64().filter(|timeout| (1..=MAX_TIMEOUT_MS).contains(timeout));
    if found.is_none() {
        let message = format!("`timeout_ms` is a whole number from 1 to {MAX_TIMEOUT_MS}");
        faults.push(Fault::new("INVALID_VALUE", "/timeout_ms", message));
    }
    found
}

/// The address as it was written. Where it leads is found out when it is called: names may change until then.
fn read_callback(value: Value, faults: &mut Faults) -> Option<String> {
    let is_sound = |text: &str| {
        let parsed = Url::parse(text).ok();
        // A parser drops control characters, or encodes them; as JSON each is six times as long.
        text.len() <= MAX_CALLBACK_BYTES
            && !text.contains(char::is_control)
            && parsed.is_some_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
            })
    };
    match value {
        Value::String(text) if is_sound(&text) => Some(text),
        _ => {
            let message = format!("`callback_url` is an address of at most {MAX_CALLBACK_BYTES} bytes");
            let fault = Fault::new("INVALID_VALUE", "/callback_url", message);
            faults.push(fault.hint("write http://… or https://…, without user and password"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn take(value: Value) -> (RunOptions, Vec<(String, String)>) {
        let Value::Object(mut fields) = value else { panic!("an object") };
        let mut faults = Faults::default();
        let options = RunOptions::take(&mut fields, &mut faults);
        fields.shift_remove("input");
        unknown_fields(&fields, &["input"], &mut faults);
        (options, faults.0.into_iter().map(|fault| (fault.code, fault.pointer)).collect())
    }

    #[test]
    fn sound_options_are_taken() {
        let (options, faults) = take(json!({
            "input": {}, "priority": "high", "pool": "heavy", "labels": {"team": "a"}, "timeout_ms": 5000,
            "callback_url": "https://example.com/done?run=7"
        }));
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(options.priority, Priority::High);
        assert_eq!(options.pool, Some("heavy".into()));
        assert_eq!(options.labels["team"], "a");
        assert_eq!(options.timeout_ms, Some(5000));
        assert_eq!(options.callback_url.as_deref(), Some("https://example.com/done?run=7"));
        assert_eq!(take(json!({"pool": null})).0, RunOptions::default());
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let (_, faults) = take(json!({
            "priority": "urgent", "pool": "a b", "labels": {"x/y": 3}, "timeout_ms": -1, "inptu": {},
            "callback_url": "https://user:secret@example.com"
        }));
        let pointers: Vec<_> =
            faults.iter().map(|(code, pointer)| (code.as_str(), pointer.as_str())).collect();
        assert_eq!(
            pointers,
            [
                ("INVALID_VALUE", "/priority"),
                ("INVALID_VALUE", "/pool"),
                ("INVALID_TYPE", "/labels/x~1y"),
                ("INVALID_VALUE", "/timeout_ms"),
                ("INVALID_VALUE", "/callback_url"),
                ("UNKNOWN_FIELD", "/inptu"),
            ]
        );
    }

    #[test]
    fn some_names_of_labels_are_refused() {
        for name in ["millrace", "a:b", "a=b", "", "x".repeat(65).as_str()] {
            let (_, faults) = take(json!({"labels": {name: "thumbnail"}}));
            assert_eq!(faults, [("INVALID_VALUE".to_owned(), format!("/labels/{name}"))]);
        }
        assert!(take(json!({"labels": {"millrace.team": "a:b=c", "Millrace": "x"}})).1.is_empty());
    }

    #[test]
    fn a_call_back_goes_to_the_web() {
        let wrong = [
            "",
            "example.com",
            "ftp://example.com",
            "http://",
            "https://:secret@example.com",
            "/done",
            "http://x/\n",
        ];
        for url in wrong.into_iter().map(str::to_owned).chain([format!("http://x/{}", "y".repeat(4096))]) {
            assert_eq!(take(json!({ "callback_url": url })).1.len(), 1, "{url}");
        }
        assert_eq!(take(json!({ "callback_url": 7 })).1.len(), 1);
        // Whether it may be reached is for those to judge who call it.
        assert!(take(json!({ "callback_url": "http://10.0.0.1:8080/done" })).1.is_empty());
    }
}
