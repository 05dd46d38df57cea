//! The record: accepted runs and what the writer stored of their events. It survives everything.

use std::collections::{BTreeMap, HashMap};

use millrace_contracts::message::Accepted;
use millrace_contracts::run::NodeView;
use millrace_contracts::{Event, EventType, ExecutionId, ItemPath, NodeId};
use millrace_engine::NodeRecord;

/// One run's rows.
pub(crate) struct Row {
    pub(crate) accepted: Accepted,
    /// The epoch it was last begun again with, written down before it was.
    pub(crate) restarted: u32,
    /// The terminal event that was recorded first.
    pub(crate) end: Option<Event>,
    pub(crate) events: BTreeMap<(u32, u64), Event>,
    pub(crate) completed: HashMap<(NodeId, ItemPath), NodeView>,
}

#[derive(Default)]
pub(crate) struct Record {
    pub(crate) rows: HashMap<ExecutionId, Row>,
}

impl Record {
    pub(crate) fn accept(&mut self, accepted: Accepted) {
        let row =
            Row { accepted, restarted: 0, end: None, events: BTreeMap::new(), completed: HashMap::new() };
        self.rows.insert(row.accepted.execution_id, row);
    }

    /// Stores an event; the same one again changes nothing.
    pub(crate) fn write(&mut self, event: Event) {
        let row = self.rows.get_mut(&event.execution_id.unwrap()).expect("only accepted runs have events");
        let position = (event.epoch.unwrap(), event.seq.unwrap());
        if row.events.contains_key(&position) {
            return;
        }
        if event.kind == EventType::NodeCompleted {
            let view: NodeView =
                serde_json::from_value(event.data.clone()).expect("the data is the node's view");
            row.completed.entry((view.node_id.clone(), view.path.clone())).or_insert(view);
        }
        if event.kind.ends_run() {
            assert!(row.end.is_none(), "a run that was recorded as ended ends again: {event:?}");
            row.end = Some(event.clone());
        }
        row.events.insert(position, event);
    }

    /// Completed node runs, for a run that is started again.
    pub(crate) fn history(&self, run: ExecutionId) -> Vec<NodeRecord> {
        self.rows[&run].completed.values().cloned().map(NodeRecord::from).collect()
    }

    /// Notes the epoch that a run is about to be begun again with.
    pub(crate) fn claim_epoch(&mut self, run: ExecutionId, epoch: u32) {
        let row = self.rows.get_mut(&run).expect("only accepted runs are begun again");
        assert!(epoch > row.restarted, "epoch {epoch} is used twice");
        row.restarted = epoch;
    }

    /// Runs that have not ended, ready to be started again.
    pub(crate) fn unfinished(&self) -> Vec<Accepted> {
        let open = self.rows.values().filter(|row| row.end.is_none());
        let mut restarts: Vec<Accepted> = open
            .map(|row| {
                let last = row.events.last_key_value().map_or(1, |(&(epoch, _), _)| epoch);
                let started = row.events.values().find(|event| event.kind == EventType::WorkflowStarted);
                let started_at = started.map(|event| event.time);
                Accepted { epoch: last.max(row.restarted) + 1, started_at, ..row.accepted.clone() }
            })
            .collect();
        restarts.sort_by_key(|accepted| accepted.execution_id);
        restarts
    }
}
