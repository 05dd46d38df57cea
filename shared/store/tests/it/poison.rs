use anyhow::Result;
use millrace_contracts::EventType;
use millrace_contracts::event::LogPosition;
use serde_json::json;

use crate::story::Story;
use crate::support::Fixture;

const START: LogPosition = LogPosition { epoch: 1, seq: 0 };

#[tokio::test]
async fn rows_that_postgres_refuses_are_isolated_and_the_rest_is_recorded() -> Result<()> {
    let fixture = Fixture::start().await?;
    // Stands for whatever Postgres may not like: the log refuses one node, the node runs another.
    fixture
        .execute(
            "alter table wf_events add constraint no_poison check (node_id is distinct from 'poison');
            alter table wf_node_runs add constraint no_venom check (node_id <> 'venom')",
        )
        .await?;
    let mut stories: Vec<Story> = (0..30).map(|_| Story::completed()).collect();
    stories[7].node("poison", millrace_contracts::NodeStatus::Completed, &json!({}));
    stories[19].node("venom", millrace_contracts::NodeStatus::Completed, &json!({}));
    let events: Vec<_> = stories.iter().flat_map(|story| story.events.clone()).collect();
    let recorded = fixture.record(&events).await?;
    assert_eq!(recorded.dead_letters, 2);
    // 30 runs of five events, and the one that only the node runs refused.
    assert_eq!(recorded.new_events, 151);
    assert!(recorded.transactions < 40, "halving, not one by one: {recorded:?}");

    let letters = fixture.store.dead_letters().list(10).await?;
    let mut reasons: Vec<_> = letters.iter().map(|letter| letter.reason.clone()).collect();
    reasons.sort();
    assert!(reasons[0].contains("no_poison") && reasons[1].contains("no_venom"), "{reasons:?}");
    assert!(letters.iter().all(|letter| letter.reason.contains("23514")));
    assert_eq!(fixture.count("select count(*) from wf_executions where status = 'completed'").await?, 30);

    // Delivered again, it is the same letter.
    fixture.record(&events).await?;
    assert_eq!(fixture.count("select count(*) from wf_dead_letters").await?, 2);
    Ok(())
}

#[tokio::test]
async fn an_event_with_unreadable_data_stands_in_the_log_and_in_the_dead_letters() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut story = Story::completed();
    story.durable(EventType::NodeCompleted, json!({"node_id": 7}));
    let recorded = fixture.record(&story.events).await?;
    assert_eq!((recorded.transactions, recorded.dead_letters), (1, 1));
    let log = fixture.store.events().after(story.run, START, 100).await?;
    assert_eq!(log.len(), 6, "replay has no gap");
    let letters = fixture.store.dead_letters().list(10).await?;
    assert!(letters[0].reason.contains("cannot be read"), "{}", letters[0].reason);
    assert_eq!(letters[0].execution_id, Some(story.run));
    Ok(())
}

#[tokio::test]
async fn a_schema_that_is_not_there_is_no_poison() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.execute("alter table wf_node_runs rename to away").await?;
    let story = Story::completed();
    assert!(fixture.record(&story.events).await.is_err());
    fixture.execute("alter table away rename to wf_node_runs").await?;
    assert_eq!(fixture.count("select count(*) from wf_dead_letters").await?, 0);
    assert_eq!(fixture.record(&story.events).await?.new_events, 5);
    Ok(())
}
