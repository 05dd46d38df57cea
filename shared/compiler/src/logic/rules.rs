//! The rules of a `filter`, over one item: a detection, or an item of a list that has the fields the rules ask for.

use millrace_blocks::logic::filter::Config;
use millrace_contracts::{ErrorKind, JobError};
use serde_json::{Map, Number, Value};

use super::name_of;
use super::place::{area, center, inside};

/// One item, with what the rules and `sort_by` may ask of it.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) index: usize,
    pub(super) value: &'a Value,
    /// Of a detection, where a field may be absent because it has a default.
    pub(super) detection: bool,
    bbox: Option<[f64; 4]>,
}

impl<'a> Item<'a> {
    /// An item of a set of detections.
    pub(super) fn detection(index: usize, value: &'a Value) -> Result<Self, JobError> {
        let item = Self { index, value, detection: true, bbox: bbox_of(value) };
        if item.bbox.is_some() {
            return Ok(item);
        }
        Err(item.fault("a detection needs `bbox`: [x1, y1, x2, y2]"))
    }

    /// An item of a list.
    pub(super) fn plain(index: usize, value: &'a Value) -> Self {
        Self { index, value, detection: false, bbox: bbox_of(value) }
    }

    /// Whether the item passes every rule but `where`, `top_n`.
    pub(super) fn passes(&self, config: &Config) -> Result<bool, JobError> {
        if let Some(classes) = &config.classes {
            let class = self.class_name()?;
            if !classes.iter().any(|wanted| wanted == class) {
                return Ok(false);
            }
        }
        if config.min_confidence.is_some() || config.max_confidence.is_some() {
            // Models score in single precision: 0.7 of theirs is to equal 0.7 of the configuration.
            let confidence = self.confidence()? as f32;
            let low = config.min_confidence.is_some_and(|least| confidence < least as f32);
            if low || config.max_confidence.is_some_and(|most| confidence > most as f32) {
                return Ok(false);
            }
        }
        if config.min_area.is_some() || config.max_area.is_some() {
            let area = area(self.bbox()?);
            let low = config.min_area.is_some_and(|least| area < least);
            if low || config.max_area.is_some_and(|most| area > most) {
                return Ok(false);
            }
        }
        match &config.zone {
            Some(zone) => Ok(inside(center(self.bbox()?), zone)),
            None => Ok(true),
        }
    }

    /// The confidence; certain for a detection that has none.
    pub(super) fn confidence(&self) -> Result<f64, JobError> {
        match self.field("confidence") {
            Some(Value::Number(number)) => Ok(number.as_f64().unwrap_or(0.0)),
            None if self.detection => Ok(1.0),
            _ => Err(self.fault("it has no number `confidence`")),
        }
    }

    /// The fields an expression sees beside the item's own.
    pub(super) fn derived(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let Some(bbox) = self.bbox.filter(|_| self.detection) else { return fields };
        let [x1, y1, x2, y2] = bbox;
        let [x, y] = center(bbox);
        let number = |value: f64| Number::from_f64(value).map_or(Value::Null, Value::Number);
        fields.insert("width".to_owned(), number(x2 - x1));
        fields.insert("height".to_owned(), number(y2 - y1));
        fields.insert("area".to_owned(), number(area(bbox)));
        fields.insert("center".to_owned(), vec![number(x), number(y)].into());
        let absent = |name: &str| self.field(name).is_none();
        let defaults = [
            ("detection_id", Value::from("")),
            ("class_id", Value::from(-1)),
            ("class_name", Value::from("")),
            ("confidence", Value::from(1.0)),
        ];
        fields.extend(
            defaults
                .into_iter()
                .filter(|(name, _)| absent(name))
                .map(|(name, value)| (name.to_owned(), value)),
        );
        fields
    }

    /// The value `sort_by` sorts by; null when the item does not have it.
    pub(super) fn sort_key(&self, field: &str) -> Value {
        let derived = self.derived();
        let value = derived.get(field).or_else(|| self.field(field));
        value.filter(|value| value.is_number() || value.is_string()).cloned().unwrap_or(Value::Null)
    }

    fn class_name(&self) -> Result<&str, JobError> {
        match self.field("class_name") {
            Some(Value::String(name)) => Ok(name),
            None if self.detection => Ok(""),
            _ => Err(self.fault("it has no text `class_name`")),
        }
    }

    fn bbox(&self) -> Result<[f64; 4], JobError> {
        self.bbox.ok_or_else(|| self.fault("it has no `bbox`: [x1, y1, x2, y2]"))
    }

    fn field(&self, name: &str) -> Option<&'a Value> {
        self.value.get(name)
    }

    fn fault(&self, what: &str) -> JobError {
        let message = format!("item {} ({}) cannot be filtered: {what}", self.index, name_of(self.value));
        JobError::new(ErrorKind::InvalidInput, message).at("/inputs/items")
    }
}

fn bbox_of(value: &Value) -> Option<[f64; 4]> {
    let corners = value.get("bbox")?.as_array()?;
    let corners = corners.iter().map(Value::as_f64).collect::<Option<Vec<_>>>()?;
    corners.try_into().ok()
}
