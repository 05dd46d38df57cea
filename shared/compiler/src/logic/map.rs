//! `map`: the value of an expression for each item.

use millrace_contracts::JobError;
use serde_json::Value;

use super::{Call, Ports, expression_error, list_of};
use crate::expression::{Detail, Evaluation, Expression, into_cel};

pub(super) fn evaluate(expression: &Expression, call: &Call<'_>) -> Result<Ports, JobError> {
    let items = list_of(call.inputs, "items")?;
    let evaluation = Evaluation::new(expression, call.inputs);
    let value = |(index, item): (usize, &Value)| {
        let value = evaluation.value_of(into_cel(item, Detail::AsWritten), index);
        value.map_err(|trouble| expression_error("expr", Some(index), &trouble))
    };
    let values = items.iter().enumerate().map(value).collect::<Result<Vec<_>, _>>()?;
    Ok(Ports::of([("items", values.into())]))
}
