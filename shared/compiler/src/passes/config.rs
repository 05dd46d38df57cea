//! Config: each node's configuration against the schema of its block, and the block's own rules. Where a selector
//! stands in place of a value, the schema is not asked; the value is checked by whoever reads it in the run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use millrace_blocks::block::Subject;
use millrace_blocks::inputs::parameter_input::Config;
use millrace_blocks::{Block, Placed, Problem, catalogue};
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Kind};
use serde_json::Value;

use crate::codes;
use crate::draft::{Draft, DraftNode};
use crate::inputs::{Wrong, parameter};
use crate::passes::policies::shown;
use crate::suggest::{did_you_mean, one_of};

/// One validator per block, built once: building costs far more than using.
static VALIDATORS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let validator = |block: &Block| {
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&block.config).expect("the catalogue's schemas are valid JSON Schema")
    };
    catalogue().iter().map(|block| (block.versioned(), validator(block))).collect()
});

/// Checks every node's configuration.
pub(crate) fn run(draft: &mut Draft<'_>) {
    for node in &draft.nodes {
        let Some(block) = node.block else { continue };
        let settings = Value::Object(node.settings.clone());
        let selectors = selectors_of(node);
        let validator =
            VALIDATORS.get(&block.versioned()).expect("every block of the catalogue has a validator");
        if !validator.is_valid(&settings) {
            let errors = validator.iter_errors(&settings);
            let errors = errors.filter(|error| !selectors.contains(error.instance_path().as_str()));
            let faults = errors.flat_map(|error| faults_of(node, block, &error)).collect::<Vec<_>>();
            if !faults.is_empty() {
                // The block's own rules build on what the schema says.
                draft.faults.0.extend(faults);
                continue;
            }
        }
        let mut faults = own_rules(node, block);
        if faults.is_empty() && selectors.is_empty() {
            // What the schema admits, whoever runs the block can read: this is where that is made sure of.
            let unread = (block.read)(&node.settings).err();
            faults.extend(unread.map(|message| node.fault(codes::INVALID_CONFIG, "/config", message)));
        }
        if faults.is_empty() {
            faults = parameter_values(node);
        }
        draft.faults.0.extend(faults);
    }
}

/// Where selectors stand, as pointers into the configuration.
fn selectors_of<'n>(node: &'n DraftNode<'_>) -> HashSet<&'n str> {
    let mut found = HashSet::new();
    node.config.visit(&mut |reference| {
        found.extend(reference.pointer.strip_prefix("/config"));
    });
    found
}

fn own_rules(node: &DraftNode<'_>, block: &Block) -> Vec<Fault> {
    let Some(check) = block.check else { return Vec::new() };
    let inputs = node.inputs.iter().map(|input| (input.port.clone(), Kind::Any)).collect::<BTreeMap<_, _>>();
    let problems = check(&Placed { config: &node.settings, inputs: &inputs });
    let fault = |Problem { subject, message, hint }: Problem| {
        let (code, pointer) = match &subject {
            Subject::Config("") => (codes::INVALID_CONFIG, "/config".to_owned()),
            Subject::Config(field) => (codes::INVALID_CONFIG, format!("/config/{}", pointer_token(field))),
            Subject::MissingInput(port) => (codes::MISSING_INPUT, format!("/inputs/{port}")),
            Subject::Input(port) => (codes::INVALID_NAME, format!("/inputs/{}", pointer_token(port))),
        };
        node.fault(code, &pointer, message).hint(hint)
    };
    problems.into_iter().map(fault).collect()
}

/// The default of a parameter is a value of it, and each choice is one too.
fn parameter_values(node: &DraftNode<'_>) -> Vec<Fault> {
    if !node.is("parameter_input") {
        return Vec::new();
    }
    let Ok(config) = serde_json::from_value::<Config>(Value::Object(node.settings.clone())) else {
        // A selector, which is reported as one.
        return Vec::new();
    };
    let fault = |(pointer, wrong): (String, Wrong)| {
        let mut fault =
            node.fault(codes::INVALID_CONFIG, &format!("{pointer}{}", wrong.below), wrong.message);
        fault.hint = wrong.hint;
        fault
    };
    let unlimited = Config { choices: None, default: None, ..config.clone() };
    let choices = config.choices.iter().flatten().enumerate();
    let wrong_choices = choices.filter_map(|(position, choice)| {
        let wrong = parameter::accept(choice.clone(), &unlimited).err()?;
        Some((format!("/config/enum/{position}"), wrong))
    });
    let mut faults = wrong_choices.map(fault).collect::<Vec<_>>();
    if let Some(default) = config.default.clone().filter(|_| faults.is_empty()) {
        let wrong = parameter::accept(default, &config).err();
        faults.extend(wrong.map(|wrong| fault(("/config/default".to_owned(), wrong))));
    }
    faults
}

fn faults_of(node: &DraftNode<'_>, block: &Block, error: &ValidationError<'_>) -> Vec<Fault> {
    let place = format!("/config{}", error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = properties_at(block, error);
            let fault = |field: &String| {
                let pointer = format!("{place}/{}", pointer_token(field));
                let message = format!("{} has no setting {field:?}", block.name);
                let mut fault = node.fault(codes::UNKNOWN_FIELD, &pointer, message);
                fault.hint = did_you_mean(field, known.iter().map(String::as_str))
                    .or_else(|| Some(format!("{} has no settings here", block.name)));
                fault
            };
            unexpected.iter().map(fault).collect()
        }
        ValidationErrorKind::Required { property } => {
            let field = property.as_str().unwrap_or_default();
            let pointer = format!("{place}/{}", pointer_token(field));
            let message = format!("{} needs the setting `{field}`", block.name);
            let mut fault = node.fault(codes::MISSING_FIELD, &pointer, message);
            fault.hint = help_of(block, field);
            vec![fault]
        }
        kind => {
            let mut fault = node.fault(codes::INVALID_CONFIG, &place, message_of(kind, error));
            fault.hint = hint_of(kind, error);
            vec![fault]
        }
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

fn types_of(kind: &jsonschema::error::TypeKind) -> String {
    match kind {
        jsonschema::error::TypeKind::Single(one) => one.to_string(),
        jsonschema::error::TypeKind::Multiple(many) => {
            many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or ")
        }
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
