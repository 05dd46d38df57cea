//! The reports that people write against the public columns, in plain SQL, and the views that save them the trouble.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use millrace_contracts::{NodeStatus, UnixMillis};
use millrace_store::{ExecutionFilter, OWN_LABEL, Prices, RecordBatch, StatsWindow};
use serde_json::{Map, Value, json};
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

#[tokio::test]
async fn reports_read_as_people_write_them() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut events = Vec::new();
    for number in 0..8 {
        let mut story = Story::new();
        story.execute().started().queued("detect", 1).share(100.0);
        if number == 0 {
            story.failed("detect", 1).ended("failed", &json!(null))
        } else {
            story.detected("detect", 1).ended("completed", &json!({}))
        };
        events.extend(story.events);
    }
    // One that still waits.
    let mut open = Story::new();
    events.extend(open.execute().started().queued("detect", 1).events.clone());
    fixture.record(&events).await?;
    let hourly = sqlx::query(
        "SELECT date_trunc('hour', created_at) AS hour, COUNT(*) AS total,
            COUNT(*) FILTER (WHERE status = 'completed') AS completed,
            ROUND(100.0 * COUNT(*) FILTER (WHERE status = 'completed') / COUNT(*), 1)::float8 AS success_rate
        FROM wf_executions WHERE created_at > NOW() - INTERVAL '24 hours' GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(&fixture.raw)
    .await?;
    let totals: i64 = hourly.iter().map(|row| row.get::<i64, _>("total")).sum();
    let completed: i64 = hourly.iter().map(|row| row.get::<i64, _>("completed")).sum();
    assert_eq!((totals, completed), (9, 7));
    let p95 = sqlx::query(
        "SELECT model_id, task, COUNT(*) AS jobs,
            PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_ms,
            COUNT(*) FILTER (WHERE (metadata->>'cached')::boolean) AS cached
        FROM wf_inference_jobs
        WHERE status = 'completed' AND metadata->>'cached' = 'false'
        GROUP BY model_id, task ORDER BY p95_ms DESC",
    )
    .fetch_one(&fixture.raw)
    .await?;
    assert_eq!((p95.get::<i64, _>("jobs"), p95.get::<i64, _>("cached")), (7, 0));
    assert!(p95.get::<f64, _>("p95_ms") > 0.0);
    let jobs: Vec<(String, i64)> = sqlx::query_as(
        "SELECT status, COUNT(*) FROM wf_inference_jobs WHERE submitted_at > NOW() - INTERVAL '1 hour' GROUP BY status ORDER BY status",
    )
    .fetch_all(&fixture.raw)
    .await?;
    assert_eq!(jobs, [("completed".to_owned(), 7), ("failed".to_owned(), 1), ("queued".to_owned(), 1)]);
    let waiting: (String, String, i64) =
        sqlx::query_as("select pool, model_id, open from wf_queue_now").fetch_one(&fixture.raw).await?;
    assert_eq!(waiting, ("fast".to_owned(), "shapes-detector".to_owned(), 1));
    Ok(())
}

/// Six completed runs of one job that took its worker for 360 ms, one that failed, one that was answered from the cache.
async fn priced(fixture: &Fixture) -> Result<()> {
    let store = fixture.store.clone().with_prices(Prices(BTreeMap::from([("fast".into(), 10.0)])));
    let mut events = Vec::new();
    for number in 0..8 {
        let mut story = Story::new();
        story.execute().started().queued("detect", 1);
        match number {
            0 => story.share(0.0).cached(true).detected("detect", 1).ended("completed", &json!({})),
            1 => story.share(360.0).failed("detect", 1).ended("failed", &json!(null)),
            _ => story.share(360.0).detected("detect", 1).ended("completed", &json!({})),
        };
        events.extend(story.events);
    }
    store.record(&RecordBatch { events }).await?;
    Ok(())
}

#[tokio::test]
async fn a_run_costs_what_its_jobs_took_of_their_workers() -> Result<()> {
    let fixture = Fixture::start().await?;
    priced(&fixture).await?;
    // 10 an hour is 0.001 for 360 ms.
    let costs: Vec<(String, f64)> =
        sqlx::query_as("select status, cost::float8 from wf_executions order by cost, status")
            .fetch_all(&fixture.raw)
            .await?;
    let free = costs.iter().filter(|(_, cost)| *cost == 0.0).count();
    let whole = costs.iter().filter(|(_, cost)| (cost - 0.001).abs() < 1e-9).count();
    assert_eq!((free, whole), (2, 6), "the cached one, and the failed one that reported no share: {costs:?}");
    let (runs, inferences, per_run, per_1000): (i64, i64, f64, f64) = sqlx::query_as(
        "select runs, inferences, cost_per_run::float8, cost_per_1000_inferences::float8 from wf_cost_by_workflow",
    )
    .fetch_one(&fixture.raw)
    .await?;
    assert_eq!((runs, inferences), (8, 8));
    assert!((per_run - 0.006 / 8.0).abs() < 1e-9 && (per_1000 - 0.75).abs() < 1e-9, "{per_run} {per_1000}");
    Ok(())
}

