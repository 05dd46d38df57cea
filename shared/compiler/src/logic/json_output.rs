//! `json_output`: a value as it stands in a run's outputs.

use millrace_contracts::values::link_images;
use serde_json::Value;

/// A value as it stands in a run's `outputs`: every image in it gets a `url` under the api.
#[must_use]
pub fn output_value(mut value: Value) -> Value {
    link_images(&mut value, None);
    value
}
