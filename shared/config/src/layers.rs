//! The layers above the defaults, each as a flat list of (key, value, origin).
//!
//! Rule: a layer only says what was written; whether it may be said is decided in one place, `load`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::{ConfigFault, Origin};

/// Prefix of the environment variables that name a key.
const ENV_PREFIX: &str = "MILLRACE__";

/// Variables people know from elsewhere, and the key each stands for.
const ALIASES: [(&str, &str); 5] = [
    ("DATABASE_URL", "database.url"),
    ("REDIS_URL", "redis.url"),
    ("ORT_DYLIB_PATH", "models.ort_library"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "telemetry.otlp_endpoint"),
    ("RUST_LOG", "telemetry.log"),
];

/// A value somebody wrote for a key.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// `worker.lease`.
    pub(crate) key: String,
    /// As written. Text from the environment and from flags is still text.
    pub(crate) value: Value,
    /// Who wrote it.
    pub(crate) origin: Origin,
}

/// The entries of a TOML file, or the one fault that it is not TOML.
pub(crate) fn from_file(path: &Path, text: &str) -> Result<Vec<Entry>, ConfigFault> {
    let origin = Origin::File(path.to_owned());
    let table: Map<String, Value> = toml::from_str(text).map_err(|fault| ConfigFault {
        key: String::new(),
        origin: origin.clone(),
        // The message without the excerpt of the file, which may hold a password.
        message: format!("not valid TOML: {}{}", fault.message(), line_of(&fault, text)),
    })?;
    let mut entries = Vec::new();
    for (section, value) in table {
        match value {
            Value::Object(fields) => entries.extend(fields.into_iter().map(|(field, value)| Entry {
                key: format!("{section}.{field}"),
                value,
                origin: origin.clone(),
            })),
            value => entries.push(Entry { key: section, value, origin: origin.clone() }),
        }
    }
    Ok(entries)
}

fn line_of(fault: &toml::de::Error, text: &str) -> String {
    let line = |start: usize| text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    fault.span().map(|span| format!(" at line {}", line(span.start))).unwrap_or_default()
}

/// The entries of the environment. The general names come first, so that `MILLRACE__…` wins.
pub(crate) fn from_environment(variables: &BTreeMap<String, String>) -> Vec<Entry> {
    let aliases = ALIASES.iter().filter_map(|(name, key)| {
        let text = variables.get(*name).filter(|text| !text.is_empty())?;
        Some(entry((*key).to_owned(), text, Origin::Environment((*name).to_owned())))
    });
    let own = variables.iter().filter_map(|(name, text)| {
        let key = name.strip_prefix(ENV_PREFIX)?.to_ascii_lowercase().replace("__", ".");
        Some(entry(key, text, Origin::Environment(name.clone())))
    });
    aliases.chain(own).collect()
}

/// The entries of flags, given as (key, text).
pub(crate) fn from_flags(flags: &[(String, String)]) -> Vec<Entry> {
    flags.iter().map(|(key, text)| entry(key.clone(), text, Origin::Flag)).collect()
}

fn entry(key: String, text: &str, origin: Origin) -> Entry {
    Entry { key, value: Value::String(text.to_owned()), origin }
}

/// The environment variable that names `key`.
pub(crate) fn variable_of(key: &str) -> String {
    format!("{ENV_PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// Every environment variable that says something about `key`, for who starts a process that must not hear of it.
pub fn variables_of(key: &str) -> impl Iterator<Item = String> {
    let aliases = ALIASES.iter().filter(move |(_, named)| *named == key).map(|(name, _)| (*name).to_owned());
    aliases.chain([variable_of(key)])
}

/// Whether the environment variable `name` says something about a key.
pub(crate) fn is_setting_variable(name: &str) -> bool {
    name.starts_with(ENV_PREFIX) || ALIASES.iter().any(|(alias, _)| *alias == name)
}

#[cfg(test)]
mod tests {
    use super::variables_of;

    #[test]
    fn a_key_is_named_by_its_own_variable_and_by_the_one_people_know() {
        let of = |key| variables_of(key).collect::<Vec<_>>();
        assert_eq!(of("redis.url"), ["REDIS_URL", "MILLRACE__REDIS__URL"]);
        assert_eq!(of("models.downloads"), ["MILLRACE__MODELS__DOWNLOADS"]);
    }
}
