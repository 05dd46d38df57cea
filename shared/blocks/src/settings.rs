//! Settings: a configuration against the schema of its block and the block's own rules. The compiler asks about what is
//! written out, and whoever runs the block about what selectors put there, so that both mean the same by a range.

mod messages;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use jsonschema::Validator;
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{ErrorKind, JobError, Kind};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use messages::shown;

use crate::block::{Block, Problem, Subject};
use crate::catalogue::catalogue;
use crate::ports::Placed;

/// One validator per block, built once: building costs far more than using.
static VALIDATORS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let validator = |block: &Block| {
        let mut schema = block.config.clone();
        if let Some(root) = schema.as_object_mut() {
            // Without a list of settings, what is too much would be refused without a name.
            root.entry("properties").or_insert_with(|| Map::new().into());
        }
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&schema).expect("the catalogue's schemas are valid JSON Schema")
    };
    catalogue().iter().map(|block| (block.versioned(), validator(block))).collect()
});

/// Something in a configuration that its block's schema does not admit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What sort of mistake it is.
    pub kind: MistakeKind,
    /// The value that the schema was asked about, as a JSON pointer into the configuration.
    pub value: String,
    /// What is at fault: that value, or a field below it.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The sorts of [`Mistake`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MistakeKind {
    /// There is no such setting.
    UnknownField,
    /// A setting that has to be there is not.
    MissingField,
    /// A value is not as it must be.
    Invalid,
}

/// Every mistake that the block's schema finds in a configuration.
#[must_use]
pub fn mistakes(block: &Block, config: &Value) -> Vec<Mistake> {
    let Some(validator) = VALIDATORS.get(&block.versioned()) else { return Vec::new() };
    if validator.is_valid(config) {
        return Vec::new();
    }
    validator.iter_errors(config).flat_map(|error| messages::mistakes_of(block, &error)).collect()
}

/// Checks a configuration whose selectors are resolved, of the block that `task` names with its version, on a node with
/// these inputs. A task that is no block's has no rules.
///
/// # Errors
/// `INVALID_CONFIG`, with the place in the node: the first rule that is broken.
pub fn check<'p>(
    task: &str,
    config: &Map<String, Value>,
    inputs: impl IntoIterator<Item = &'p str>,
) -> Result<(), JobError> {
    let Some(block) = catalogue().resolve(task) else { return Ok(()) };
    let config = settled(block, config, inputs)?;
    (block.read)(&config).map_err(|message| unread(task, &message))
}

/// Reads a configuration whose selectors are resolved, if it is as [`check`] wants it.
///
/// # Errors
/// `INVALID_CONFIG`, as [`check`].
pub fn read<'p, T: DeserializeOwned>(
    task: &str,
    config: &Map<String, Value>,
    inputs: impl IntoIterator<Item = &'p str>,
) -> Result<T, JobError> {
    let config = match catalogue().resolve(task) {
        Some(block) => settled(block, config, inputs)?,
        None => config.clone(),
    };
    serde_json::from_value(Value::Object(config)).map_err(|error| unread(task, &error.to_string()))
}

/// The configuration with whole numbers written as such, if it is as its block wants it.
fn settled<'p>(
    block: &Block,
    config: &Map<String, Value>,
    inputs: impl IntoIterator<Item = &'p str>,
) -> Result<Map<String, Value>, JobError> {
    let mut config = config.clone();
    block.settle_numbers(&mut config);
    let whole = Value::Object(config);
    if let Some(mistake) = mistakes(block, &whole).into_iter().next() {
        return Err(fault_of(mistake));
    }
    let Value::Object(config) = whole else { return Ok(Map::new()) };
    match block.check.and_then(|check| broken_rule(check, &config, inputs)) {
        Some(fault) => Err(fault),
        None => Ok(config),
    }
}

/// The first rule of the block's own that the configuration breaks. Those about inputs were the compiler's to find.
fn broken_rule<'p>(
    check: fn(&Placed<'_>) -> Vec<Problem>,
    config: &Map<String, Value>,
    inputs: impl IntoIterator<Item = &'p str>,
) -> Option<JobError> {
    let inputs = inputs.into_iter().map(|port| (port.to_owned(), Kind::Any)).collect::<BTreeMap<_, _>>();
    let problems = check(&Placed { config, inputs: &inputs }).into_iter();
    let mut faults = problems.filter_map(|Problem { subject, message, hint }| match subject {
        Subject::Config("") => Some(fault("/config".to_owned(), message, Some(hint))),
        Subject::Config(field) => {
            Some(fault(format!("/config/{}", pointer_token(field)), message, Some(hint)))
        }
        Subject::MissingInput(_) | Subject::Input(_) => None,
    });
    faults.next()
}

