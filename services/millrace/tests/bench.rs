//! `millrace bench` as a user meets it: a private instance on servers of the test's own, a short load, a report, an end.

use std::process::Command;

use millrace_testkit::{TestPostgres, TestRedis};
use serde_json::Value;

#[tokio::test]
async fn a_short_dag_is_measured_on_a_private_instance() -> anyhow::Result<()> {
    let (redis, postgres) = (TestRedis::start().await?, TestPostgres::start().await?);
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    let keep = ["PATH", "HOME", "TMPDIR"].map(|name| (name, std::env::var_os(name).unwrap_or_default()));
    command.env_clear().envs(keep).current_dir(std::env::temp_dir());
    command.args(["bench", "dag", "--json", "--seconds", "1", "--runs", "40"]);
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
