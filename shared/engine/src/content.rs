//! What a result is made from, as one digest: equal content gives an equal key whatever the order of fields, and any
//! change gives another.

use std::fmt;

use millrace_contracts::{BlobId, ModelDigest};
use serde_json::{Map, Value};

/// Rises when the meaning of a key or of what is stored under it changes: old entries are then never found.
const FORMAT: u8 = 1;

/// The digest of a block with its version, its resolved configuration, its inputs, and the copy of its model.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentKey([u8; 32]);

impl ContentKey {
    /// The key of what `task` makes of these inputs under this configuration. Pictures and large values stand in them by
    /// the digest of their content; where a picture came from counts, since results carry it on.
    #[must_use]
    pub fn of(task: &str, config: &Map<String, Value>, inputs: &Map<String, Value>) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        bytes.push(FORMAT);
        write_text(task, &mut bytes);
        write_object(config, &mut bytes);
        write_object(inputs, &mut bytes);
        Self(*BlobId::of(&bytes).digest())
    }

    /// The key with the copy of the model that the block runs.
    #[must_use]
    pub fn with_model(self, model: &ModelDigest) -> Self {
        let mut bytes = self.0.to_vec();
        write_text(model.as_str(), &mut bytes);
        Self(*BlobId::of(&bytes).digest())
    }

    /// The raw digest.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentKey({})", BlobId::from_digest(self.0))
    }
}

/// Every value begins with its type, and what varies in length with its length: no two values read the same.
fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(b'0'),
        Value::Bool(truth) => bytes.push(if *truth { b't' } else { b'f' }),
        Value::Number(number) => {
            bytes.push(b'n');
            write_text(&number.to_string(), bytes);
        }
        Value::String(text) => write_text(text, bytes),
        Value::Array(items) => {
            bytes.push(b'[');
            write_length(items.len(), bytes);
            items.iter().for_each(|item| write(item, bytes));
        }
        Value::Object(fields) => write_object(fields, bytes),
    }
}

fn write_object(fields: &Map<String, Value>, bytes: &mut Vec<u8>) {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    bytes.push(b'{');
    write_length(sorted.len(), bytes);
    for (name, value) in sorted {
        write_text(name, bytes);
        write(value, bytes);
    }
}

fn write_text(text: &str, bytes: &mut Vec<u8>) {
    bytes.push(b'"');
    write_length(text.len(), bytes);
    bytes.extend_from_slice(text.as_bytes());
}

fn write_length(length: usize, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(length as u64).to_le_bytes());
}
