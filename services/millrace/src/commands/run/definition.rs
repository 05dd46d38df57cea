//! A workflow's file.

use std::path::Path;

use serde_json::Value;

use crate::exit::Misuse;

/// The text of a workflow's file.
pub(crate) fn read_text(path: &Path) -> Result<String, Misuse> {
    std::fs::read_to_string(path).map_err(|fault| Misuse(format!("{}: {fault}", path.display())))
}

/// Reads a workflow; what is not JSON is told with its line and column.
pub(crate) fn read(path: &Path) -> anyhow::Result<Value> {
    let refuse = |why: String| Misuse(format!("{}: {why}", path.display()));
    let text = read_text(path)?;
    let definition: Value =
        serde_json::from_str(&text).map_err(|fault| refuse(format!("not valid JSON: {fault}")))?;
    if !definition.is_object() {
        return Err(refuse("a workflow is a JSON object with `nodes`".to_owned()).into());
    }
    Ok(definition)
}
