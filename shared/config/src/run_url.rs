//! Addresses with places for a run's ids, such as `https://jaeger.example.com/trace/{trace_id}`: where operators look at runs
//! with tools of their own. A place that is not known is refused at start, not found out on a page.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address with places for a run's ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunUrl(String);

const TRACE: &str = "{trace_id}";
const EXECUTION: &str = "{execution_id}";

impl RunUrl {
    /// The address for one run.
    #[must_use]
    pub fn of(&self, execution_id: &str, trace_id: &str) -> String {
        self.0.replace(TRACE, trace_id).replace(EXECUTION, execution_id)
    }
}

impl FromStr for RunUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(format!(
                "{text:?} is no address; write such as https://jaeger.example.com/trace/{TRACE}"
            ));
        }
        let rest = text.replace(TRACE, "").replace(EXECUTION, "");
        if rest.len() == text.len() {
            return Err(format!(
                "{text:?} leads nowhere in particular; write {TRACE} or {EXECUTION} where the id belongs"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for RunUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RunUrl> for String {
    fn from(url: RunUrl) -> Self {
        url.0
    }
}

impl fmt::Display for RunUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runs_ids_take_their_places() {
        let url: RunUrl =
            "https://logs.example.com/?q=%7B%7D+%7C%3D+{trace_id}&run={execution_id}".parse().unwrap();
        assert_eq!(url.of("e1", "t1"), "https://logs.example.com/?q=%7B%7D+%7C%3D+t1&run=e1");
        for wrong in [
            "",
            "jaeger/{trace_id}",
            "javascript:alert({trace_id})",
            "https://jaeger.example.com/trace/{trace}",
        ] {
            assert!(wrong.parse::<RunUrl>().is_err(), "{wrong}");
        }
    }
}
