//! However the stream is cut, repeated and reordered, the tables end up the same.

use anyhow::Result;
use millrace_contracts::{Event, NodeStatus};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::story::Story;
use crate::support::Fixture;

const CASES: usize = 32;

fn stories() -> Vec<Story> {
    let mut failed = Story::new();
    failed
        .execute()
        .started()
        .queued("detect", 1)
        .retrying("detect", 1)
        .queued("detect", 2)
        .failed("detect", 2);
    failed.node("answer", NodeStatus::Cancelled, &Value::Null).ended("failed", &Value::Null);
    let mut running = Story::new();
    running.execute().started().queued("detect", 1).node(
        "photo",
        NodeStatus::Completed,
        &json!({"image": "x"}),
    );
    vec![Story::completed(), failed, running]
}

#[tokio::test]
async fn any_order_any_batching_any_repetition_gives_the_same_tables() -> Result<()> {
    let fixture = Fixture::start().await?;
    let stories = stories();
    let events: Vec<Event> = stories.iter().flat_map(|story| story.events.clone()).collect();
    let accepted: Vec<_> = stories.iter().map(Story::run).collect();
    fixture.store.accept(&accepted).await?;
    fixture.record(&events).await?;
    let wanted = fixture.picture().await?;

    let repeated: Vec<usize> = (0..events.len()).chain(0..events.len() / 2).collect();
    let cuts = proptest::collection::vec(1_usize..9, repeated.len());
    let strategy = (proptest::strategy::Just(repeated).prop_shuffle(), cuts);
    let mut runner = TestRunner::new(Config::default());
    for case in 0..CASES {
        let (order, cuts) = strategy.new_tree(&mut runner).map_err(anyhow::Error::msg)?.current();
        fixture
            .execute("truncate wf_executions, wf_node_runs, wf_inference_jobs, wf_events, wf_dead_letters")
            .await?;
        let mut rest: Vec<Event> = order.iter().map(|index| events[*index].clone()).collect();
        // The api's commit comes first, in the middle, last, or not at all.
        for (position, cut) in cuts.into_iter().enumerate() {
            if position == case % 4 * 3 {
                fixture.store.accept(&accepted).await?;
            }
            let batch: Vec<Event> = rest.drain(..cut.min(rest.len())).collect();
            fixture.record(&batch).await?;
        }
        let found = fixture.picture().await?;
        for (found, wanted) in found.iter().zip(&wanted) {
            assert_eq!(found, wanted, "case {case}, in the order {order:?}");
        }
        assert_eq!(found.len(), wanted.len());
    }
    Ok(())
}
