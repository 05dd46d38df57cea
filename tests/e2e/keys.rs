//! The first key of a server that others can reach is made in its database.

use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use millrace_testkit::eventually;
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::Stack;

#[tokio::test]
async fn a_key_that_was_made_in_the_database_opens_the_api_and_closes_it_to_others() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let made = Command::new(env!("CARGO_BIN_EXE_millrace"))
        .args(["keys", "create", "ops", "--scope", "admin", "--direct", "--json"])
        .env("DATABASE_URL", stack.servers.postgres.url())
        .output()?;
    let said = String::from_utf8_lossy(&made.stderr);
    let made: Value = serde_json::from_slice(&made.stdout).with_context(|| said.into_owned())?;
    let key = made["key"].as_str().context("a key")?;
    let keys = stack.client().url("/keys");
    // The api looks for the first key now and then.
    eventually(Duration::from_secs(20), "a closed door", async || {
        let status = reqwest::get(&keys).await?.status();
        anyhow::Ok((status == StatusCode::UNAUTHORIZED).then_some(()))
    })
    .await?;
    let listed = reqwest::Client::new().get(&keys).bearer_auth(key).send().await?;
    let listed: Value = listed.error_for_status()?.json().await?;
    assert_eq!((&listed["keys"][0]["id"], &listed["keys"][0]["name"]), (&made["id"], &"ops".into()));
    Ok(())
}
