//! A workflow's file; `-` is standard input.

use std::fmt::Display;
use std::path::Path;

use serde_json::Value;

use crate::exit::Misuse;

/// What the file is called where it is spoken of.
pub(crate) fn shown(path: &Path) -> impl Display {
    if is_standard_input(path) { Path::new("<stdin>").display() } else { path.display() }
}

/// The text of a workflow's file.
pub(crate) fn read_text(path: &Path) -> Result<String, Misuse> {
    let text = if is_standard_input(path) {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|fault| Misuse(format!("{}: {fault}", shown(path))))
}

/// Reads a workflow; what is not JSON is told with its line and column.
pub(crate) fn read(path: &Path) -> anyhow::Result<Value> {
    let refuse = |why: String| Misuse(format!("{}: {why}", shown(path)));
    let text = read_text(path)?;
    let definition: Value =
        serde_json::from_str(&text).map_err(|fault| refuse(format!("not valid JSON: {fault}")))?;
    if !definition.is_object() {
        return Err(refuse("a workflow is a JSON object with `nodes`".to_owned()).into());
    }
    Ok(definition)
}

/// Whether standard input is meant.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}
