//! The queries that are asked often use the indexes that were made for them, on a filled table.

use anyhow::Result;
use millrace_contracts::UnixMillis;
use sqlx::{AssertSqlSafe, Row};

use crate::story::Story;
use crate::support::Fixture;

async fn fill(fixture: &Fixture) -> Result<()> {
    fixture
        .execute(
            "insert into wf_executions (id, workflow_id, sha256, status, labels, created_at, input_data, schedule_id, accepted)
            select (lpad(to_hex(1700000000000 + n), 12, '0') || '7000800000000000' || lpad(to_hex(n % 65536), 4, '0'))::uuid,
                ('00000000-0000-7000-8000-00000000' || lpad((n % 1000)::text, 4, '0'))::uuid,
                sha256('x'), case when n % 500 = 0 then 'running' when n % 100 = 0 then 'failed' else 'completed' end,
                case when n % 200 = 0 then '{\"team\": \"blue\"}' else '{}' end::jsonb,
                now() - make_interval(secs => 100000 - n), '{}',
                case when n % 4 = 0 then ('00000000-0000-7000-8000-00000000' || lpad((n % 100)::text, 4, '0'))::uuid end,
                case when n % 50 = 0 then jsonb_build_object('rerun_of', jsonb_build_object('execution_id',
                    '00000000-0000-7000-8000-00000000' || lpad((n % 1000)::text, 4, '0'))) else '{}' end
            from generate_series(1, 100000) n;
            insert into wf_node_runs (execution_id, node_id, block, status)
            select id, 'detect', 'detection@1', 'completed' from wf_executions;
            insert into wf_inference_jobs (id, execution_id, node_id, task, model_id, pool, status, submitted_at, duration_ms)
            select gen_random_uuid(), id, 'detect', 'detection@1', 'model-' || (row_number() over () % 40), 'fast',
                case when random() < 0.01 then 'queued' else 'completed' end, created_at, 5
            from wf_executions;
            insert into wf_events (execution_id, epoch, seq, time, type, id, source, data)
            select id, 1, seq, created_at, 'workflow:started', 'x', 'y', '{}'
            from wf_executions, generate_series(1, 2) seq;
            insert into wf_audit (id, at, actor_id, action, target)
            select id, created_at, workflow_id, 'action' || row_number() over () % 2000, 'workflows/' || workflow_id
            from wf_executions limit 20000;
            analyze",
        )
        .await
}

