//! Models that a run will need, but not at once.

use millrace_contracts::{ModelId, Pool};
use serde_json::Value;

use crate::plan::{Action, Plan, PlanNode, Template};

impl Plan {
    /// The models, with their pools, of nodes that another job comes before: there is time to load them. In the order in which
    /// the nodes can be walked, and as often as nodes name them. What a selector names is not known yet.
    pub fn later_models(&self) -> impl Iterator<Item = (Pool, ModelId)> {
        // Upstream stands before downstream: one pass tells whom jobs come before.
        let mut waits = vec![false; self.nodes.len()];
        self.nodes.iter().enumerate().filter_map(move |(place, node)| {
            let before =
                |source: usize| waits[source] || matches!(self.nodes[source].action, Action::Job { .. });
            waits[place] = node.upstream.iter().any(|source| before(source.0 as usize));
            let model = if waits[place] { node.model() } else { None }?;
            Some((node.policy.pool.clone(), model))
        })
    }
}

impl PlanNode {
    /// The model it runs, where it runs one and the definition names it.
    #[must_use]
    pub fn model(&self) -> Option<ModelId> {
        if !matches!(self.action, Action::Job { model: true }) {
            return None;
        }
        let named = match &self.config {
            Template::Literal(config) => config.get("model_id"),
            Template::Object(fields) => fields.iter().find_map(|(name, field)| match field {
                Template::Literal(value) if name == "model_id" => Some(value),
                _ => None,
            }),
            _ => None,
        };
        named.and_then(Value::as_str).map(ModelId::from)
    }
}
