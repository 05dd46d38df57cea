//! Runs of saved workflows from the command line alone: by id and version, with labels and the like, watched or left alone.

use std::process::Output;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::Stack;

/// The binary with `arguments`, for the api of `stack`.
async fn millrace(stack: &Stack, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.args(arguments).args(["--url", &stack.api]).output().await.context("the command line")
}

/// What it answers to programs, which must have gone well.
async fn told(stack: &Stack, arguments: &[&str]) -> anyhow::Result<Value> {
    let output = millrace(stack, &[arguments, &["--json"]].concat()).await?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    anyhow::ensure!(output.status.success(), "{arguments:?}: {errors}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Why it refuses.
async fn refused(stack: &Stack, arguments: &[&str]) -> anyhow::Result<String> {
    let output = millrace(stack, arguments).await?;
    anyhow::ensure!(output.status.code() == Some(1), "{arguments:?}: {output:?}");
    Ok(String::from_utf8(output.stderr)?)
}

/// A workflow of two versions that answers with the number of its version, unless it is given another.
async fn saved(stack: &Stack) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("flow.json");
    let path = file.to_str().context("a folder of text")?;
    let mut id: Option<String> = None;
    for version in [1, 2] {
        let definition = json!({"name": "counts", "nodes": [
            {"id": "n", "type": "parameter_input", "config": {"kind": "integer", "default": version}},
            {"id": "answer", "type": "json_output", "inputs": {"n": "$inputs.n"}},
        ]});
        std::fs::write(&file, definition.to_string())?;
        let over = id.iter().flat_map(|id| ["--over", id.as_str()]);
        let save: Vec<_> = ["workflows", "save", path].into_iter().chain(over).collect();
        id = Some(told(stack, &save).await?["id"].as_str().context("an id")?.to_owned());
    }
    id.context("two were saved")
}

#[tokio::test]
async fn a_saved_workflow_is_run_from_the_command_line() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let id = saved(&stack).await?;
    for (more, n) in [
        (&[][..], 2),
        (&["--version", "1"], 1),
        (&["--version", "1", "--input", "n=7", "--timeout", "1m"], 7),
    ] {
        let ended = told(&stack, &[&["run", &id], more].concat()).await?;
        assert_eq!((&ended["status"], &ended["outputs"]["answer"]["n"]), (&json!("completed"), &json!(n)));
    }
    let why = refused(&stack, &["run", &id, "--version", "9"]).await?;
    assert!(why.contains("no such workflow version"), "{why}");
    let why = refused(&stack, &["run", &id, "--pool", "a b", "--callback-url", "nowhere"]).await?;
    assert!(why.contains("/pool") && why.contains("/callback_url"), "{why}");
    let why = refused(&stack, &["run", &id, "--label", "a:b=c"]).await?;
    assert!(why.contains("a:b"), "{why}");
    Ok(())
}

#[tokio::test]
async fn a_run_that_was_left_alone_is_found_again() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let id = saved(&stack).await?;
    let run = [
        "run",
        &id,
        "--detach",
        "--label",
        "team=vision",
        "--priority",
        "low",
        "--pool",
        "cpu",
        "--idempotency-key",
        "k-1",
    ];
    let accepted = told(&stack, &run).await?;
    assert_eq!((&accepted["workflow_id"], &accepted["version"]), (&json!(id), &json!(2)));
    let execution = accepted["execution_id"].as_str().context("an id")?;
    assert_eq!(told(&stack, &run).await?["execution_id"], execution, "the same key starts no second run");
    let why = refused(&stack, &[&run[..], &["--input", "n=3"]].concat()).await?;
    assert!(why.contains(execution), "the key is that of another request: {why}");

    let ended = told(&stack, &["executions", "follow", execution]).await?;
    assert_eq!((&ended["status"], &ended["outputs"]["answer"]["n"]), (&json!("completed"), &json!(2)));
    let page = told(&stack, &["executions", "show", execution]).await?;
    assert_eq!(
        (&page["labels"], &page["priority"], &page["pool"]),
        (&json!({"team": "vision"}), &json!("low"), &json!("cpu"))
    );
    let shown = String::from_utf8(millrace(&stack, &["executions", "show", execution]).await?.stdout)?;
    assert!(shown.contains("team=vision"), "{shown}");
    let found = |label: &'static str| {
        let list = ["executions", "list", "--label", label];
        let stack = &stack;
        async move { anyhow::Ok(told(stack, &list).await?["executions"].clone()) }
    };
    let [labelled, others] = [found("team=vision").await?, found("team=night").await?];
    let ids: Vec<_> = labelled.as_array().into_iter().flatten().map(|run| &run["execution_id"]).collect();
    assert_eq!((ids, others), (vec![&json!(execution)], json!([])));

    let unknown = "01990000-0000-7000-8000-000000000001";
    let why = refused(&stack, &["executions", "follow", unknown]).await?;
    assert!(why.contains(unknown) && !why.contains("goes on"), "{why}");
    Ok(())
}
