//! Settings as environment variables: how a supervisor hands its configuration to child processes.

use serde_json::Value;

use crate::layers::{is_setting_variable, variable_of};
use crate::{LoadArgs, Settings};

impl Settings {
    /// Every key that has a value, as environment variables. Holds passwords: for a child process's environment
    /// only, never for a log.
    #[must_use]
    pub fn to_environment(&self) -> Vec<(String, String)> {
        let tree = self.tree();
        let sections = tree.as_object().into_iter().flatten();
        let fields = sections.flat_map(|(section, fields)| {
            fields.as_object().into_iter().flatten().map(move |(field, value)| (section, field, value))
        });
        fields
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
    /// The variables of this process's environment that settings are read from: what a child that is handed its
    /// settings must not inherit.
    #[must_use]
    pub fn variables_of_process() -> Vec<String> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        names.filter(|name| is_setting_variable(name)).collect()
    }
}