#[tokio::test]
async fn without_a_price_nothing_is_said_of_cost() -> Result<()> {
    let fixture = Fixture::start().await?;
    let story = Story::completed();
    fixture.record(&story.events).await?;
    assert_eq!(fixture.count("select count(*) from wf_executions where cost is null").await?, 1);
    assert_eq!(fixture.count("select count(*) from wf_cost_by_workflow where cost is null").await?, 1);
    Ok(())
}

#[tokio::test]
async fn runs_that_make_thumbnails_are_counted_where_workers_are_and_not_where_runs_are() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (ours, theirs) = (Story::completed(), Story::completed());
    let mut own = ours.run();
    own.labels = Map::from_iter([(OWN_LABEL.0.to_owned(), json!(OWN_LABEL.1))]);
    let mut failed = Story::new();
    failed.execute().started().queued("detect", 1).failed("detect", 1).ended("failed", &json!(null));
    let mut own_failed = failed.run();
    own_failed.labels = own.labels.clone();
    fixture.store.accept(&[own, own_failed, theirs.run()]).await?;
    fixture.record(&[ours.events.clone(), failed.events, theirs.events.clone()].concat()).await?;
    // What was deleted is still known for what it was.
    fixture.store.executions().delete(ours.run).await?;

    let sum = async |column: &str, view: &str| {
        fixture.count(&format!("select sum({column})::bigint from {view}")).await
    };
    for (view, runs) in [("wf_kpi_hourly", 1), ("wf_cost_by_workflow", 1), ("wf_errors_hourly", 0)] {
        assert_eq!(sum("runs", view).await?, runs, "runs in {view}");
    }
    // The jobs of the deleted run are gone with it.
    for (view, jobs) in [("wf_kpi_hourly", 2), ("wf_model_stats", 2), ("wf_errors_hourly", 1)] {
        assert_eq!(sum("jobs", view).await?, jobs, "jobs in {view}");
    }
    let listed = fixture.store.executions().list(&ExecutionFilter::default(), None, 10).await?;
    assert_eq!(listed.iter().map(|run| run.id).collect::<Vec<_>>(), [theirs.run]);
    Ok(())
}

#[tokio::test]
async fn the_figures_of_a_window_are_those_of_the_views() -> Result<()> {
    let fixture = Fixture::start().await?;
    priced(&fixture).await?;
    let now = UnixMillis::now();
    let (since, until) = (UnixMillis(now.0 - 7_200_000), UnixMillis(now.0 + 60_000));
    let window = StatsWindow { since, until, bucket: Duration::from_secs(60) };
    let stats = fixture.store.stats(window).await?;
    assert_eq!((stats.totals.runs, stats.totals.completed, stats.totals.failed), (8, 7, 1));
    assert!((stats.totals.success_rate.unwrap() - 7.0 / 8.0).abs() < 1e-9);
    assert_eq!(stats.series.iter().map(|point| point.runs).sum::<i64>(), 8);
    assert!(stats.series.windows(2).all(|pair| pair[1].at - pair[0].at == 60_000), "no bucket is missing");
    assert!((121..=123).contains(&stats.series.len()), "{}", stats.series.len());
    assert_eq!(stats.errors.len(), 1);
    assert_eq!(
        (stats.errors[0].kind.as_str(), stats.errors[0].runs, stats.errors[0].jobs),
        ("INVALID_INPUT", 1, 1)
    );
    let model = &stats.models[0];
    assert_eq!((model.jobs, model.completed, model.failed, model.cached), (8, 7, 1, 1));
    assert!((model.share_ms - 6.0 * 360.0).abs() < 1e-6);
    let (jobs, cached, hit_rate): (i64, i64, f64) = sqlx::query_as(
        "select sum(jobs)::bigint, sum(cached)::bigint, max(cache_hit_rate) from wf_model_stats",
    )
    .fetch_one(&fixture.raw)
    .await?;
    assert_eq!((jobs, cached), (model.jobs, model.cached));
    assert!((hit_rate - model.cache_hit_rate.unwrap()).abs() < 1e-9);
    let (runs, completed): (i64, i64) =
        sqlx::query_as("select sum(runs)::bigint, sum(completed)::bigint from wf_kpi_hourly where hour > now() - interval '3 hours'")
            .fetch_one(&fixture.raw)
            .await?;
    assert_eq!((runs, completed), (stats.totals.runs, stats.totals.completed));
    Ok(())
}

#[tokio::test]
async fn every_updated_at_has_its_trigger_and_every_constraint_its_name() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bare: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.columns
        where table_schema = 'millrace' and column_name = 'updated_at' and not exists (
            select from pg_trigger where tgrelid = format('%I.%I', table_schema, table_name)::regclass
                and tgname = table_name || '_touch')",
    )
    .fetch_all(&fixture.raw)
    .await?;
    assert!(bare.is_empty(), "updated_at without a trigger: {bare:?}");
    // What Postgres names itself ends in a column and `check` or `key`, or in a number.
    let unnamed: Vec<String> = sqlx::query_scalar(
        "select conname::text from pg_constraint where connamespace = 'millrace'::regnamespace
            and conrelid::regclass::text like '%wf_%' and conname ~ '_(check|key|fkey)[0-9]*$' and contype = 'c'",
    )
    .fetch_all(&fixture.raw)
    .await?;
    assert!(unnamed.is_empty(), "constraints without a name of their own: {unnamed:?}");
    Ok(())
}
