//! Config: each node's configuration against the schema of its block, and the block's own rules. Where a selector
//! stands in place of a value, the schema is not asked; the value is checked in the run, by the same rules.

use std::collections::{BTreeMap, HashSet};

use millrace_blocks::block::Subject;
use millrace_blocks::inputs::parameter_input::Config;
use millrace_blocks::settings::{Mistake, MistakeKind, mistakes};
use millrace_blocks::{Block, Placed, Problem};
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Kind};
use serde_json::Value;

use crate::codes;
use crate::draft::{Draft, DraftNode};
use crate::inputs::{Wrong, parameter};

/// Checks every node's configuration.
pub(crate) fn run(draft: &mut Draft<'_>) {
    for node in &draft.nodes {
        let Some(block) = node.block else { continue };
        let settings = Value::Object(node.settings.clone());
        let selectors = selectors_of(node);
        let mistakes = mistakes(block, &settings).into_iter();
        let mistakes = mistakes.filter(|mistake| !selectors.contains(mistake.value.as_str()));
        let faults = mistakes.map(|mistake| fault_of(node, mistake)).collect::<Vec<_>>();
        if !faults.is_empty() {
            // The block's own rules build on what the schema says.
            draft.faults.0.extend(faults);
            continue;
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

fn fault_of(node: &DraftNode<'_>, mistake: Mistake) -> Fault {
    let code = match mistake.kind {
        MistakeKind::UnknownField => codes::UNKNOWN_FIELD,
        MistakeKind::MissingField => codes::MISSING_FIELD,
        MistakeKind::Invalid => codes::INVALID_CONFIG,
    };
    let mut fault = node.fault(code, &format!("/config{}", mistake.pointer), mistake.message);
    fault.hint = mistake.hint;
    fault
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
