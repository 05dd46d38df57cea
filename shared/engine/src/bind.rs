//! Resolving selectors: from templates and settled node runs to the values a node is given.

use millrace_compiler::logic::Ports;
use millrace_compiler::plan::{Action, NodeIndex, PlanNode, Selector, Template};
use millrace_contracts::{ItemPath, NodeStatus};
use serde_json::{Map, Value};

use crate::execution::{Execution, RunKey};
use crate::record::{Handled, NodeRecord};

/// A source was not taken, so there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Skipped;

impl Execution {
    /// The node's input ports at `path`. An optional port whose source was skipped reads null; without all of those of which it
    /// needs one, the node is skipped.
    pub(crate) fn bind_inputs(
        &self,
        node: &PlanNode,
        path: &ItemPath,
    ) -> Result<Map<String, Value>, Skipped> {
        let (mut inputs, mut skipped) = (Map::new(), Vec::new());
        for input in &node.inputs {
            let value = match self.resolve(&input.value, path) {
                Err(Skipped) if !input.required => {
                    skipped.push(input.port.as_str());
                    Value::Null
                }
                resolved => resolved?,
            };
            inputs.insert(input.port.clone(), value);
        }
        if node.does_without(&skipped) { Ok(inputs) } else { Err(Skipped) }
    }

    /// The node's inputs at `path` as ports of its own: one whose source was skipped is skipped too, and with all of them the
    /// node itself.
    pub(crate) fn bind_ports(&self, node: &PlanNode, path: &ItemPath) -> Result<Ports, Skipped> {
        let mut ports = Ports::default();
        for input in &node.inputs {
            match self.resolve(&input.value, path) {
                Ok(value) => drop(ports.values.insert(input.port.clone(), value)),
                Err(Skipped) => ports.skipped.push(input.port.clone()),
            }
        }
        if ports.values.is_empty() && !ports.skipped.is_empty() { Err(Skipped) } else { Ok(ports) }
    }

    /// Whether the node is inside a call that does not happen: whose own inputs were skipped, or did not fit.
    pub(crate) fn is_shut(&self, node: &PlanNode, path: &ItemPath) -> bool {
        let Some(gate) = node.gate else { return false };
        let entered = self.nodes.get(&self.source(gate, path));
        entered.is_none_or(|record| record.status != NodeStatus::Completed)
    }

    /// The node's configuration at `path`, as an object.
    pub(crate) fn bind_config(
        &self,
        node: &PlanNode,
        path: &ItemPath,
    ) -> Result<Map<String, Value>, Skipped> {
        match self.resolve(&node.config, path)? {
            Value::Object(config) => Ok(config),
            _ => Ok(Map::new()),
        }
    }

    /// One field of the node's configuration at `path`, without resolving the others.
    pub(crate) fn config_field(&self, node: &PlanNode, path: &ItemPath, name: &str) -> Option<Value> {
        match &node.config {
            Template::Literal(config) => config.get(name).cloned(),
            Template::Object(fields) => {
                let (_, field) = fields.iter().find(|(field, _)| field == name)?;
                self.resolve(field, path).ok()
            }
            _ => None,
        }
    }

    /// A template's value as seen from `path`.
    pub(crate) fn resolve(&self, template: &Template, path: &ItemPath) -> Result<Value, Skipped> {
        match template {
            Template::Literal(value) => Ok(value.clone()),
            Template::Select(selector) => self.select(selector, path),
            Template::Object(fields) => fields
                .iter()
                .map(|(name, field)| Ok((name.clone(), self.resolve(field, path)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
            Template::List(items) => items
                .iter()
                .map(|item| self.resolve(item, path))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array),
        }
    }

    fn select(&self, selector: &Selector, path: &ItemPath) -> Result<Value, Skipped> {
        match selector {
            Selector::Port(node, port) => match self.loop_value(*node, port, path) {
                Some(value) => Ok(value),
                None => self.port(*node, port, path),
            },
            Selector::All(node) => self.all_ports(*node, path).map(Value::Object),
        }
    }

    /// `item` and `index` of the loop around `path`.
    fn loop_value(&self, node: NodeIndex, port: &str, path: &ItemPath) -> Option<Value> {
        let Action::ForEach(scope) = self.plan.node(node).action else { return None };
        let depth = self.plan.scope(scope).depth;
        let index = *path.indices().get(depth - 1)?;
        match port {
            "index" => Some(Value::from(index)),
            "item" => {
                let open = self.loops.get(&RunKey::new(node, path.prefix(depth - 1)))?;
                open.items.as_ref()?.get(index as usize).cloned()
            }
            _ => None,
        }
    }

    /// Every port of a node by name; of a loop, seen from inside, its `item` and `index`.
    fn all_ports(&self, node: NodeIndex, path: &ItemPath) -> Result<Map<String, Value>, Skipped> {
        if matches!(self.plan.node(node).action, Action::ForEach(_)) {
            let port = |name: &str| Some((name.to_owned(), self.loop_value(node, name, path)?));
            return Ok(["item", "index"].into_iter().filter_map(port).collect());
        }
        self.usable(node, path).and_then(|record| record.outputs.clone().ok_or(Skipped))
    }

    fn port(&self, node: NodeIndex, port: &str, path: &ItemPath) -> Result<Value, Skipped> {
        let record = self.usable(node, path)?;
        if record.skipped_ports.iter().any(|name| name == port) {
            return Err(Skipped);
        }
        match record.outputs.as_ref().ok_or(Skipped)?.get(port) {
            Some(value) => Ok(value.clone()),
            // A default stands for the ports it names; the others were not taken. A worker that leaves a port out means null.
            None if record.handled == Some(Handled::Default) => Err(Skipped),
            None => Ok(Value::Null),
        }
    }

    /// The record of a node run that has ports to read.
    fn usable(&self, node: NodeIndex, path: &ItemPath) -> Result<&NodeRecord, Skipped> {
        let record = self.nodes.get(&self.source(node, path)).ok_or(Skipped)?;
        let usable = record.status == NodeStatus::Completed || record.handled == Some(Handled::Default);
        if usable { Ok(record) } else { Err(Skipped) }
    }

    /// The node run of `node` that somebody at `path` reads.
    pub(crate) fn source(&self, node: NodeIndex, path: &ItemPath) -> RunKey {
        let depth = self.plan.scope(self.plan.node(node).scope).depth;
        RunKey::new(node, path.prefix(depth))
    }
}
