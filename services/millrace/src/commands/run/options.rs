//! How a run is to be run, also by a schedule: flags that become fields of its request. What such a field may hold is for the api
//! to say; here only what would not reach it as it was meant is refused.

use std::str::FromStr;
use std::time::Duration;

use clap::Args as ClapArgs;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use millrace_contracts::job::Priority;
use serde_json::{Map, Value, json};

use crate::exit::Misuse;

#[derive(Debug, ClapArgs)]
pub(crate) struct Options {
    /// A label, to find the run by; may be given many times.
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<Label>,
    /// How urgent the run is beside others; normal when none.
    #[arg(long, value_parser = priority())]
    priority: Option<Priority>,
    /// The pool of workers for all its jobs, instead of those that its nodes name.
    #[arg(long)]
    pool: Option<String>,
    /// End the run when it has taken so long, such as 90s or 1h30m.
    #[arg(long, value_name = "DURATION", value_parser = span)]
    timeout: Option<Duration>,
    /// An address that is told of the run's end.
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
}

impl Options {
    /// The fields of the request.
    pub(crate) fn fields(&self) -> Result<Map<String, Value>, Misuse> {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("labels", self.labels()?);
        set("priority", self.priority.map(|priority| json!(priority)));
        set("pool", self.pool.as_ref().map(|pool| json!(pool)));
        set("timeout_ms", self.timeout.map(|span| json!(millis(span))));
        set("callback_url", self.callback_url.as_ref().map(|url| json!(url)));
        Ok(fields)
    }

    fn labels(&self) -> Result<Option<Value>, Misuse> {
        let mut labels = Map::new();
        for Label { key, value } in &self.labels {
            if labels.insert(key.clone(), json!(value)).is_some() {
                return Err(Misuse(format!("--label {key}: given twice; a run has one value for it")));
            }
        }
        Ok((!labels.is_empty()).then_some(Value::Object(labels)))
    }
}

/// One label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    key: String,
    value: String,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some(("", _)) => Err("the key before `=` is empty".to_owned()),
            Some((key, value)) => Ok(Self { key: key.to_owned(), value: value.to_owned() }),
            None => Err("write key=value".to_owned()),
        }
    }
}

fn priority() -> impl TypedValueParser<Value = Priority> {
    PossibleValuesParser::new(Priority::ALL.map(Priority::as_str)).try_map(|word| {
        let found = Priority::ALL.into_iter().find(|priority| priority.as_str() == word);
        found.ok_or("this is no priority")
    })
}

/// A duration of a flag.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text)
        .map_err(|fault| format!("not a duration ({fault}); write such as 90s, 500ms or 1h30m"))?;
    if span < Duration::from_millis(1) {
        return Err("shorter than a millisecond".to_owned());
    }
    Ok(span)
}

/// A duration as a request holds it.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// It travels in a header.
pub(super) fn key(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a key is visible ASCII characters, without blanks".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn read(words: &[&str]) -> Result<Value, String> {
        let line = Line::try_parse_from([&["run"], words].concat()).map_err(|fault| fault.to_string())?;
        line.options.fields().map(Value::Object).map_err(|fault| fault.to_string())
    }

    #[test]
    fn flags_become_fields_of_the_request() {
        assert_eq!(read(&[]).unwrap(), json!({}), "the server's defaults stay its own");
        let all = [
            "--label",
            "team=vision",
            "--label",
            "note=a=b",
            "--priority",
            "high",
            "--pool",
            "heavy",
            "--timeout",
            "1h 30m",
            "--callback-url",
            "https://example.com/done",
        ];
        let expected = json!({"labels": {"team": "vision", "note": "a=b"}, "priority": "high", "pool": "heavy",
            "timeout_ms": 5_400_000, "callback_url": "https://example.com/done"});
        assert_eq!(read(&all).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_words() {
        for (words, why) in [
            (&["--label", "team"][..], "write key=value"),
            (&["--label", "=vision"], "the key before `=` is empty"),
            (&["--label", "a=1", "--label", "a=2"], "--label a: given twice"),
            (&["--priority", "urgent"], "[possible values: high, normal, low]"),
            (&["--timeout", "30"], "not a duration"),
            (&["--timeout", "0s"], "shorter than a millisecond"),
        ] {
            let said = read(words).unwrap_err();
            assert!(said.contains(why), "{words:?}: {said}");
        }
        assert_eq!(key("k-1").unwrap(), "k-1");
        for bad in ["a b", "", "ключ"] {
            assert!(key(bad).unwrap_err().contains("visible ASCII characters, without blanks"), "{bad:?}");
        }
    }
}