async fn plan(fixture: &Fixture, sql: &str) -> Result<String> {
    let rows = sqlx::query(AssertSqlSafe(format!("explain {sql}"))).fetch_all(&fixture.raw).await?;
    Ok(rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n"))
}

const RUN: &str = "(select id from wf_executions limit 1)";

/// What is asked, and the index that answers.
fn cases() -> Vec<(String, &'static str)> {
    let newest = "accepted is not null and deleted_at is null order by id desc limit 20";
    let of_run = |table: &str| format!("select * from {table} where execution_id = {RUN}");
    let runs = |condition: &str| format!("select * from wf_executions where {condition} and {newest}");
    let jobs = |condition: &str| {
        format!("select * from wf_inference_jobs where {condition} order by submitted_at desc limit 20")
    };
    let changes =
        |condition: &str| format!("select * from wf_audit where {condition} order by id desc limit 20");
    let hourly = |view: &str| format!("select * from {view} where hour >= now() - interval '2 hours'");
    vec![
        (runs("id < 'ffffffff-ffff-ffff-ffff-ffffffffffff'"), "wf_executions_pkey"),
        (runs("status = 'failed'"), "wf_executions_status_idx"),
        (runs("workflow_id = '00000000-0000-7000-8000-000000000007'"), "wf_executions_workflow_idx"),
        (runs("schedule_id = '00000000-0000-7000-8000-000000000008'"), "wf_executions_schedule_idx"),
        (runs("rerun_of = '00000000-0000-7000-8000-000000000050'"), "wf_executions_rerun_of_idx"),
        (runs(r#"labels <> '{}'::jsonb and labels @> '{"team": "blue"}'"#), "wf_executions_labels_idx"),
        (
            "select * from wf_executions where status in ('pending', 'running') and accepted is not null and deleted_at is null
                and id > '00000000-0000-0000-0000-000000000000' and created_at < now() order by id limit 100"
                .to_owned(),
            "wf_executions_unfinished_idx",
        ),
        (of_run("wf_node_runs"), "wf_node_runs_pkey"),
        (
            of_run("wf_events") + " and (epoch, seq) > (1, 1) order by epoch, seq limit 100",
            "wf_events_default_pkey",
        ),
        (of_run("wf_inference_jobs"), "wf_inference_jobs_execution_idx"),
        (jobs("status = 'queued'"), "wf_inference_jobs_status_idx"),
        (jobs("model_id = 'model-7' and task = 'detection@1'"), "wf_inference_jobs_model_idx"),
        // Reports, by the time or by the hour.
        (
            "select status, count(*) from wf_inference_jobs where submitted_at > now() - interval '1 hour' group by status"
                .to_owned(),
            "wf_inference_jobs_submitted_at_idx",
        ),
        (
            "select count(*) filter (where status = 'completed') from wf_executions where created_at > now() - interval '1 hour'"
                .to_owned(),
            "wf_executions_created_at_idx",
        ),
        (hourly("wf_kpi_hourly"), "wf_executions_created_at_idx"),
        (hourly("wf_kpi_hourly"), "wf_inference_jobs_submitted_at_idx"),
        (hourly("wf_model_stats"), "wf_inference_jobs_submitted_at_idx"),
        (hourly("wf_errors_hourly"), "wf_executions_created_at_idx"),
        (hourly("wf_cost_by_workflow"), "wf_executions_created_at_idx"),
        (
            "select * from wf_kpi('1 minute', now() - interval '1 hour', now() - interval '1 hour', now())".to_owned(),
            "wf_inference_jobs_submitted_at_idx",
        ),
        ("select * from wf_queue_now".to_owned(), "wf_inference_jobs_status_idx"),
        (changes("true"), "wf_audit_pkey"),
        (changes("actor_id = '00000000-0000-7000-8000-000000000007'"), "wf_audit_actor_idx"),
        (changes("action = 'action7'"), "wf_audit_action_idx"),
        (changes("target = 'workflows/00000000-0000-7000-8000-000000000007'"), "wf_audit_target_idx"),
    ]
}

#[tokio::test]
async fn frequent_queries_use_their_indexes() -> Result<()> {
    let fixture = Fixture::start().await?;
    fill(&fixture).await?;
    for (sql, index) in cases() {
        // The subselect that finds some run would read the table in any order; its value stands for it.
        let run = sqlx::query(AssertSqlSafe(RUN)).fetch_one(&fixture.raw).await?.get::<uuid::Uuid, _>(0);
        let plan = plan(&fixture, &sql.replace(RUN, &format!("'{run}'"))).await?;
        // There are few saved workflows, and no index on their age.
        let scanned = plan.replace("Seq Scan on wf_workflows", "").contains("Seq Scan");
        assert!(plan.contains(index) && !scanned, "{sql}\n{plan}");
    }
    Ok(())
}

/// With everything that is under way in one index, a batch that reads it costs the more the more waits.
#[tokio::test]
async fn recording_a_batch_reads_nothing_of_what_else_is_under_way() -> Result<()> {
    let fixture = Fixture::start().await?;
    fill(&fixture).await?;
    let mut story = Story::new();
    story.execute().started();
    story.queued("detect", 1);
    fixture.record(&story.events).await?;
    fixture.record(&Story::completed().events).await?;
    // A connection tells what it has read when it is closed.
    fixture.store.close().await;
    let by_status =
        "select coalesce(sum(idx_tup_read), 0)::bigint from pg_stat_user_indexes where indexrelname in
        ('wf_executions_status_idx', 'wf_executions_unfinished_idx', 'wf_inference_jobs_status_idx')";
    assert_eq!(fixture.count(by_status).await?, 0);
    let by_key =
        "select sum(idx_scan)::bigint from pg_stat_user_indexes where indexrelname = 'wf_executions_pkey'";
    assert!(fixture.count(by_key).await? > 0, "nothing was told of what was read");
    Ok(())
}

/// There may be millions of them, of which few are old.
#[tokio::test]
async fn old_definitions_are_found_among_many_young_ones() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture
        .execute(
            "insert into wf_definitions (sha256, definition, used_at)
            select sha256(n::text::bytea), '{}', now() - case when n <= 10 then interval '100 days' else interval '1 hour' end
            from generate_series(1, 20000) n;
            analyze wf_definitions",
        )
        .await?;
    let read = async |of: &str| {
        fixture
            .count(&format!("select {of}::bigint from pg_stat_user_tables where relname = 'wf_definitions'"))
            .await
    };
    let scans = read("seq_scan").await?;
    let cutoff = UnixMillis(UnixMillis::now().0 - 30 * 24 * 3_600_000);
    assert_eq!(fixture.store.expire_definitions(cutoff, 500).await?.deleted, 10);
    // A connection tells what it has read when it is closed.
    fixture.store.close().await;
    let by_age = "select idx_tup_read::bigint from pg_stat_user_indexes where indexrelname = 'wf_definitions_used_at_idx'";
    assert_eq!((read("seq_scan").await?, fixture.count(by_age).await?), (scans, 10));
    Ok(())
}
