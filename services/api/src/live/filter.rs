//! `?types=node.*,completed`: which events a client wants, by globs over their short names, channels or full types.

use millrace_contracts::{EventType, Fault};

use crate::fields::cut;
use crate::problem::{Code, Problem};

/// Most globs in one filter.
const MAX_GLOBS: usize = 32;

/// Which types of events pass. Worked out once: a filter is asked for every event.
#[derive(Debug, Clone, Default)]
pub(crate) struct TypeFilter(Option<Vec<EventType>>);

impl TypeFilter {
    /// Reads a comma-separated list of globs; absent or empty lets everything pass.
    pub(crate) fn read(types: Option<&str>) -> Result<Self, Problem> {
        let globs: Vec<&str> = types
            .into_iter()
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|glob| !glob.is_empty())
            .collect();
        if globs.is_empty() {
            return Ok(Self(None));
        }
        let refuse = |message: String| {
            let fault = Fault::new("INVALID_VALUE", "/types", message)
                .hint("write short names with `*` where anything may stand, such as node.*,completed");
            Problem::fault(Code::InvalidQuery, fault)
        };
        if globs.len() > MAX_GLOBS {
            return Err(refuse(format!("`types` may name at most {MAX_GLOBS} patterns")));
        }
        let mut wanted = Vec::new();
        for glob in globs {
            let matched: Vec<_> =
                EventType::ALL.iter().copied().filter(|kind| matches(glob, *kind)).collect();
            if matched.is_empty() {
                return Err(refuse(format!("{:?} matches no type of event", cut(glob))));
            }
            wanted.extend(matched);
        }
        Ok(Self(Some(wanted)))
    }

    /// Whether an event of this type is wanted.
    pub(crate) fn passes(&self, kind: EventType) -> bool {
        self.0.as_ref().is_none_or(|wanted| wanted.contains(&kind))
    }
}

fn matches(glob: &str, kind: EventType) -> bool {
    let full = kind.to_string();
    let bare = full.strip_prefix("millrace.").unwrap_or(&full);
    [&kind.sse_name(), kind.channel(), &full, bare].iter().any(|name| glob_matches(glob, name))
}

/// `*` stands for any text, of no length too.
fn glob_matches(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_every_form_of_the_name() {
        for glob in [
            "node.*",
            "workflow:node:*",
            "millrace.workflow.node.*",
            "workflow.node.*",
            "*",
            "n*.c*d",
            "node.completed",
        ] {
            assert!(TypeFilter::read(Some(glob)).unwrap().passes(EventType::NodeCompleted), "{glob}");
        }
        let filter = TypeFilter::read(Some("completed, failed")).unwrap();
        assert!(filter.passes(EventType::WorkflowFailed) && !filter.passes(EventType::NodeFailed));
        assert!(TypeFilter::read(None).unwrap().passes(EventType::WorkerLost));
    }

    #[test]
    fn a_glob_that_matches_nothing_is_a_mistake() {
        for glob in ["nodes.*", "x", "completed*x"] {
            assert_eq!(TypeFilter::read(Some(glob)).unwrap_err().code(), Code::InvalidQuery, "{glob}");
        }
    }
}
