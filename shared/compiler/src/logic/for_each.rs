//! `for_each`: the list it goes through. The loop itself is the engine's.

use millrace_contracts::JobError;
use serde_json::{Map, Value};

/// The items of a `for_each`, given its resolved inputs.
///
/// # Errors
/// `INVALID_INPUT` at `/inputs/items` for what is not a list, or longer than [`super::MAX_ITEMS`].
pub fn items(inputs: &Map<String, Value>) -> Result<&[Value], JobError> {
    super::list_of(inputs, "items")
}
