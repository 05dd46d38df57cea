//! `switch`: the branch of the first case that the value equals.

use millrace_blocks::logic::switch::Config;
use millrace_contracts::JobError;
use serde_json::Value;

use super::equal::equal;
use super::{Call, Ports, config_of};

pub(super) fn evaluate(call: &Call<'_>) -> Result<Ports, JobError> {
    let Config { cases } = config_of("switch@1", call)?;
    let value = call.inputs.get("value").cloned().unwrap_or(Value::Null);
    let case = cases.iter().find(|(_, literal)| equal(literal, &value));
    let taken = case.map_or("default", |(port, _)| port);
    let ports = cases.keys().map(String::as_str).chain(["default"]);
    let skipped = ports.filter(|port| *port != taken).map(str::to_owned).collect();
    Ok(Ports { skipped, ..Ports::of([(taken, value)]) })
}
