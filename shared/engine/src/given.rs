//! What node runs were given: their input ports, told afterwards out of the plan, the accepted input and what the node runs that
//! they read from gave. Nothing stores it: it is bound again, in the way in which it was bound when they began.

use std::sync::Arc;

use millrace_compiler::plan::{Action, NodeIndex, Plan, PlanNode, Selector};
use millrace_contracts::message::Accepted;
use millrace_contracts::run::NodeView;
use millrace_contracts::values::ValueRef;
use millrace_contracts::{ItemPath, NodeId, NodeStatus};
use serde_json::{Map, Value};

use crate::execution::{Execution, OpenLoop, RunKey, Settings};
use crate::load::MissingItems;
use crate::record::{Handled, NodeRecord};

/// The node runs of one run that others read from.
#[derive(Debug)]
pub struct Givers(Execution);

impl Givers {
    /// Those that `runs` read from, each once: what [`Givers::of`] needs to tell what they were given.
    #[must_use]
    pub fn needed(plan: &Plan, runs: &[NodeView]) -> Vec<(NodeId, ItemPath)> {
        let mut needed = Vec::new();
        for (node, run) in runs.iter().filter_map(|run| Some((begun(plan, run)?, run))) {
            for source in sources(node) {
                let giver = plan.node(source);
                let depth = plan.scope(giver.scope).depth;
                needed.push((giver.id.clone(), run.path.prefix(depth)));
            }
        }
        needed.sort();
        needed.dedup();
        needed
    }

    /// The givers among `views`; what a view names that the plan does not have gives nothing. Of one whose outputs are stored apart
    /// as a whole nothing is known, so what reads it is not told either.
    pub fn of(plan: Arc<Plan>, accepted: Accepted, views: impl IntoIterator<Item = NodeView>) -> Self {
        let mut run = Execution::empty(plan, accepted, Settings::default());
        for view in views {
            let Some(node) = run.plan.find(&view.node_id).filter(|_| outputs_apart(&view).is_none()) else {
                continue;
            };
            let key = RunKey::new(node, view.path.clone());
            let failed = matches!(view.status, NodeStatus::Failed | NodeStatus::TimedOut);
            let mut record = NodeRecord::from(view);
            // A node run that failed gives nothing, unless a default stood in for it.
            record.handled = (failed && record.outputs.is_some()).then_some(Handled::Default);
            run.nodes.insert(key, Box::new(record));
        }
        let openers: Vec<RunKey> = run.nodes.keys().cloned().collect();
        for opener in openers {
            let Action::ForEach(scope) = run.plan.node(opener.node).action else { continue };
            let items = match run.list_of(&opener) {
                Some(Value::Array(items)) => Some(Arc::new(items.clone())),
                _ => None,
            };
            let total = items.as_ref().map_or(0, |items| items.len() as u32);
            run.loops.insert(opener, OpenLoop::new(scope, total, items));
        }
        Self(run)
    }

    /// The loops whose lists are in the blob store: bring them with [`Givers::provide_items`]. Without, what reads an item of
    /// such a list is not told.
    #[must_use]
    pub fn missing_items(&self) -> Vec<MissingItems> {
        let missing = |opener: &RunKey| {
            let list = ValueRef::from_value(self.0.list_of(opener)?)?;
            Some(MissingItems { opener: opener.clone(), list })
        };
        self.0.loops.keys().filter_map(missing).collect()
    }

    /// Hands over the list of a loop that was stored by reference.
    pub fn provide_items(&mut self, opener: &RunKey, items: Vec<Value>) {
        self.0.provide_items(opener, items);
    }

    /// The input ports of a node run; an optional one whose source was skipped is null. None of one that has not begun, and
    /// where what it read is not known.
    #[must_use]
    pub fn inputs(&self, run: &NodeView) -> Option<Map<String, Value>> {
        let node = begun(&self.0.plan, run)?;
        match &node.action {
            Action::Input { port, .. } => {
                let given = self.0.accepted.input.get(node.id.as_str()).cloned().unwrap_or_default();
                Some(Map::from_iter([((*port).to_owned(), given)]))
            }
            // One item's value after the other: the list that it made of them.
            Action::Collect(_) => {
                Some(Map::from_iter([("item".to_owned(), run.outputs.as_ref()?.get("items")?.clone())]))
            }
            _ if !self.knows_all(node, &run.path) => None,
            Action::Return => {
                let ports = self.0.bind_ports(node, &run.path).ok()?;
                let mut inputs = ports.values;
                inputs.extend(ports.skipped.into_iter().map(|port| (port, Value::Null)));
                Some(inputs)
            }
            _ => self.0.bind_inputs(node, &run.path).ok(),
        }
    }

