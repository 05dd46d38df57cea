//! What waits for the world outside: jobs of the pool `io`, and pictures of the run's input that are named by URL. An input
//! node with such pictures is a job like any other; without, it is settled at once.

use millrace_compiler::plan::{Action, PlanNode, Template};
use millrace_contracts::values::marked_to_fetch;
use millrace_contracts::{IO_POOL, Pool};
use serde_json::Map;

use crate::execution::Execution;
use crate::start::Given;

impl Execution {
    /// What an input node's job works on, if it has pictures to fetch.
    pub(crate) fn pictures_to_fetch(&self, node: &PlanNode) -> Option<Given> {
        let Action::Input { port, pictures: true } = node.action else { return None };
        let value = marked_to_fetch(self.accepted.input.get(node.id.as_str())?)?;
        let config = match &node.config {
            // The limits on each picture; a parameter sets none.
            Template::Literal(config) if port != "value" => config.as_object().cloned().unwrap_or_default(),
            _ => Map::new(),
        };
        Some(Given { inputs: Map::from_iter([(port.to_owned(), value.clone())]), config })
    }

    /// The pool of a node's jobs.
    pub(crate) fn pool_of(&self, node: &PlanNode) -> Pool {
        pool_of(node, self.accepted.pool.as_ref())
    }
}

/// The pool of a node's jobs, in a run for which `chosen` was asked. A run that names a pool sends its work there, but not what
/// waits for others.
#[must_use]
pub fn pool_of(node: &PlanNode, chosen: Option<&Pool>) -> Pool {
    if matches!(node.action, Action::Input { .. }) {
        return Pool::from(IO_POOL);
    }
    let chosen = chosen.filter(|_| node.policy.pool.as_str() != IO_POOL);
    chosen.unwrap_or(&node.policy.pool).clone()
}
