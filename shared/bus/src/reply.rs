//! Reading replies without copying: bytes move out of the reply into the caller's hands.

use redis::Value;

use crate::{BusError, EntryId};

/// One entry of a stream.
#[derive(Debug)]
pub(crate) struct RawEntry {
    pub(crate) id: EntryId,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
}

impl RawEntry {
    /// The value of `field`.
    pub(crate) fn get(&self, field: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_slice())
    }

    /// The value of `field`, taken out.
    pub(crate) fn take(&mut self, field: &str) -> Option<Vec<u8>> {
        let at = self.fields.iter().position(|(name, _)| name == field)?;
        Some(self.fields.swap_remove(at).1)
    }
}

/// A reply of an unexpected shape.
pub(crate) fn unexpected(what: &'static str, value: &Value) -> BusError {
    BusError::Reply { what, detail: format!("{value:?}").chars().take(200).collect() }
}

/// Whether there is nothing.
pub(crate) fn is_nil(value: &Value) -> bool {
    matches!(value, Value::Nil)
}

/// The elements of an array; a nil is an empty one.
pub(crate) fn array(what: &'static str, value: Value) -> Result<Vec<Value>, BusError> {
    match value {
        Value::Array(items) | Value::Set(items) => Ok(items),
        Value::Nil => Ok(Vec::new()),
        other => Err(unexpected(what, &other)),
    }
}

/// An array of exactly `N` elements.
pub(crate) fn tuple<const N: usize>(what: &'static str, value: Value) -> Result<[Value; N], BusError> {
    let items = array(what, value)?;
    let found = items.len();
    items.try_into().map_err(|_| BusError::Reply { what, detail: format!("{found} elements, not {N}") })
}

/// Field and value pairs, as a map (RESP3) or a flat array (RESP2, scripts).
pub(crate) fn pairs(what: &'static str, value: Value) -> Result<Vec<(Value, Value)>, BusError> {
    match value {
        Value::Map(pairs) => Ok(pairs),
        other => {
            let mut items = array(what, other)?.into_iter();
            let mut pairs = Vec::with_capacity(items.len() / 2);
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                pairs.push((key, value));
            }
            Ok(pairs)
        }
    }
}

/// Bytes.
pub(crate) fn bytes(what: &'static str, value: Value) -> Result<Vec<u8>, BusError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        other => Err(unexpected(what, &other)),
    }
}

/// Text.
pub(crate) fn text(what: &'static str, value: Value) -> Result<String, BusError> {
    String::from_utf8(bytes(what, value)?)
        .map_err(|error| BusError::Reply { what, detail: format!("text that is not UTF-8: {error}") })
}

/// A whole number; scores and versions travel as text.
pub(crate) fn integer(what: &'static str, value: Value) -> Result<i64, BusError> {
    match value {
        Value::Int(number) => Ok(number),
        Value::Double(number) => Ok(number as i64),
        other => {
            let text = text(what, other)?;
            let number = text.parse::<i64>().ok().or_else(|| text.parse::<f64>().ok().map(|n| n as i64));
            number.ok_or_else(|| BusError::Reply { what, detail: format!("{text:?} is not a number") })
        }
    }
}

/// A count.
pub(crate) fn count(what: &'static str, value: Value) -> Result<u64, BusError> {
    let number = integer(what, value)?;
    u64::try_from(number).map_err(|_| BusError::Reply { what, detail: format!("{number} is negative") })
}

/// `[field, value, …]` of an entry.
pub(crate) fn fields(what: &'static str, value: Value) -> Result<Vec<(String, Vec<u8>)>, BusError> {
    pairs(what, value)?
        .into_iter()
        .map(|(field, value)| Ok((text(what, field)?, bytes(what, value)?)))
        .collect()
}

/// `[[id, [field, value, …]], …]`.
pub(crate) fn entries(what: &'static str, value: Value) -> Result<Vec<RawEntry>, BusError> {
    let entry = |value| {
        let [id, content] = tuple(what, value)?;
        Ok(RawEntry { id: EntryId(text(what, id)?), fields: fields(what, content)? })
    };
    array(what, value)?.into_iter().map(entry).collect()
}