    /// Whether everything is there that the node reads from at `path`.
    fn knows_all(&self, node: &PlanNode, path: &ItemPath) -> bool {
        sources(node).all(|source| {
            let giver = self.0.source(source, path);
            let list_is_there = self.0.loops.get(&giver).is_none_or(|open| open.items.is_some());
            self.0.nodes.contains_key(&giver) && list_is_there
        })
    }
}

/// Where the outputs of a node run are, when they are stored apart as a whole: those of an event that outgrew the bus.
#[must_use]
pub fn outputs_apart(view: &NodeView) -> Option<ValueRef> {
    // A reference has two fields, which are no port's names.
    let outputs = view.outputs.as_ref().filter(|outputs| outputs.len() == 2)?;
    ValueRef::from_value(&Value::Object(outputs.clone()))
}

impl Execution {
    /// The list that a loop walks, as it is stored.
    fn list_of(&self, opener: &RunKey) -> Option<&Value> {
        self.nodes.get(opener)?.outputs.as_ref()?.get("items")
    }
}

/// The nodes that a node's inputs are read from; those of a `collect`, which are its loop's items, are in its own list.
fn sources(node: &PlanNode) -> impl Iterator<Item = NodeIndex> {
    let inputs = if matches!(node.action, Action::Collect(_)) { &[][..] } else { &node.inputs };
    inputs.iter().flat_map(|input| input.value.selectors()).map(|selector| match selector {
        Selector::Port(source, _) | Selector::All(source) => *source,
    })
}

