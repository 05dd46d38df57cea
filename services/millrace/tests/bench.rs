//! `millrace bench` as a user meets it: a private instance on servers of the test's own, a short load, a report, an end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use millrace_testkit::{TestPostgres, TestRedis, eventually, processes_naming, program};
use serde_json::Value;

/// `up` promises to end in ten seconds; a busy machine gets as many more.
const END: Duration = Duration::from_secs(20);
const START: Duration = Duration::from_secs(60);

/// Servers of others: nothing of the load may reach them, nor what is only for them disturb it.
const OTHERS: &str = r#"
[redis]
url = "rediss://127.0.0.1:1/"
ca_file = "/nowhere/ca.pem"
[database]
url = "postgres://127.0.0.1:1/x"
[blobs]
url = "/nowhere/blobs"
[models]
memory_facts = "/nowhere/facts.json"
[telemetry]
otlp_endpoint = "http://127.0.0.1:1/"
"#;

fn bench(arguments: &[&str]) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_millrace"));
    command.current_dir(std::env::temp_dir()).arg("bench").args(arguments);
    command
}

/// The address of the private instance of a bench whose temporary files are in `folder`, once it has one.
fn instance_in(folder: &Path) -> Option<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files = entries.map(|entry| entry.path().join("data/endpoints.json"));
    let found: Value = files.find_map(|file| serde_json::from_slice(&std::fs::read(file).ok()?).ok())?;
    Some(found["api"].as_str()?.to_owned())
}

/// Whether the instance has runs: the bench has seen it get ready, and is at its load.
async fn has_runs(api: &str) -> reqwest::Result<bool> {
    let page: Value = reqwest::get(format!("{api}/api/v1/executions?limit=1")).await?.json().await?;
    Ok(page["executions"].as_array().is_some_and(|runs| !runs.is_empty()))
}

#[tokio::test]
async fn what_a_killed_bench_had_started_ends() -> anyhow::Result<()> {
    // A Postgres that root starts runs as another user, who must get in.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    let folder = tempfile::Builder::new().permissions(open).tempdir()?;
    // Refused only where it is there already.
    drop(rustls::crypto::ring::default_provider().install_default());
    std::fs::write(folder.path().join("millrace.toml"), OTHERS)?;
    let mut command = bench(&["dag", "--seconds", "600"]);
    command.current_dir(folder.path()).env("REDIS_URL", "rediss://127.0.0.1:1/");
    command.env("TMPDIR", folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let loaded = async || match instance_in(folder.path()) {
        Some(api) => has_runs(&api).await.map(|runs| runs.then_some(())),
        None => Ok(None),
    };
    let loaded = eventually(START, "the private instance has work", loaded).await;
    child.kill()?;
    child.wait()?;
    loaded?;
    let rest = async || match processes_naming(folder.path()) {
        none if none.is_empty() => Ok(Some(())),
        some => Err(anyhow::anyhow!("{some:?} are there")),
    };
    eventually(END, "all processes of the bench have ended", rest).await
}

#[tokio::test]
async fn a_short_dag_is_measured_on_a_private_instance() -> anyhow::Result<()> {
    let (redis, postgres) = (TestRedis::start().await?, TestPostgres::start().await?);
    let mut command = bench(&["dag", "--json", "--seconds", "1", "--runs", "40"]);
    command.args(["--redis-url", &redis.url(), "--database-url", &postgres.url()]);
    let done = tokio::task::spawn_blocking(move || command.output()).await??;
    let (report, errors) =
        (String::from_utf8(done.stdout)?, String::from_utf8_lossy(&done.stderr).into_owned());
    assert!(done.status.success(), "{errors}\n{report}");

    let report: Value = serde_json::from_str(&report)?;
    for limit in ["ping", "publish_to_subscriber", "append_to_blocked_reader", "fsynced_commit"] {
        assert!(report["limits"][limit]["p50_ms"].as_f64() > Some(0.0), "{limit}");
    }
    let dag = &report["sections"][0];
    assert_eq!((&dag["scenario"], &dag["faults"]), (&"dag".into(), &0.into()), "{}", dag["notes"]);
    let phases = dag["phases"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(phases.len(), 4);
    for phase in phases {
        assert_eq!(phase["errors"], 0, "{phase}");
        assert!(phase["times"]["count"].as_u64() > Some(0), "{phase}");
        assert!(phase["cpu_ms_each"].as_f64() > Some(0.0), "{phase}");
    }
    Ok(())
}

#[tokio::test]
async fn workers_are_measured_on_a_private_instance() -> anyhow::Result<()> {
    // A Postgres that root starts runs as another user, who must get in.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    let folder = tempfile::Builder::new().permissions(open).tempdir()?;
    let mut command = bench(&["inference", "--json", "--seconds", "1", "--models"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models")).env("TMPDIR", folder.path());
    std::fs::write(folder.path().join("millrace.toml"), OTHERS)?;
    command.current_dir(folder.path());
    let done = tokio::task::spawn_blocking(move || command.output()).await??;
    let (report, errors) =
        (String::from_utf8(done.stdout)?, String::from_utf8_lossy(&done.stderr).into_owned());
    assert!(done.status.success(), "{errors}\n{report}");

    let report: Value = serde_json::from_str(&report)?;
    let inference = &report["sections"][0];
    assert_eq!(
        (&inference["scenario"], &inference["faults"]),
        (&"inference".into(), &0.into()),
        "{inference}"
    );
    let phases = inference["phases"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<_> = phases.iter().filter_map(|phase| phase["name"].as_str()).collect();
    for name in
        ["bare, 2 threads", "worker, 32", "whole, 32", "hot model, loads beside", "two models, room for one"]
    {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
    for phase in phases {
        assert_eq!(phase["errors"], 0, "{phase}");
        assert!(phase["times"]["count"].as_u64() > Some(0), "{phase}");
    }
    let notes = inference["notes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let compared = |note: &Value| note.as_str().is_some_and(|note| note.contains("against the bare loop"));
    assert!(notes.iter().any(compared), "{notes:?}");
    Ok(())
}
