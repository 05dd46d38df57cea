//! The fields of an object that a request sends: taken by name, and none left over. A misspelt field must not look like one that
//! was left out.

use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Faults};
use serde_json::{Map, Value};

/// Characters of a caller's own words that are said back.
const SHOWN: usize = 80;

/// A field that is there and not null.
pub(crate) fn take(fields: &mut Map<String, Value>, name: &str) -> Option<Value> {
    fields.shift_remove(name).filter(|value| !value.is_null())
}

/// A fault for each field of the object at `place` that nobody took; `known` are those that may be there.
pub(crate) fn refuse_rest(fields: &Map<String, Value>, place: &str, known: &[&str], faults: &mut Faults) {
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let hint = match known.as_slice() {
        [only] => format!("the field is {only}"),
        several => format!("the fields are {}", several.join(", ")),
    };
    for name in fields.keys() {
        let message = format!("there is no field {:?} here", cut(name));
        let fault = Fault::new("UNKNOWN_FIELD", format!("{place}/{}", pointer_token(name)), message);
        faults.push(fault.hint(hint.clone()));
    }
}

/// The beginning of a caller's own words, to be said back.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nobody_took_is_told_in_its_place_and_not_at_length() {
        let long = "x".repeat(1_000);
        let Value::Object(mut fields) = json!({"a": 1, "b": null, "c/d": 2, (long.as_str()): 3}) else {
            unreachable!("it is an object")
        };
        assert_eq!((take(&mut fields, "a"), take(&mut fields, "b")), (Some(json!(1)), None));
        let mut faults = Faults::default();
        refuse_rest(&fields, "/items/0", &["a", "b"], &mut faults);
        let told: Vec<_> =
            faults.0.iter().map(|fault| (fault.pointer.as_str(), fault.message.len())).collect();
        let at_long = format!("/items/0/{long}");
        assert_eq!(told, [("/items/0/c~1d", 28), (at_long.as_str(), 105)]);
        assert_eq!(faults.0[0].hint.as_deref(), Some("the fields are `a`, `b`"));
    }
}
