//! Text that must not be printed. Debug, Display and Serialize show stars; only `expose` shows the text.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use url::Url;

const STARS: &str = "***";

/// A value that prints as `***`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Every call is a place where a secret leaves its wrapper: keep them few.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STARS)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STARS)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(STARS)
    }
}

/// A URL that may carry a password; printed with the password as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

impl SecretUrl {
    /// The whole URL, password included.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// The URL as it may be shown.
    #[must_use]
    pub fn redacted(&self) -> String {
        let mut shown = self.0.clone();
        if shown.password().is_some() && shown.set_password(Some(STARS)).is_err() {
            return format!("{}://{STARS}", self.0.scheme());
        }
        // URLs in the style of libpq may carry the password as a parameter, and those of Redis's socket always do, as `pass`.
        if shown.query_pairs().any(|(name, _)| name.contains("pass")) {
            shown.set_query(Some(STARS));
        }
        shown.to_string()
    }

    /// `redis`, `postgres`, …
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.scheme()
    }
}

impl std::str::FromStr for SecretUrl {
    type Err = url::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Url::parse(text).map(Self)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.redacted())
    }
}

impl<'de> Deserialize<'de> for SecretUrl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The text stays out of the message: it may hold a password.
        text.parse().map_err(|fault| serde::de::Error::custom(format!("not a URL: {fault}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let secret = Secret::new("hunter2".to_owned());
        let shown = format!("{secret} {secret:?} {}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn a_url_prints_without_its_password() {
        for text in [
            "redis://:hunter2@127.0.0.1:6379/0",
            "postgres://user:hunter2@db/millrace?sslmode=require",
            "postgres://user@db/millrace?password=hunter2",
            "redis+unix:///run/redis.sock?user=default&pass=hunter2",
        ] {
            let url: SecretUrl = text.parse().unwrap();
            let shown = format!("{url} {url:?} {}", serde_json::to_string(&url).unwrap());
            assert!(!shown.contains("hunter2"), "{shown}");
            assert_eq!(url.expose(), text);
        }
        let plain: SecretUrl = "redis://127.0.0.1:6379".parse().unwrap();
        assert_eq!(plain.to_string(), "redis://127.0.0.1:6379");
    }
}
