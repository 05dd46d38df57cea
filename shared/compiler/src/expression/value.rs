//! Between JSON and CEL values.

use std::collections::HashMap;

use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
};
use cel::common::value::{BuiltinRef, Val};
use serde_json::{Map, Number, Value};

/// How numbers are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// As they are written: `1` is an int, `1.0` a double.
    AsWritten,
    /// All of them as doubles: the coordinates of a detection, whoever wrote them.
    Doubles,
}

/// A JSON value as CEL sees it; texts are borrowed. JSON from outside is at most 128 deep, so this recursion is too.
pub(crate) fn into_cel(value: &Value, detail: Detail) -> Box<dyn Val + '_> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(flag) => Box::new(CelBool::from(*flag)),
        Value::Number(number) => into_number(number, detail),
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(items) => {
            let items = items.iter().map(|item| into_cel(item, detail)).collect::<Vec<_>>();
            Box::new(CelList::from(items))
        }
        Value::Object(fields) => {
            let field = |(name, value)| (CelMapKey::from(String::as_str(name)), into_cel(value, detail));
            let fields = fields.iter().map(field).collect::<HashMap<_, _>>();
            Box::new(CelMap::from(fields))
        }
    }
}

fn into_number(number: &Number, detail: Detail) -> Box<dyn Val> {
    if detail == Detail::AsWritten {
        if let Some(whole) = number.as_i64() {
            return Box::new(CelInt::from(whole));
        }
        if let Some(whole) = number.as_u64() {
            return Box::new(CelUInt::from(whole));
        }
    }
    Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN)))
}

/// A CEL value as JSON; an error says what has no JSON form. Keys are sorted: CEL's maps have no order, and the result
/// has to be the same every time.
pub(super) fn into_json(value: &dyn Val) -> Result<Value, String> {
    match value.as_builtin() {
        BuiltinRef::String(text) => return Ok(Value::from(text.inner())),
        BuiltinRef::List(list) => {
            let items = list.inner().iter().map(|item| into_json(item.as_ref()));
            return items.collect::<Result<Vec<_>, _>>().map(Value::Array);
        }
        BuiltinRef::Map(map) => {
            let fields =
                map.inner().iter().map(|(key, value)| Ok((key_text(key), into_json(value.as_ref())?)));
            let mut fields = fields.collect::<Result<Vec<_>, String>>()?;
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            return Ok(Value::Object(fields.into_iter().collect::<Map<_, _>>()));
        }
        _ => {}
    }
    if value.downcast_ref::<CelNull>().is_some() {
        return Ok(Value::Null);
    }
    if let Some(flag) = value.downcast_ref::<CelBool>() {
        return Ok(Value::from(*flag.inner()));
    }
    if let Some(whole) = value.downcast_ref::<CelInt>() {
        return Ok(Value::from(*whole.inner()));
    }
    if let Some(whole) = value.downcast_ref::<CelUInt>() {
        return Ok(Value::from(*whole.inner()));
    }
    if let Some(number) = value.downcast_ref::<CelDouble>() {
        let finite = Number::from_f64(*number.inner()).map(Value::Number);
        return finite.ok_or_else(|| format!("{} has no JSON form", number.inner()));
    }
    Err(format!("a value of type {} has no JSON form", value.get_type().name()))
}

fn key_text(key: &CelMapKey<'_>) -> String {
    match key {
        CelMapKey::Bool(flag) => flag.inner().to_string(),
        CelMapKey::Int(whole) => whole.inner().to_string(),
        CelMapKey::UInt(whole) => whole.inner().to_string(),
        CelMapKey::String(text) => text.inner().to_owned(),
    }
}
