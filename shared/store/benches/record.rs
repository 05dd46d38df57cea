//! How fast runs are accepted and events are recorded, with what Postgres gives at best beside it.
//!
//! `cargo bench -p millrace-store` uses a private Postgres without fsync; `DATABASE_URL` names another, whose schema
//! `millrace_bench` is thrown away.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a bench waits for its tasks itself")]

use std::time::{Duration, Instant};

use anyhow::Result;
use millrace_contracts::message::Accepted;
use millrace_contracts::{Event, UnixMillis};
use millrace_store::{AcceptedRun, RecordBatch, Store, StoreSettings};
use millrace_testkit::{TestPostgres, accepted_run, interleaved_events};
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

const RUNS: usize = 2000;
/// Runs that are under way at the same time: their events come interleaved.
const IN_FLIGHT: usize = 50;
/// As many as the writer takes at most: the default of `writer.batch_size`. `millrace bench` counts those of a whole instance, whose
/// batches are as large as its load makes them.
const BATCH: usize = 2000;

#[tokio::main]
async fn main() -> Result<()> {
    let private =
        if std::env::var_os("DATABASE_URL").is_none() { Some(TestPostgres::start().await?) } else { None };
    let url = private.as_ref().map_or_else(|| std::env::var("DATABASE_URL"), |server| Ok(server.url()))?;
    let raw = connect(&url)?;
    sqlx::raw_sql("drop schema if exists millrace_bench cascade").execute(&raw).await?;
    let mut settings = StoreSettings::new(&url);
    settings.schema = Some("millrace_bench".to_owned());
    let store = Store::connect(&settings)?;
    store.migrate().await?;
    store.events().ensure_partitions(UnixMillis::now().to_utc().date_naive(), 2).await?;

    let runs: Vec<Accepted> = (0..RUNS).map(|_| accepted_run()).collect();
    let events: Vec<Event> = runs.chunks(IN_FLIGHT).flat_map(interleaved_events).collect();
    accept(&store, &runs).await?;
    record(&store, &events).await?;
    record_by_two(&store).await?;
    ways(&raw, &events).await?;
    insert(&raw, &events).await?;
    copy(&raw, &events).await?;
    sqlx::raw_sql("drop schema millrace_bench cascade").execute(&raw).await?;
    Ok(())
}

fn connect(url: &str) -> Result<PgPool> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.options([("search_path", "millrace_bench")]);
    Ok(PgPoolOptions::new().max_connections(1).connect_lazy_with(options))
}

async fn accept(store: &Store, runs: &[Accepted]) -> Result<()> {
    let begun = Instant::now();
    for some in runs.chunks(64) {
        let some: Vec<_> = some.iter().cloned().map(AcceptedRun::new).collect();
        store.accept(&some).await?;
    }
    rate("accept, 64 per commit", runs.len(), "runs", begun.elapsed());
    Ok(())
}

async fn record(store: &Store, events: &[Event]) -> Result<()> {
    let batches: Vec<_> = events.chunks(BATCH).map(|some| RecordBatch { events: some.to_vec() }).collect();
    let durable = events.iter().filter(|event| event.seq.is_some()).count();
    let begun = Instant::now();
    let (mut new_events, mut transactions) = (0, 0);
    for batch in &batches {
        let recorded = store.record(batch).await?;
        new_events += recorded.new_events;
        transactions += recorded.transactions;
    }
    let took = begun.elapsed();
    assert_eq!(new_events, durable as u64, "every event is new");
    rate("record, stream entries", events.len(), "entries", took);
    rate("record, durable events (4 tables)", durable, "events", took);
    println!("{:<40} {:>10.0} entries", "per transaction", events.len() as f64 / transactions as f64);
    println!("{:<40} {:>10.0} events", "per transaction, durable", durable as f64 / transactions as f64);
    let begun = Instant::now();
    for batch in &batches {
        store.record(batch).await?;
    }
    rate("record again, all duplicates", events.len(), "entries", begun.elapsed());
    Ok(())
}

/// Two writers, as two replicas would be, with other runs.
async fn record_by_two(store: &Store) -> Result<()> {
    let runs: Vec<Accepted> = (0..RUNS).map(|_| accepted_run()).collect();
    accept(store, &runs).await?;
    let halves: Vec<Vec<RecordBatch>> = runs
        .chunks(RUNS / 2)
        .map(|half| half.chunks(IN_FLIGHT).flat_map(interleaved_events).collect::<Vec<_>>())
        .map(|events| events.chunks(BATCH).map(|some| RecordBatch { events: some.to_vec() }).collect())
        .collect();
    let entries: usize = halves.iter().flatten().map(|batch| batch.events.len()).sum();
    let begun = Instant::now();
    let writers = halves.into_iter().map(|batches| {
        let store = store.clone();
        tokio::spawn(async move {
            for batch in &batches {
                store.record(batch).await?;
            }
            anyhow::Ok(())
        })
    });
    for writer in futures::future::join_all(writers).await {
        writer??;
    }
    rate("record by two writers, stream entries", entries, "entries", begun.elapsed());
    Ok(())
}

