//! Settings as environment variables: how a supervisor hands its configuration to child processes.

use serde_json::Value;

use crate::layers::variable_of;
use crate::{LoadArgs, Settings};

impl Settings {
    /// Every key that differs from its default, as environment variables. Holds passwords: for a child process's
    /// environment only, never for a log.
    #[must_use]
    pub fn to_environment(&self) -> Vec<(String, String)> {
        let (tree, defaults) = (self.tree(), Settings::default().tree());
        let sections = tree.as_object().into_iter().flatten();
        let fields = sections.flat_map(|(section, fields)| {
            fields.as_object().into_iter().flatten().map(move |(field, value)| (section, field, value))
        });
        fields
            .filter(|(section, field, value)| defaults[*section][*field] != **value)
            .filter_map(|(section, field, value)| {
                let text = match value {
                    Value::Null => return None,
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                Some((variable_of(&format!("{section}.{field}")), text))
            })
            .collect()
    }
}

impl LoadArgs {
    /// Whether the variable `name` is one that settings are read from.
    #[must_use]
    pub fn is_setting_variable(name: &str) -> bool {
        name.starts_with("MILLRACE__")
    }
}
