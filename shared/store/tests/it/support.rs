//! A store in a schema of its own, and a way past it to look at the tables.

use anyhow::Result;
use millrace_store::{RecordBatch, Recorded, Store, StoreSettings};
use millrace_testkit::TestPostgres;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};

pub(crate) struct Fixture {
    pub(crate) store: Store,
    /// Past the store.
    pub(crate) raw: PgPool,
    pub(crate) postgres: TestPostgres,
}

impl Fixture {
    pub(crate) async fn start() -> Result<Self> {
        Self::on(TestPostgres::start().await?).await
    }

    pub(crate) async fn on(postgres: TestPostgres) -> Result<Self> {
        let mut settings = StoreSettings::new(postgres.url());
        settings.schema = Some("millrace".to_owned());
        let store = Store::connect(&settings)?;
        store.migrate().await?;
        let options: PgConnectOptions = postgres.url().parse()?;
        let options = options.options([("search_path", "millrace")]);
        let raw = PgPoolOptions::new().max_connections(2).connect_lazy_with(options);
        Ok(Self { store, raw, postgres })
    }

    pub(crate) async fn record(&self, events: &[millrace_contracts::Event]) -> Result<Recorded> {
        Ok(self.store.record(&RecordBatch { events: events.to_vec() }).await?)
    }

    /// One number.
    pub(crate) async fn count(&self, sql: &str) -> Result<i64> {
        Ok(self.raw.fetch_one(AssertSqlSafe(sql)).await?.try_get(0)?)
    }

    pub(crate) async fn execute(&self, sql: &str) -> Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.raw).await?;
        Ok(())
    }

    /// From now on a statement that deletes more rows of `table` ends as one does that runs out of time.
    pub(crate) async fn refuse_deletes_of_more_than(&self, rows: u32, table: &str) -> Result<()> {
        self.execute(&format!(
            "create function {table}_is_slow() returns trigger language plpgsql as $$ begin
                if (select count(*) from gone) > {rows} then
                    raise exception 'canceling statement due to statement timeout' using errcode = '57014';
                end if;
                return null;
            end $$;
            create trigger {table}_is_slow after delete on {table} referencing old table as gone
                for each statement execute function {table}_is_slow()"
        ))
        .await
    }

    /// All rows of the tables that events are folded into, without the clock's columns, as text to compare.
    pub(crate) async fn picture(&self) -> Result<Vec<String>> {
        let tables = [
            ("wf_events", "execution_id, epoch, seq"),
            ("wf_node_runs", "execution_id, node_id, path"),
            ("wf_inference_jobs", "id"),
            ("wf_executions", "id"),
        ];
        let mut rows = Vec::new();
        for (table, order) in tables {
            let sql = format!("select (to_jsonb(t) - 'updated_at')::text from {table} t order by {order}");
            for row in self.raw.fetch_all(AssertSqlSafe(sql)).await? {
                rows.push(format!("{table} {}", row.try_get::<String, _>(0)?));
            }
        }
        Ok(rows)
    }
}
