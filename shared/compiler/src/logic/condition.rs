//! `condition`: one of two branches.

use millrace_contracts::JobError;
use serde_json::Value;

use super::{Call, Ports, expression_error};
use crate::expression::{Evaluation, Expression};

pub(super) fn evaluate(expression: &Expression, call: &Call<'_>) -> Result<Ports, JobError> {
    let truth = Evaluation::new(expression, call.inputs).truth();
    let truth = truth.map_err(|trouble| expression_error("if", None, &trouble))?;
    let value = call.inputs.get("value").cloned().unwrap_or(Value::Null);
    let (taken, other) = if truth { ("true", "false") } else { ("false", "true") };
    Ok(Ports { skipped: vec![other.to_owned()], ..Ports::of([(taken, value)]) })
}
