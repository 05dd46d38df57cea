//! The workers as the command line lists them.

use std::time::Duration;

use millrace_testkit::eventually;
use tokio::process::Command;

use crate::support::Stack;
use crate::support::stack::Servers;

#[tokio::test]
async fn a_worker_tells_on_which_port_it_answers_for_its_health() -> anyhow::Result<()> {
    let picked = [("MILLRACE__WORKER__HEALTH_LISTEN", "127.0.0.1:0")];
    let stack = Stack::with(Servers::start().await?, &picked)?;
    let client = stack.client();
    let address = eventually(Duration::from_secs(30), "the worker is listed", async || {
        let listed = client.get_json("/workers").await?;
        anyhow::Ok(listed["workers"][0]["health_listen"].as_str().map(ToOwned::to_owned))
    })
    .await?;
    let answer = reqwest::get(format!("http://{address}/healthz")).await?;
    assert!(answer.status().is_success(), "{answer:?}");

    let mut list = Command::new(env!("CARGO_BIN_EXE_millrace"));
    let table = list.args(["workers", "list", "--url", &stack.api]).output().await?;
    let table = String::from_utf8(table.stdout)?;
    assert!(table.contains("HEALTH") && table.contains(&address), "{table}");
    Ok(())
}
