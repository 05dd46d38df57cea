//! Saved workflows, from the command line alone: saved, listed, shown, saved over, deleted.

use std::process::Output;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::Stack;

/// The binary with `arguments`, for the api of `stack`.
async fn millrace(stack: &Stack, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.arg("workflows").args(arguments).args(["--url", &stack.api]);
    command.output().await.context("the command line")
}

/// What it prints, which must have gone well.
async fn said(stack: &Stack, arguments: &[&str]) -> anyhow::Result<String> {
    let output = millrace(stack, arguments).await?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    anyhow::ensure!(output.status.success(), "{arguments:?}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}

async fn told(stack: &Stack, arguments: &[&str]) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&said(stack, arguments).await?)?)
}

#[tokio::test]
async fn a_workflow_is_saved_changed_and_deleted_from_the_command_line() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("flow.json");
    let path = file.to_str().context("a folder of text")?;
    let definition = |default: i64| {
        json!({"name": "counts", "nodes": [
            {"id": "n", "type": "parameter_input", "config": {"kind": "integer", "default": default}},
            {"id": "answer", "type": "json_output", "inputs": {"n": "$inputs.n"}},
        ]})
    };
    std::fs::write(&file, definition(1).to_string())?;
    let saved = told(&stack, &["save", path, "--json"]).await?;
    let id = saved["id"].as_str().context("an id")?.to_owned();
    assert_eq!((&saved["name"], &saved["version"]), (&json!("counts"), &json!(1)));

    std::fs::write(&file, definition(2).to_string())?;
    let listed = said(&stack, &["save", path, "--over", &id, "--name", "totals"]).await?;
    assert!(listed.contains(&id) && listed.contains("totals"), "{listed}");
    let rows = said(&stack, &["list", "--name", "tot"]).await?;
    assert!(rows.contains(&id), "{rows}");
    let none = said(&stack, &["list", "--name", "plates"]).await?;
    assert_eq!(none, "no workflows\n");

    let shown = said(&stack, &["show", &id]).await?;
    assert!(shown.contains("version 2 of 2") && shown.contains("parameter_input"), "{shown}");
    let first = told(&stack, &["show", &id, "--version", "1", "--definition"]).await?;
    let node = &first["nodes"][0];
    let expected = (&json!("parameter_input@1"), &json!(1));
    assert_eq!(
        (&node["type"], &node["config"]["default"]),
        expected,
        "as it was saved, with versions pinned"
    );

    // What is wrong with it is said, and nothing is saved.
    std::fs::write(&file, json!({"name": "x", "nodes": [{"id": "n", "type": "nothing"}]}).to_string())?;
    let refused = millrace(&stack, &["save", path, "--over", &id]).await?;
    let why = String::from_utf8(refused.stderr)?;
    assert!(refused.status.code() == Some(1) && why.contains("nothing"), "{why}");

    assert_eq!(said(&stack, &["delete", &id]).await?, format!("deleted: {id}\n"));
    assert_eq!(millrace(&stack, &["show", &id]).await?.status.code(), Some(1));
    Ok(())
}
