//! Pictures of a run's input: recognised by their shape, not looked into.

use millrace_blocks::inputs::image_input;
use millrace_contracts::Kind;
use serde_json::{Value, json};

use super::Wrong;
use crate::logic::{MAX_ITEMS, name_of};

/// A picture, or a list of them, as `kind` says.
pub(super) fn accept(value: Value, kind: &Kind) -> Result<Value, Wrong> {
    let is_list = matches!(kind, Kind::List(_));
    match value {
        Value::Array(items) if is_list => {
            if items.len() > MAX_ITEMS {
                return Err(Wrong::new(format!("{} pictures, and {MAX_ITEMS} are allowed", items.len())));
            }
            for (position, item) in items.iter().enumerate() {
                one(item).map_err(|wrong| wrong.inside(position))?;
            }
            Ok(Value::Array(items))
        }
        Value::Array(_) => {
            let hint = "give one picture, or set `list` in the image_input's config";
            Err(Wrong::new("this input takes one picture, and is given a list").hint(hint))
        }
        _ if is_list => {
            Err(Wrong::new("this input takes a list of pictures").hint("put it in brackets: [ … ]"))
        }
        value => one(&value).map(|()| value),
    }
}

/// A text (blob id, base64, URL, name of an uploaded file) or an object that says what it is.
pub(super) fn one(value: &Value) -> Result<(), Wrong> {
    match value {
        Value::String(text) if text.is_empty() => Err(Wrong::new("the text is empty").hint(FORMS)),
        Value::String(_) | Value::Object(_) => Ok(()),
        other => Err(Wrong::new(format!("{} is no picture", name_of(other))).hint(FORMS)),
    }
}

const FORMS: &str = "give a blob id, base64, an http(s) URL, or upload a file under this name";

/// Whether values of this kind are pictures, or lists of them.
pub(crate) fn is_made_of_images(kind: &Kind) -> bool {
    match kind {
        Kind::Image => true,
        Kind::List(inner) => is_made_of_images(inner),
        _ => false,
    }
}

/// The limits of an `image_input` that sets none.
pub(super) fn default_limits() -> image_input::Config {
    serde_json::from_value(json!({})).expect("every setting of an image_input has a default")
}
