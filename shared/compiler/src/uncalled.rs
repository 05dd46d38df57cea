//! Embedded workflows that nothing calls. They are no fault: an editor may take a call out, and put it in again later. But each
//! is read like any other, on its own, so that a mistake in it is told before something calls it. Their nodes, and those of
//! what they call, count against the definition's limit, which bounds the work.

use std::collections::HashSet;
use std::sync::Arc;

use millrace_contracts::fault::pointer_token;
use serde_json::{Map, Value};

use crate::codes;
use crate::draft::Draft;

/// A workflow that may be called by nothing, and where it stands.
struct Entry<'a> {
    workflow: &'a Value,
    pointer: Arc<str>,
    /// The libraries it sees, the nearest last.
    libraries: Vec<(&'a Map<String, Value>, Arc<str>)>,
}

/// Adds the faults of every embedded workflow that nothing in `draft` calls; `examine` runs the passes over a draft.
pub(crate) fn check<'a>(draft: &mut Draft<'a>, examine: impl Fn(Draft<'a>) -> Draft<'a>) {
    let mut known = HashSet::new();
    let mut waiting = Vec::new();
    let mut taken = draft.nodes.len();
    note(draft, &mut known, &mut waiting);
    while let Some(Entry { workflow, pointer, libraries }) = waiting.pop() {
        let is_full = draft.faults.0.iter().any(|fault| fault.code == codes::TOO_MANY_NODES);
        if is_full || !known.insert(std::ptr::from_ref(workflow)) {
            continue;
        }
        let found = examine(Draft::of(workflow, pointer, libraries, taken));
        taken += found.nodes.len();
        note(&found, &mut known, &mut waiting);
        // No call leads there, so no node of the run is meant: the pointer says which one is.
        draft.faults.0.extend(
            found.faults.0.into_iter().map(|fault| millrace_contracts::Fault { node: None, ..fault }),
        );
    }
}

/// Notes which workflows a draft calls, and which its workflows embed.
fn note<'a>(draft: &Draft<'a>, known: &mut HashSet<*const Value>, waiting: &mut Vec<Entry<'a>>) {
    known.extend(draft.frames.iter().filter_map(|frame| Some(std::ptr::from_ref(frame.chain.last()?.0))));
    for frame in &draft.frames {
        let own = format!("{}/workflows", frame.pointer);
        let Some((library, pointer)) = frame.libraries.last().filter(|(_, at)| **at == *own) else {
            continue;
        };
        // The last is taken first.
        waiting.extend(
            library.iter().rev().filter(|(_, workflow)| !known.contains(&std::ptr::from_ref(*workflow))).map(
                |(name, workflow)| Entry {
                    workflow,
                    pointer: format!("{pointer}/{}", pointer_token(name)).into(),
                    libraries: frame.libraries.clone(),
                },
            ),
        );
    }
}
