//! Aggregation within a run, and across runs through Redis.

use millrace_contracts::{ErrorKind, ExecutionId, ItemPath, Job, JobId, WorkflowId};
use serde_json::{Value, json};

use crate::desk::Desk;

fn job(workflow: Option<WorkflowId>, inputs: Value, config: Value) -> Job {
    Job { workflow_id: workflow, ..Desk::job("aggregation@1", inputs, config) }
}

#[tokio::test]
async fn a_list_becomes_numbers() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let config = json!({"functions": ["count", "mean"]});
    let done = desk.run(job(None, json!({"items": [1, 2, 6]}), config.clone())).await.unwrap();
    assert_eq!(done.outputs["result"], json!({"count": 3, "mean": 3.0}));
    let named = json!({"functions": ["sum"], "field": "people"});
    let done = desk.run(job(None, json!({"people": 4, "cars": 1}), named)).await.unwrap();
    assert_eq!(done.outputs["result"], json!({"sum": 4}));
    let refused = desk.run(job(None, json!({"items": 3}), config)).await.unwrap_err();
    assert_eq!((refused.kind, refused.pointer.as_deref()), (ErrorKind::InvalidInput, Some("/inputs/items")));
    worker.stop().await;
}

#[tokio::test]
async fn a_window_over_runs_counts_each_run_once_over_all_workers() {
    let mut desk = Desk::open().await;
    let workers = [desk.worker().await, desk.worker().await];
    let workflow = Some(WorkflowId::generate());
    let config = json!({"functions": ["count", "sum"], "interval": {"runs": 4}});
    let one = |n: u64| job(workflow, json!({"items": [n]}), config.clone());
    let first = one(1);
    assert_eq!(desk.run(first.clone()).await.unwrap().outputs["result"], Value::Null);
    // The same node run once more: another attempt, as after a worker that died before it reported.
    let again =
        Job { attempt: 2, id: JobId::of(first.execution_id, &first.node_id, &ItemPath::root(), 2), ..first };
    assert_eq!(desk.run(again).await.unwrap().outputs["result"], Value::Null);
    let mut results = Vec::new();
    for n in 2..=9 {
        results.push(desk.run(one(n)).await.unwrap().outputs["result"].clone());
    }
    let full: Vec<&Value> = results.iter().filter(|result| !result.is_null()).collect();
    assert_eq!(full, [&json!({"count": 4, "sum": 10}), &json!({"count": 4, "sum": 26})]);
    // Items of one loop are contributions of their own.
    let run = ExecutionId::generate();
    let config = json!({"interval": {"runs": 2}, "window": "items"});
    for (item, expected) in [(0, Value::Null), (1, json!({"count": 4}))] {
        let path = ItemPath::root().child(item);
        let at = job(None, json!({"items": [1, 2]}), config.clone());
        let id = JobId::of(run, &at.node_id, &path, 1);
        let done = desk.run(Job { execution_id: run, path, id, ..at }).await.unwrap();
        assert_eq!(done.outputs["result"], expected);
    }
    let nameless =
        desk.run(job(None, json!({"items": []}), json!({"interval": {"runs": 2}}))).await.unwrap_err();
    assert_eq!(
        (nameless.kind, nameless.pointer.as_deref()),
        (ErrorKind::InvalidConfig, Some("/config/window"))
    );
    for worker in workers {
        worker.stop().await;
    }
}
