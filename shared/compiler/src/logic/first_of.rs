//! `first_of`: the first input there is. A skipped input is absent or null.

use std::collections::BTreeSet;

use millrace_blocks::logic::first_of::Config;
use millrace_contracts::JobError;
use serde_json::Value;

use super::{Call, Ports, config_of};

pub(super) fn evaluate(call: &Call<'_>) -> Result<Ports, JobError> {
    let config: Config = config_of("first_of@1", call)?;
    // Inputs that `order` leaves out come after, by name: a stored definition does not keep the order of its fields.
    let rest =
        call.inputs.keys().map(String::as_str).filter(|name| !config.order.iter().any(|own| own == name));
    let rest = rest.collect::<BTreeSet<_>>();
    for name in config.order.iter().map(String::as_str).chain(rest) {
        match call.inputs.get(name) {
            None | Some(Value::Null) => {}
            Some(value) => return Ok(Ports::of([("value", value.clone()), ("source", name.into())])),
        }
    }
    Ok(Ports { skipped: vec!["value".to_owned(), "source".to_owned()], ..Ports::default() })
}
