//! The reports that people write against the public columns, in plain SQL.

use anyhow::Result;
use millrace_contracts::NodeStatus;
use serde_json::{Value, json};
use sqlx::Row;

use crate::story::Story;
use crate::support::Fixture;

#[tokio::test]
async fn success_rates_and_percentiles_are_one_statement_each() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut events = Vec::new();
    for number in 0..20 {
        let mut story = Story::completed();
        if number % 4 == 0 {
            story = Story::new();
            story.execute().started().queued("detect", 1).failed("detect", 1);
            story.node("answer", NodeStatus::Cancelled, &Value::Null).ended("failed", &json!(null));
        }
        events.extend(story.events);
    }
    fixture.record(&events).await?;

    let row = sqlx::query(
        "select count(*) as total,
            count(*) filter (where status = 'completed')::float8 / count(*) as success_rate,
            count(*) filter (where status = 'failed' and error_message is not null) as explained,
            percentile_cont(0.95) within group (order by duration_ms) as p95_ms,
            sum(inference_jobs_completed)::int8 as jobs
        from wf_executions where created_at > now() - interval '1 hour'",
    )
    .fetch_one(&fixture.raw)
    .await?;
    assert_eq!(row.get::<i64, _>("total"), 20);
    assert!((row.get::<f64, _>("success_rate") - 0.75).abs() < 1e-9);
    assert_eq!(row.get::<i64, _>("explained"), 5);
    assert!((row.get::<f64, _>("p95_ms") - 42.0).abs() < 1e-9);

    let rows = sqlx::query(
        "select model_id, task, count(*) as jobs, percentile_cont(0.95) within group (order by duration_ms) as p95_ms,
            count(*) filter (where status = 'failed') as failed,
            avg((metadata ->> 'inference_time_ms')::float8) filter (where status = 'completed') as inference_ms,
            count(*) filter (where error_kind = 'INVALID_INPUT') as refused
        from wf_inference_jobs group by model_id, task",
    )
    .fetch_all(&fixture.raw)
    .await?;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<i64, _>("jobs"), 20);
    assert_eq!((rows[0].get::<i64, _>("failed"), rows[0].get::<i64, _>("refused")), (5, 5));
    assert!(rows[0].get::<f64, _>("p95_ms") > 0.0);
    assert!((rows[0].get::<f64, _>("inference_ms") - 12.5).abs() < 1e-9);
    Ok(())
}

#[tokio::test]
async fn updated_at_follows_every_update() -> Result<()> {
    let fixture = Fixture::start().await?;
    let story = Story::completed();
    fixture.store.accept(&[story.run()]).await?;
    fixture.execute("alter table wf_executions disable trigger user").await?;
    fixture.execute("update wf_executions set updated_at = '2000-01-01'").await?;
    fixture.execute("alter table wf_executions enable trigger user").await?;
    fixture.record(&story.events).await?;
    let fresh = "select count(*) from wf_executions where updated_at > now() - interval '1 minute'";
    assert_eq!(fixture.count(fresh).await?, 1);
    Ok(())
}
