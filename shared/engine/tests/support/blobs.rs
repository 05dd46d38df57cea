//! The blob store, as a map; and the shell work of an orchestrator on top of it.

use std::collections::HashMap;

use millrace_compiler::logic::Call;
use millrace_compiler::plan::Action;
use millrace_contracts::values::{INLINE_LIMIT_BYTES, ValueRef};
use millrace_contracts::{BlobId, ErrorKind, JobError};
use millrace_engine::{Execution, Input, ShellWork, ShellWorkKind, Worked};
use serde_json::{Map, Value};

/// JSON values by the hash of their bytes.
#[derive(Debug, Default, Clone)]
pub(crate) struct Blobs(HashMap<BlobId, Value>);

impl Blobs {
    pub(crate) fn put(&mut self, value: Value) -> Value {
        let bytes = serde_json::to_vec(&value).unwrap();
        let blob = BlobId::of(&bytes);
        self.0.insert(blob, value);
        ValueRef { blob, bytes: bytes.len() as u64 }.to_value()
    }

    pub(crate) fn claim_check(&mut self, value: Value) -> Value {
        if serde_json::to_vec(&value).unwrap().len() > INLINE_LIMIT_BYTES { self.put(value) } else { value }
    }

    /// Replaces references at any depth.
    pub(crate) fn resolve(&self, value: &Value) -> Value {
        if let Some(reference) = ValueRef::from_value(value) {
            return self.resolve(&self.0[&reference.blob]);
        }
        match value {
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, field)| (name.clone(), self.resolve(field))).collect()
            }
            other => other.clone(),
        }
    }

    /// Replaces the reference that the value itself is.
    pub(crate) fn resolve_one(&self, value: &Value) -> Value {
        ValueRef::from_value(value).map_or_else(|| value.clone(), |reference| self.0[&reference.blob].clone())
    }

    /// Does what the engine asked of its shell.
    pub(crate) fn perform(&mut self, run: &Execution, work: ShellWork) -> Input {
        let ShellWork { key, kind } = work;
        let result = match kind {
            ShellWorkKind::Evaluate { inputs, config } => {
                let (inputs, config) = (self.resolve_all(&inputs), self.resolve_all(&config));
                match &run.plan().node(key.node).action {
                    Action::Logic(logic) => logic
                        .evaluate(&Call { inputs: &inputs, config: &config })
                        .map(|ports| self.store(ports.values, ports.skipped)),
                    _ => Err(JobError::new(ErrorKind::Internal, "only logic is evaluated here")),
                }
            }
            ShellWorkKind::Store { values, skipped } => Ok(self.store(values, skipped)),
            ShellWorkKind::Items { list } => match self.resolve_one(&list) {
                Value::Array(items) => Ok(Worked::Items { items, stored: list }),
                _ => Err(JobError::new(ErrorKind::InvalidInput, "not a list").at("/inputs/items")),
            },
        };
        Input::Worked { key, result }
    }

    fn resolve_all(&self, fields: &Map<String, Value>) -> Map<String, Value> {
        fields.iter().map(|(name, field)| (name.clone(), self.resolve(field))).collect()
    }

    fn store(&mut self, values: Map<String, Value>, skipped: Vec<String>) -> Worked {
        let values = values.into_iter().map(|(port, value)| (port, self.claim_check(value))).collect();
        Worked::Ports { values, skipped }
    }
}