/// The node of a node run that has begun.
fn begun<'a>(plan: &'a Plan, run: &NodeView) -> Option<&'a PlanNode> {
    let node = plan.node(plan.find(&run.node_id)?);
    let has_begun = match run.status {
        NodeStatus::Skipped => false,
        NodeStatus::Pending | NodeStatus::Cancelled => run.attempt > 0 || run.started_at.is_some(),
        _ => true,
    };
    (has_begun && run.path.depth() == plan.scope(node.scope).depth).then_some(node)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Arc<Plan> {
        let definition = json!({"name": "given", "nodes": [
            {"id": "photo", "type": "image_input"},
            {"id": "min", "type": "parameter_input", "config": {"kind": "float", "default": 0.4}},
            {"id": "find", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}},
            {"id": "parts", "type": "crop", "inputs": {"image": "$inputs.photo", "detections": "$nodes.find.detections"}},
            {"id": "each", "type": "for_each", "inputs": {"items": "$nodes.parts.crops"}},
            {"id": "cut", "type": "crop", "inputs": {"image": "$nodes.each.item", "detections": "$nodes.find.detections"}},
            {"id": "all", "type": "collect", "inputs": {"item": "$nodes.cut.crops"}},
            {"id": "answer", "type": "json_output", "inputs": {"found": "$nodes.find.detections", "min": "$inputs.min",
                "both": ["$nodes.find.count", 7]}},
        ]});
        match millrace_compiler::compile(&definition) {
            Ok(plan) => Arc::new(plan),
            Err(faults) => panic!("{faults:#?}"),
        }
    }

    fn accepted() -> Accepted {
        serde_json::from_value(json!({
            "execution_id": "01900000-0000-7000-8000-000000000001", "workflow_id": null, "version": null,
            "definition": millrace_contracts::BlobId::of(b"x"), "input": {"photo": "a picture", "min": 0.7},
            "priority": "normal", "pool": null, "timeout_ms": null, "created_at": 1, "traceparent": null, "epoch": 1,
        }))
        .unwrap()
    }

    fn view(node: &str, path: &str, status: &str, outputs: Value) -> NodeView {
        let mut view = json!({"node_id": node, "path": path, "block": "x@1", "status": status, "attempt": 1});
        view["outputs"] = outputs;
        serde_json::from_value(view).unwrap()
    }

    fn givers(views: &[NodeView]) -> Givers {
        Givers::of(plan(), accepted(), views.to_vec())
    }

    fn inputs(givers: &Givers, run: &NodeView) -> Value {
        givers.inputs(run).map_or(Value::Null, Value::Object)
    }

    #[test]
    fn a_node_run_was_given_what_others_gave() {
        let views = [
            view("photo", "", "completed", json!({"image": "blob"})),
            view("min", "", "completed", json!({"value": 0.7})),
            view("find", "", "completed", json!({"detections": [1, 2], "count": 2})),
        ];
        let givers = givers(&views);
        assert_eq!(inputs(&givers, &views[0]), json!({"image": "a picture"}));
        assert_eq!(inputs(&givers, &views[2]), json!({"image": "blob"}));
        let answer = view("answer", "", "completed", json!({}));
        assert_eq!(inputs(&givers, &answer), json!({"found": [1, 2], "min": 0.7, "both": [2, 7]}));
        let needed = Givers::needed(&plan(), &[answer]);
        assert_eq!(needed, [("find".into(), ItemPath::root()), ("min".into(), ItemPath::root())]);
    }

    #[test]
    fn an_item_is_given_its_own_place_in_the_list() {
        let each = view("each", "", "completed", json!({"items": ["a", "b"], "count": 2}));
        let find = view("find", "", "completed", json!({"detections": [1, 2], "count": 2}));
        let cut = view("cut", "[1]", "running", Value::Null);
        assert_eq!(
            Givers::needed(&plan(), std::slice::from_ref(&cut)),
            [("each".into(), ItemPath::root()), ("find".into(), ItemPath::root())]
        );
        let told = inputs(&givers(&[each, find.clone()]), &cut);
        assert_eq!(told, json!({"image": "b", "detections": [1, 2]}));
        // A long list is brought by whoever can read it.
        let list = ValueRef { blob: millrace_contracts::BlobId::of(b"list"), bytes: 9 }.to_value();
        let mut givers = givers(&[find, view("each", "", "completed", json!({"items": list, "count": 2}))]);
        assert_eq!(givers.inputs(&cut), None);
        let missing = givers.missing_items().pop().unwrap();
        givers.provide_items(&missing.opener, vec![json!("a"), json!("b")]);
        assert_eq!(inputs(&givers, &cut)["image"], "b");
        // A collect has no givers of its own: it made a list of what it was given.
        let all = view("all", "", "completed", json!({"items": ["x", "y"], "count": 2}));
        assert!(Givers::needed(&plan(), std::slice::from_ref(&all)).is_empty());
        assert_eq!(inputs(&givers, &all), json!({"item": ["x", "y"]}));
    }

    #[test]
    fn nothing_is_told_where_the_outputs_read_are_stored_apart() {
        let apart = ValueRef { blob: millrace_contracts::BlobId::of(b"ports"), bytes: 9 };
        let find = view("find", "", "completed", apart.to_value());
        assert_eq!(outputs_apart(&find), Some(apart));
        let min = view("min", "", "completed", json!({"value": 0.7}));
        let answer = view("answer", "", "completed", Value::Null);
        assert_eq!(givers(&[find, min.clone()]).inputs(&answer), None);
        let found = view("find", "", "completed", json!({"detections": [], "count": 0}));
        assert_eq!(outputs_apart(&found), None);
        assert!(givers(&[found, min]).inputs(&answer).is_some());
    }

    #[test]
    fn nothing_is_told_of_what_has_not_begun_or_was_not_kept() {
        let min = view("min", "", "completed", json!({"value": 0.7}));
        let answer = |status: &str| view("answer", "", status, Value::Null);
        assert_eq!(
            givers(std::slice::from_ref(&min)).inputs(&answer("completed")),
            None,
            "`find` is not there"
        );
        let find = view("find", "", "completed", json!({"detections": [], "count": 0}));
        let known = givers(&[find, min.clone()]);
        assert_eq!(known.inputs(&answer("skipped")), None);
        let waiting = NodeView { attempt: 0, ..answer("pending") };
        assert_eq!(known.inputs(&waiting), None);
        assert!(known.inputs(&answer("pending")).is_some(), "it waits for another attempt");
        assert_eq!(known.inputs(&view("cut", "", "running", Value::Null)), None, "it is inside a loop");
        assert_eq!(known.inputs(&view("other", "", "running", Value::Null)), None);
        // What failed gave nothing, but for a default.
        let failed = view("find", "", "failed", Value::Null);
        assert_eq!(inputs(&givers(&[failed, min.clone()]), &answer("completed"))["found"], Value::Null);
        let stood_in = view("find", "", "failed", json!({"detections": [], "count": 0}));
        assert_eq!(inputs(&givers(&[stood_in, min]), &answer("completed"))["found"], json!([]));
    }
}
