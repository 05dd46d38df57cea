//! Query parameters: taken by name, checked, and none left over. A misspelt filter must not look like an empty one.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use chrono::DateTime;
use millrace_contracts::{Fault, UnixMillis};

use crate::fields::cut;
use crate::problem::{Code, Problem};

/// The query of a request.
#[derive(Debug, Default)]
pub(crate) struct Params(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(pairs) = query.map_err(|rejection| {
            Problem::new(Code::InvalidQuery, "the query string is not well formed").because(rejection)
        })?;
        Self::of(pairs)
    }
}

impl Params {
    /// One text by name. A second one is refused: whichever of the two were taken, the caller may have meant the other.
    fn of(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut params = BTreeMap::new();
        for (name, value) in pairs {
            if params.contains_key(&name) {
                let message = format!("`{}` comes more than once", cut(&name));
                let fault = Fault::new("INVALID_VALUE", format!("/{}", cut(&name)), message);
                return Err(Problem::fault(Code::InvalidQuery, fault.hint("send it once")));
            }
            params.insert(name, value);
        }
        Ok(Self(params))
    }

    /// Refuses every parameter that is not in `known`.
    pub(crate) fn only(self, known: &[&str]) -> Result<Self, Problem> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(self),
            Some(unknown) => {
                let message = format!("there is no parameter {:?} here", cut(unknown));
                let hint = if known.is_empty() {
                    "this address takes no parameters".to_owned()
                } else {
                    format!("the parameters are {}", known.join(", "))
                };
                let fault = Fault::new("UNKNOWN_FIELD", format!("/{}", cut(unknown)), message).hint(hint);
                Err(Problem::fault(Code::InvalidQuery, fault))
            }
        }
    }

    /// A parameter's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter read as `T`; `what` says what it should have been.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Problem> {
        self.text(name).map(|text| text.parse().map_err(|_| wrong(name, text, what))).transpose()
    }

    /// The version of a workflow, taken out.
    pub(crate) fn take_version(&mut self) -> Result<Option<u32>, Problem> {
        let version = self.parsed("version", "the number of a version")?;
        self.0.remove("version");
        Ok(version)
    }

    /// A page's size, from 1 to `most`.
    pub(crate) fn limit(&self, default: u32, most: u32) -> Result<u32, Problem> {
        let what = format!("a number from 1 to {most}");
        let limit = self.parsed("limit", &what)?.unwrap_or(default);
        if (1..=most).contains(&limit) { Ok(limit) } else { Err(wrong("limit", &limit.to_string(), &what)) }
    }

    /// A length of time: a number with `ms`, `s`, `m`, `h` or `d`, or bare seconds; `what` says what it should have been.
    pub(crate) fn duration(&self, name: &str, what: &str) -> Result<Option<Duration>, Problem> {
        self.text(name).map(|text| duration(text).ok_or_else(|| wrong(name, text, what))).transpose()
    }

    /// A time: RFC 3339, or milliseconds since the Unix epoch.
    pub(crate) fn time(&self, name: &str) -> Result<Option<UnixMillis>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if let Ok(millis) = text.parse() {
            return Ok(Some(UnixMillis(millis)));
        }
        let parsed = DateTime::parse_from_rfc3339(text).ok().map(|time| UnixMillis(time.timestamp_millis()));
        parsed.map(Some).ok_or_else(|| {
            wrong(name, text, "a time such as 2026-01-31T12:00:00Z, or milliseconds since the Unix epoch")
        })
    }
}

/// Reads a number with `ms`, `s`, `m`, `h` or `d`, or bare seconds.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    Some(Duration::try_from_secs_f64(number * scale).unwrap_or(Duration::MAX))
}

/// The problem of one parameter.
pub(crate) fn wrong(name: &str, text: &str, what: &str) -> Problem {
    let message = format!("`{name}` is {:?}, and should be {what}", cut(text));
    Problem::fault(Code::InvalidQuery, Fault::new("INVALID_VALUE", format!("/{name}"), message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        read(pairs).unwrap()
    }

    fn read(pairs: &[(&str, &str)]) -> Result<Params, Problem> {
        Params::of(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_parameter_that_comes_twice_is_told() {
        let problem = read(&[("status", "failed"), ("limit", "2"), ("status", "failed")]).unwrap_err();
        assert_eq!((problem.code(), problem.errors()[0].pointer.as_str()), (Code::InvalidQuery, "/status"));
    }

    #[test]
    fn a_misspelt_parameter_is_told() {
        let problem = params(&[("stauts", "failed")]).only(&["status"]).unwrap_err();
        assert_eq!(problem.code(), Code::InvalidQuery);
        assert_eq!(problem.errors()[0].pointer, "/stauts");
        assert!(params(&[("status", "failed")]).only(&["status"]).is_ok());
    }

    #[test]
    fn limits_and_times_are_checked() {
        assert_eq!(params(&[]).limit(50, 200).unwrap(), 50);
        for wrong in ["0", "201", "-1", "many"] {
            assert!(params(&[("limit", wrong)]).limit(50, 200).is_err(), "{wrong}");
        }
        let time = |text| params(&[("from", text)]).time("from");
        assert_eq!(time("1700000000123").unwrap(), Some(UnixMillis(1_700_000_000_123)));
        assert_eq!(time("2023-11-14T22:13:20.123Z").unwrap(), Some(UnixMillis(1_700_000_000_123)));
        assert!(time("yesterday").is_err());
    }
}
