//! `filter`: what passes every rule, of the same kind as the input.

use std::cmp::Ordering;
use std::collections::HashMap;

use cel::common::types::{CelMap, CelMapKey};
use cel::common::value::Val;
use millrace_blocks::logic::filter::Config;
use millrace_contracts::{ErrorKind, JobError};
use serde_json::{Map, Value};

use super::rules::Item;
use super::{Call, Ports, bounded, config_of, expression_error, name_of};
use crate::expression::{Detail, Evaluation, Expression, into_cel};

pub(super) fn evaluate(expression: Option<&Expression>, call: &Call<'_>) -> Result<Ports, JobError> {
    let config: Config = config_of("filter@1", call)?;
    let input = call.inputs.get("items").unwrap_or(&Value::Null);
    let items = items_of(input)?;
    let derived = items.iter().map(Item::derived).collect::<Vec<_>>();
    let evaluation = expression.map(|expression| Evaluation::new(expression, call.inputs));
    let mut passed = Vec::new();
    for item in &items {
        let index = item.index;
        let by_expression = |evaluation: &Evaluation<'_, '_>| {
            let truth = evaluation.truth_of(seen(item, &derived[index]), index);
            truth.map_err(|trouble| expression_error("where", Some(index), &trouble))
        };
        if item.passes(&config)? && evaluation.as_ref().map_or(Ok(true), by_expression)? {
            passed.push(index);
        }
    }
    let kept = ranked(&items, passed, &config)?;
    let mut is_kept = vec![false; items.len()];
    kept.iter().for_each(|&index| is_kept[index] = true);
    let dropped = (0..items.len()).filter(|&index| !is_kept[index]).collect::<Vec<_>>();
    Ok(Ports::of([
        ("kept", like(input, &items, &kept)),
        ("dropped", like(input, &items, &dropped)),
        ("count", kept.len().into()),
    ]))
}

fn items_of(input: &Value) -> Result<Vec<Item<'_>>, JobError> {
    match input {
        Value::Array(items) => {
            let items = bounded(items, "items")?.iter().enumerate();
            Ok(items.map(|(index, value)| Item::plain(index, value)).collect())
        }
        Value::Object(fields) if fields.get("items").is_some_and(Value::is_array) => {
            let items = fields["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            let items = bounded(items, "items")?.iter().enumerate();
            items.map(|(index, value)| Item::detection(index, value)).collect()
        }
        other => {
            let message = format!("`items` must be detections or a list, and is {}", name_of(other));
            Err(JobError::new(ErrorKind::InvalidInput, message).at("/inputs/items"))
        }
    }
}

/// An item as an expression sees it: the coordinates and scores of a detection are doubles however they were written.
fn seen<'v>(item: &Item<'v>, derived: &'v Map<String, Value>) -> Box<dyn Val + 'v> {
    let (true, Value::Object(own)) = (item.detection, item.value) else {
        return into_cel(item.value, Detail::AsWritten);
    };
    let field = |(name, value): (&'v String, &'v Value)| {
        let detail = match name.as_str() {
            "bbox" | "confidence" | "keypoints" => Detail::Doubles,
            _ => Detail::AsWritten,
        };
        (CelMapKey::from(name.as_str()), into_cel(value, detail))
    };
    let fields = own.iter().chain(derived).map(field).collect::<HashMap<_, _>>();
    Box::new(CelMap::from(fields))
}

/// Applies `sort_by` and `top_n` to the items that passed.
fn ranked(items: &[Item<'_>], mut passed: Vec<usize>, config: &Config) -> Result<Vec<usize>, JobError> {
    let limit = config.top_n.map_or(usize::MAX, |limit| limit as usize);
    if let Some(sort_by) = &config.sort_by {
        let (field, order) = sort_by.split_once(' ').unwrap_or((sort_by, "desc"));
        let keys = items.iter().map(|item| item.sort_key(field)).collect::<Vec<_>>();
        passed.sort_by(|&a, &b| by_key(&keys[a], &keys[b], order == "asc"));
        passed.truncate(limit);
        return Ok(passed);
    }
    if passed.len() <= limit {
        return Ok(passed);
    }
    if items.first().is_some_and(|item| item.detection) {
        let scores = items.iter().map(Item::confidence).collect::<Result<Vec<_>, _>>()?;
        passed.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        passed.truncate(limit);
        passed.sort_unstable();
    }
    passed.truncate(limit);
    Ok(passed)
}

/// Numbers, then texts, then items without the field, whatever the direction.
fn by_key(a: &Value, b: &Value, ascending: bool) -> Ordering {
    let turned = |order: Ordering| if ascending { order } else { order.reverse() };
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            turned(a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0)))
        }
        (Value::String(a), Value::String(b)) => turned(a.cmp(b)),
        (Value::Number(_), _) | (Value::String(_), Value::Null) => Ordering::Less,
        (_, Value::Number(_)) | (Value::Null, Value::String(_)) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// A value of the input's kind with only these items.
fn like(input: &Value, items: &[Item<'_>], chosen: &[usize]) -> Value {
    let chosen = chosen.iter().map(|&index| items[index].value.clone()).collect::<Vec<_>>();
    match input {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let value = if name == "items" { Value::Null } else { value.clone() };
                (name.clone(), value)
            };
            let mut fields = fields.iter().map(field).collect::<Map<_, _>>();
            fields.insert("items".to_owned(), chosen.into());
            Value::Object(fields)
        }
        _ => Value::Array(chosen),
    }
}