/// The two ways to write the log so that repeating changes nothing, on tables like it: arrays into the statement, or a copy into
/// a staging table first.
async fn ways(raw: &PgPool, events: &[Event]) -> Result<()> {
    let tables = "create table by_arrays (like wf_events including all);
        create table by_staging (like wf_events including all);
        create temporary table staged (id uuid, seq bigint, data text) on commit delete rows";
    let mut connection = raw.acquire().await?;
    sqlx::raw_sql(tables).execute(&mut *connection).await?;
    let rows = rows(events);
    let begun = Instant::now();
    for some in rows.chunks(BATCH) {
        let ids: Vec<_> = some.iter().map(|row| row.0).collect();
        let seqs: Vec<_> = some.iter().map(|row| row.1).collect();
        let data: Vec<_> = some.iter().map(|row| row.2.as_str()).collect();
        let insert = "insert into by_arrays (execution_id, epoch, seq, time, type, id, source, data)
            select id, 1, seq, '2026-01-01', 'workflow:node:completed', id || '/1-' || seq, 'bench', data::json
            from unnest($1::uuid[], $2::bigint[], $3::text[]) as r (id, seq, data) on conflict do nothing";
        sqlx::query(insert).bind(ids).bind(seqs).bind(data).execute(&mut *connection).await?;
    }
    rate("the log by arrays (unnest)", rows.len(), "rows", begun.elapsed());
    let begun = Instant::now();
    for some in rows.chunks(BATCH) {
        let mut transaction = connection.begin().await?;
        let mut copy = transaction.copy_in_raw("copy staged from stdin").await?;
        copy.send(lines(some).as_bytes()).await?;
        copy.finish().await?;
        let insert = "insert into by_staging (execution_id, epoch, seq, time, type, id, source, data)
            select id, 1, seq, '2026-01-01', 'workflow:node:completed', id || '/1-' || seq, 'bench', data::json
            from staged on conflict do nothing";
        sqlx::query(insert).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    rate("the log by a staging table (copy)", rows.len(), "rows", begun.elapsed());
    Ok(())
}

/// The best that multi-row inserts of one table without indexes give.
async fn insert(raw: &PgPool, events: &[Event]) -> Result<()> {
    sqlx::raw_sql("create table raw_inserts (id uuid, seq bigint, data text)").execute(raw).await?;
    let rows = rows(events);
    let begun = Instant::now();
    for some in rows.chunks(BATCH) {
        let ids: Vec<_> = some.iter().map(|row| row.0).collect();
        let seqs: Vec<_> = some.iter().map(|row| row.1).collect();
        let data: Vec<_> = some.iter().map(|row| row.2.as_str()).collect();
        sqlx::query("insert into raw_inserts select * from unnest($1::uuid[], $2::bigint[], $3::text[])")
            .bind(ids)
            .bind(seqs)
            .bind(data)
            .execute(raw)
            .await?;
    }
    rate("limit: insert of the log alone", rows.len(), "rows", begun.elapsed());
    Ok(())
}

/// The best that Postgres gives at all.
async fn copy(raw: &PgPool, events: &[Event]) -> Result<()> {
    sqlx::raw_sql("create table raw_copies (id uuid, seq bigint, data text)").execute(raw).await?;
    let rows = rows(events);
    let begun = Instant::now();
    for some in rows.chunks(BATCH) {
        let mut connection = raw.acquire().await?;
        let mut copy = connection.copy_in_raw("copy raw_copies from stdin").await?;
        copy.send(lines(some).as_bytes()).await?;
        copy.finish().await?;
    }
    rate("limit: copy of the log alone", rows.len(), "rows", begun.elapsed());
    Ok(())
}

/// Rows as `copy` reads them.
fn lines(rows: &[(uuid::Uuid, i64, String)]) -> String {
    let line = |(id, seq, data): &(uuid::Uuid, i64, String)| {
        format!("{id}\t{seq}\t{}\n", data.replace('\\', "\\\\"))
    };
    rows.iter().map(line).collect()
}

fn rows(events: &[Event]) -> Vec<(uuid::Uuid, i64, String)> {
    events
        .iter()
        .filter_map(|event| {
            Some((
                event.execution_id?.0,
                i64::try_from(event.seq?).unwrap_or(i64::MAX),
                event.data.to_string(),
            ))
        })
        .collect()
}

fn rate(what: &str, count: usize, unit: &str, took: Duration) {
    println!("{what:<40} {:>10.0} {unit}/s", count as f64 / took.as_secs_f64());
}