fn fault_of(mistake: Mistake) -> JobError {
    let Mistake { kind, pointer, message, hint, .. } = mistake;
    let message = match (kind, pointer.strip_prefix('/')) {
        (MistakeKind::Invalid, Some(name)) => format!("`{name}`: {message}"),
        _ => message,
    };
    fault(format!("/config{pointer}"), message, hint)
}

fn fault(pointer: String, mut message: String, hint: Option<String>) -> JobError {
    if let Some(hint) = hint {
        message = format!("{message}; {hint}");
    }
    JobError::new(ErrorKind::InvalidConfig, message).at(pointer)
}

fn unread(task: &str, message: &str) -> JobError {
    JobError::new(ErrorKind::InvalidConfig, format!("the configuration of {task} is wrong: {message}"))
        .at("/config")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn broken(task: &str, config: &Value) -> (String, String) {
        let error = check(task, config.as_object().unwrap(), []).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidConfig, "{error}");
        (error.pointer.unwrap_or_default(), error.message)
    }

    #[test]
    fn what_a_selector_gives_keeps_within_the_ranges() {
        for (task, config, pointer) in [
            ("draw_masks@1", json!({"outline": 4_000_000_000_u32}), "/config/outline"),
            ("draw_masks@1", json!({"opacity": 7}), "/config/opacity"),
            ("draw_boxes@1", json!({"text_scale": -1}), "/config/text_scale"),
            ("draw_boxes@1", json!({"text_scale": 1e6}), "/config/text_scale"),
            ("detection@1", json!({"model_id": "m", "confidence": -1}), "/config/confidence"),
            ("detection@1", json!({"model_id": "m", "max_detections": 0}), "/config/max_detections"),
            ("classification@1", json!({"model_id": "m", "top_k": 0}), "/config/top_k"),
            ("tile@1", json!({"overlap_x": 1.0}), "/config/overlap_x"),
            ("tile@1", json!({"overlap_y": -3}), "/config/overlap_y"),
            ("stitch@1", json!({"iou_threshold": -1}), "/config/iou_threshold"),
            ("aggregation@1", json!({"functions": []}), "/config/functions"),
            ("aggregation@1", json!({"interval": {"runs": 0}}), "/config/interval/runs"),
            ("grid_builder@1", json!({"columns": 0}), "/config/columns"),
            ("smoothing@1", json!({"kernel_size": 4_294_967_295_u32}), "/config/kernel_size"),
            ("resize@1", json!({"width": 0, "height": 5}), "/config/width"),
            ("filter@1", json!({"zone": [[0, 0]]}), "/config/zone"),
            ("filter@1", json!({"min_confidence": 5}), "/config/min_confidence"),
        ] {
            let (place, message) = broken(task, &config);
            assert_eq!(place, pointer, "{message}");
        }
        let (_, message) = broken("draw_masks@1", &json!({"outline": 21}));
        assert_eq!(message, "`outline`: 21 is more than 20, the most allowed");
    }

    #[test]
    fn what_a_selector_gives_keeps_the_rules_between_fields() {
        let (place, message) = broken("resize@1", &json!({"width": null, "height": null}));
        assert_eq!(place, "/config");
        assert!(message.contains("give one of them"), "{message}");
        let region = json!({"mode": "absolute", "region": [5, 5, 5, 9]});
        assert_eq!(broken("crop@1", &region).0, "/config/region");
        assert_eq!(broken("webhook@1", &json!({"url": "ftp://example.com"})).0, "/config/url");
    }

    #[test]
    fn whole_numbers_are_read_however_they_are_written() {
        let config = json!({"width": 640.0, "height": null});
        let read: crate::transforms::resize::Config =
            read("resize@1", config.as_object().unwrap(), ["image"]).unwrap();
        assert_eq!((read.width, read.height), (Some(640), None));
        assert_eq!(check("no block", &Map::new(), []), Ok(()));
    }

    #[test]
    fn a_field_that_is_not_there_is_unknown_even_where_there_are_none() {
        let block = catalogue().resolve("collect").unwrap();
        let found = mistakes(block, &json!({"images": "base64"}));
        let found = found.iter().map(|one| (one.kind, one.pointer.as_str(), one.hint.as_deref()));
        let expected = (MistakeKind::UnknownField, "/images", Some("collect has no settings here"));
        assert_eq!(found.collect::<Vec<_>>(), [expected]);
    }
}
