//! `millrace doctor` against servers that lack something.

use millrace_store::{Store, StoreSettings};
use millrace_testkit::{TestPostgres, TestRedis};
use serde_json::Value;

use crate::support::millrace;

/// What it says of these servers: by check, whether it is well, and its words.
fn ask(redis: &TestRedis, postgres: &TestPostgres) -> impl Fn(&str) -> (bool, String) {
    let mut command = millrace(&["doctor", "--json"]);
    command.env("REDIS_URL", redis.url()).env("DATABASE_URL", postgres.url());
    let said: Value = serde_json::from_slice(&command.output().expect("it runs").stdout).expect("JSON");
    move |check| {
        let checks = said["checks"].as_array().expect("a list");
        let found = checks.iter().find(|found| found["check"] == check).expect("the check is made");
        let words = ["found", "fault", "remedy"].map(|field| found[field].as_str().unwrap_or_default());
        (found["ok"] == true, words.join(" "))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_of_tables_writes_vectors_and_clocks() -> anyhow::Result<()> {
    let (redis, postgres) = (TestRedis::start().await?, TestPostgres::start().await?);
    let said = ask(&redis, &postgres);
    let (well, words) = said("tables");
    assert!(!well && words.contains("not applied") && words.contains("millrace migrate"), "{words}");
    assert!(said("postgres").0 && said("redis").0);
    let (well, words) = said("vectors");
    assert!(well && words.contains("pgvector") && !words.contains("where the server has"), "{words}");
    let (well, words) = said("clock");
    assert!(well && words.contains("as at redis and postgres"), "{words}");

    Store::connect(&StoreSettings::new(postgres.url()))?.migrate().await?;
    let (well, words) = ask(&redis, &postgres)("tables");
    assert!(well, "{words}");
    let raw = sqlx::PgPool::connect(&postgres.url()).await?;
    let database: String = sqlx::query_scalar("select current_database()").fetch_one(&raw).await?;
    let told = format!("alter database {database} set default_transaction_read_only = on");
    sqlx::raw_sql(sqlx::AssertSqlSafe(told)).execute(&raw).await?;
    let (well, words) = ask(&redis, &postgres)("postgres");
    assert!(!well && words.contains("takes no writes"), "{words}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_is_not_told_to_start_a_server() -> anyhow::Result<()> {
    let (redis, postgres) = (TestRedis::start().await?, TestPostgres::start().await?);
    let host = |url: &str| url.split_once('@').map(|(_, host)| host.to_owned());
    let (bus, record) = (host(&redis.url()).expect("a password"), host(&postgres.url()).expect("a password"));
    let mut command = millrace(&["doctor", "--json"]);
    command.env("REDIS_URL", format!("redis://:wrong@{bus}"));
    command.env("DATABASE_URL", format!("postgres://millrace:wrong@{record}"));
    let said: Value = serde_json::from_slice(&command.output()?.stdout)?;
    for (check, variable) in [(&said["checks"][0], "REDIS_URL"), (&said["checks"][1], "DATABASE_URL")] {
        let words = format!("{check}");
        assert!(
            check["ok"] == false && words.contains("user and password") && words.contains(variable),
            "{words}"
        );
        assert!(!words.contains("\"start ") && !words.contains("migrations"), "{words}");
    }
    Ok(())
}

#[test]
fn a_postgres_that_is_not_there_is_told_with_its_cause_and_nothing_else_is_claimed_of_it() {
    let mut command = millrace(&["doctor", "--json"]);
    let output = command.env("DATABASE_URL", "postgres://127.0.0.1:1/x").output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = said["checks"].as_array().unwrap();
    let found = |name: &str| checks.iter().find(|check| check["check"] == name);
    let fault = found("postgres").unwrap()["fault"].as_str().unwrap();
    assert!(fault.contains("Connection refused"), "{fault}");
    assert_eq!((found("tables"), found("vectors")), (None, None), "{said}");
}

#[test]
fn the_doctor_leaves_nothing_behind() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let output = millrace(&["doctor"]).current_dir(dir.path()).output()?;
    let text = String::from_utf8(output.stdout)?;
    assert!(text.contains("blob store"), "{text}");
    assert_eq!(std::fs::read_dir(dir.path())?.count(), 0);
    Ok(())
}
