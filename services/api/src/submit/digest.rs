//! A digest of what a request asks for: the same for one that is sent again, whatever the order of its fields. It is of what was
//! sent and not of what is recorded: `jsonb` writes some values otherwise, and what a request names may have changed since.

use millrace_contracts::BlobId;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::options::RunOptions;

/// The digest, as far as it is made.
#[derive(Debug, Default)]
pub(crate) struct Digest(Sha256);

impl Digest {
    /// With one more value, under a name of its own.
    pub(crate) fn value(mut self, name: &str, value: &Value) -> Self {
        self.text(name);
        self.feed(value);
        self
    }

    /// With one more object, under a name of its own.
    pub(crate) fn fields(mut self, name: &str, fields: &Map<String, Value>) -> Self {
        self.text(name);
        self.feed_fields(fields);
        self
    }

    /// With how runs are to be run; a setting that is left out is the same as its default.
    pub(crate) fn options(self, options: &RunOptions) -> Self {
        let RunOptions { priority, pool, labels, timeout_ms, callback_url } = options;
        let settings = json!([priority.as_str(), pool, timeout_ms, callback_url]);
        self.value("options", &settings).fields("labels", labels)
    }

    /// With the version that is asked for by its number.
    pub(crate) fn version(self, version: Option<u32>) -> Self {
        match version {
            Some(version) => self.value("version", &json!(version)),
            None => self,
        }
    }

    /// All of it.
    pub(crate) fn finish(self) -> BlobId {
        BlobId::from_digest(self.0.finalize().into())
    }

    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
    }

    /// As deep as the JSON that was read, which has a limit.
    fn feed(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => self.feed_fields(fields),
            Value::Array(items) => {
                self.0.update("[");
                items.iter().for_each(|item| self.feed(item));
                self.0.update("]");
            }
            Value::String(text) => {
                self.0.update("\"");
                self.text(text);
            }
            other => self.0.update(format!("{other};")),
        }
    }

    fn feed_fields(&mut self, fields: &Map<String, Value>) {
        let mut fields: Vec<_> = fields.iter().collect();
        fields.sort_unstable_by_key(|(name, _)| *name);
        self.0.update("{");
        for (name, value) in fields {
            self.text(name);
            self.feed(value);
        }
        self.0.update("}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &Value) -> BlobId {
        Digest::default().value("input", value).finish()
    }

    #[test]
    fn the_order_of_fields_is_nothing_and_all_else_is_something() {
        assert_eq!(of(&json!({"a": 1, "b": [2, "3"]})), of(&json!({"b": [2, "3"], "a": 1})));
        let others = [
            json!({"a": 1, "b": [2, 3]}),
            json!({"a": 1, "b": ["3", 2]}),
            json!({"a": 12, "b": ["3"]}),
            json!({"a": 1, "b": [[2, "3"]]}),
            json!([1, 2]),
            json!([12]),
            json!(["ab", "c"]),
            json!(["a", "bc"]),
            json!("null"),
            json!(null),
            json!({}),
            json!([]),
        ];
        let mut digests: Vec<BlobId> = others.iter().map(of).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 12);
    }

    #[test]
    fn every_option_counts() {
        let of = |options: RunOptions| Digest::default().options(&options).finish();
        let plain = RunOptions::default;
        let others = [
            plain(),
            RunOptions { timeout_ms: Some(5), ..plain() },
            RunOptions { pool: Some("a".into()), ..plain() },
            RunOptions { callback_url: Some("a".into()), ..plain() },
            RunOptions { labels: Map::from_iter([("a".to_owned(), json!("b"))]), ..plain() },
        ];
        let mut digests: Vec<BlobId> = others.into_iter().map(of).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 5);
    }
}
