//! The address of a service, such as `https://millrace.example.com`, to which paths are added.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The address of a service, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The address, to which a path that begins with a slash is added.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let base = text.trim_end_matches('/');
        let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
        let is_plain = |rest: &str| {
            let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '@');
            !rest.is_empty() && !rest.starts_with(['/', ':']) && !rest.contains(odd)
        };
        if !rest.is_some_and(is_plain) {
            // It may hold a password.
            return Err(
                "this is no address of a service; write such as https://millrace.example.com".to_owned()
            );
        }
        Ok(Self(base.to_owned()))
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_can_be_added() {
        for (text, base) in [
            ("https://millrace.example.com", "https://millrace.example.com"),
            ("http://10.0.0.7:8080/", "http://10.0.0.7:8080"),
            ("https://example.com/millrace//", "https://example.com/millrace"),
        ] {
            assert_eq!(text.parse::<BaseUrl>().unwrap().as_str(), base);
        }
        for wrong in [
            "",
            "millrace.example.com",
            "https://",
            "https:///x",
            "http://:8080",
            "https://a?b",
            "https://a b",
            "https://u:p@a",
        ] {
            assert!(wrong.parse::<BaseUrl>().is_err(), "{wrong}");
        }
    }
}
