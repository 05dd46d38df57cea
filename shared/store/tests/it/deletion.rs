use anyhow::Result;
use millrace_store::StoreError;

use crate::story::Story;
use crate::support::Fixture;

#[tokio::test]
async fn a_deleted_run_leaves_a_tombstone_and_nothing_else() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (gone, kept) = (Story::completed(), Story::completed());
    fixture.store.accept(&[gone.run(), kept.run()]).await?;
    let executions = fixture.store.executions();
    assert!(matches!(executions.delete(gone.run).await, Err(StoreError::NotEnded)));
    let events: Vec<_> = gone.events.iter().chain(&kept.events).cloned().collect();
    fixture.record(&events).await?;

    executions.delete(gone.run).await?;
    assert!(matches!(executions.get(gone.run).await, Err(StoreError::Gone("execution"))));
    assert!(matches!(executions.delete(gone.run).await, Err(StoreError::Gone("execution"))));
    assert!(matches!(executions.delete(Story::new().run).await, Err(StoreError::NotFound("execution"))));
    for table in ["wf_events", "wf_node_runs", "wf_inference_jobs"] {
        let left = format!("select count(*) from {table} where execution_id = '{}'", gone.run);
        assert_eq!(fixture.count(&left).await?, 0, "{table}");
    }
    let listed = executions.list(&millrace_store::ExecutionFilter::default(), None, 10).await?;
    assert_eq!(listed.iter().map(|run| run.id).collect::<Vec<_>>(), [kept.run]);

    // A late copy of its events does not bring it back.
    fixture.record(&gone.events).await?;
    assert!(matches!(executions.get(gone.run).await, Err(StoreError::Gone("execution"))));
    Ok(())
}
