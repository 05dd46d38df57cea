//! What the schema says, in words that name the value and the way out.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use millrace_contracts::fault::pointer_token;
use serde_json::Value;

use super::{Mistake, MistakeKind};
use crate::block::Block;
use crate::suggest::{did_you_mean, one_of};

/// A value as a message shows it: cut, so that a message stays a message.
#[must_use]
pub fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 {
        return text;
    }
    text.chars().take(79).chain(['…']).collect()
}

pub(super) fn mistakes_of(block: &Block, error: &ValidationError<'_>) -> Vec<Mistake> {
    let value = error.instance_path().as_str().to_owned();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = properties_at(block, error);
            unexpected.iter().map(|field| unknown(block, &value, field, &known)).collect()
        }
        ValidationErrorKind::Required { property } => {
            let field = property.as_str().unwrap_or_default();
            vec![Mistake {
                kind: MistakeKind::MissingField,
                pointer: format!("{value}/{}", pointer_token(field)),
                value,
                message: format!("{} needs the setting `{field}`", block.name),
                hint: help_of(block, field),
            }]
        }
        kind => vec![Mistake {
            kind: MistakeKind::Invalid,
            pointer: value.clone(),
            value,
            message: message_of(kind, error),
            hint: hint_of(kind, error),
        }],
    }
}

fn unknown(block: &Block, inside: &str, field: &str, known: &[String]) -> Mistake {
    let hint = did_you_mean(field, known.iter().map(String::as_str));
    Mistake {
        kind: MistakeKind::UnknownField,
        value: inside.to_owned(),
        pointer: format!("{inside}/{}", pointer_token(field)),
        message: format!("{} has no setting {field:?}", block.name),
        hint: hint.or_else(|| Some(format!("{} has no settings here", block.name))),
    }
}

/// The properties of the schema object that refused a field.
fn properties_at(block: &Block, error: &ValidationError<'_>) -> Vec<String> {
    let path = error.schema_path().as_str();
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let schema = block.config.pointer(parent);
    let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    properties.into_iter().flat_map(|fields| fields.keys().cloned()).collect()
}

fn help_of(block: &Block, field: &str) -> Option<String> {
    let (_, schema) = block.config_fields().find(|(name, _)| *name == field)?;
    schema.get("description").and_then(Value::as_str).map(str::to_owned)
}

fn message_of(kind: &ValidationErrorKind, error: &ValidationError<'_>) -> String {
    let value = shown(error.instance());
    match kind {
        ValidationErrorKind::Minimum { limit } => format!("{value} is less than {limit}, the least allowed"),
        ValidationErrorKind::Maximum { limit } => format!("{value} is more than {limit}, the most allowed"),
        ValidationErrorKind::MinLength { limit } | ValidationErrorKind::MinItems { limit } => {
            format!("{value} is too short: at least {limit}")
        }
        ValidationErrorKind::MaxLength { limit } | ValidationErrorKind::MaxItems { limit } => {
            format!("{value} is too long: at most {limit}")
        }
        ValidationErrorKind::MinProperties { limit } => {
            format!("{value} has too few entries: at least {limit}")
        }
        ValidationErrorKind::MaxProperties { limit } => {
            format!("{value} has too many entries: at most {limit}")
        }
        ValidationErrorKind::Enum { .. } => format!("{value} is not among the choices"),
        ValidationErrorKind::Pattern { .. } => format!("{value} is not written as it must be"),
        ValidationErrorKind::PropertyNames { error } => {
            format!("{} cannot be a name here", shown(error.instance()))
        }
        ValidationErrorKind::Type { kind } => format!("{value} must be {}", types_of(kind)),
        _ => shorten(&error.to_string()),
    }
}

fn types_of(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
    }
}

fn hint_of(kind: &ValidationErrorKind, error: &ValidationError<'_>) -> Option<String> {
    match kind {
        ValidationErrorKind::Enum { options } => {
            let names = options.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>();
            match error.instance().as_str() {
                Some(wrong) => did_you_mean(wrong, names),
                None => one_of(names),
            }
        }
        ValidationErrorKind::Pattern { pattern } => Some(format!("it must match {}", shorten(pattern))),
        _ => None,
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 200 {
        return text.to_owned();
    }
    text.chars().take(199).chain(['…']).collect()
}
