//! `millrace run` as those meet it who press Ctrl-C, forget a sign, or work with pipes.

use std::io::Write as _;
use std::process::{Output, Stdio};
use std::time::Duration;

use millrace_testkit::eventually;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::{Api, ENDLESS, GOOD, millrace};

/// Nothing here takes this long unless it never happens.
const DEADLINE: Duration = Duration::from_secs(60);

/// Presses Ctrl-C once the run of a workflow that never ends is followed.
fn interrupted(api: &Api, more: &[&str]) -> anyhow::Result<Output> {
    let dir = tempfile::tempdir()?;
    let flow = dir.path().join("flow.json");
    std::fs::write(&flow, r#"{"name":"endless","nodes":[]}"#)?;
    let mut run = millrace(&["run"]);
    run.arg(&flow).args(["--url", &api.url]).args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = run.spawn()?;
    let pid = Pid::from_raw(i32::try_from(run.id())?);
    let followed = eventually(DEADLINE, "the run is followed", async || {
        let submitted = api.submitted().contains("endless");
        anyhow::Ok((submitted && !api.resumed_after().is_empty()).then_some(()))
    });
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let told = clock.block_on(followed).and_then(|()| Ok(kill(pid, Signal::SIGINT)?));
    if told.is_err() {
        kill(pid, Signal::SIGKILL)?;
    }
    let output = run.wait_with_output()?;
    told.map(|()| output)
}

#[test]
fn ctrl_c_leaves_the_run_and_says_that_it_goes_on() -> anyhow::Result<()> {
    for more in [&[][..], &["--json"]] {
        let api = Api::start();
        let output = interrupted(&api, more)?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("goes on"), "{said}");
        for command in ["executions follow", "executions cancel"] {
            assert!(said.contains(&format!("millrace {command} {ENDLESS} --url {}", api.url)), "{said}");
        }
        let printed = String::from_utf8(output.stdout)?;
        let expected = if more.is_empty() { format!("execution {ENDLESS}\n") } else { String::new() };
        assert_eq!(printed, expected);
    }
    Ok(())
}

#[test]
fn a_forgotten_sign_before_a_file_is_asked_for() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let (flow, photo) = (dir.path().join("flow.json"), dir.path().join("cat.jpg"));
    std::fs::write(&flow, r#"{"name":"refused","nodes":[]}"#).unwrap();
    std::fs::write(&photo, "pixels").unwrap();
    let error = |value: &str| {
        let mut run = millrace(&["run", "--url", &api.url]);
        let output = run.arg(&flow).args(["--input", &format!("photo={value}")]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let path = photo.display().to_string();
    assert!(error(&path).contains(&format!("did you mean photo=@{path}?")), "{}", error(&path));
    assert!(!error("nowhere.jpg").contains("did you mean"), "{}", error("nowhere.jpg"));
}

/// The binary with its standard input from a pipe that holds `text`.
fn fed(arguments: &[&str], text: &str) -> Output {
    let mut command = millrace(arguments);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the binary runs");
    let mut pipe = child.stdin.take().expect("its input is piped");
    pipe.write_all(text.as_bytes()).expect("the text fits into a pipe");
    drop(pipe);
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_workflow_may_come_by_standard_input() {
    let api = Api::start();
    let ran = fed(&["run", "-", "--json", "--url", &api.url], r#"{"name":"piped","nodes":[]}"#);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    assert!(api.submitted().contains(r#""piped""#), "{}", api.submitted());

    let checked = fed(&["validate", "-"], "{\n  \"nodes\": [}\n}\n");
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("<stdin>:2:13: INVALID_JSON"), "{said}");
}

#[test]
fn a_picture_may_come_by_a_pipe() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let flow = dir.path().join("flow.json");
    std::fs::write(&flow, r#"{"name":"x","nodes":[]}"#).unwrap();
    let flow = flow.to_str().unwrap();
    let ran = fed(&["run", flow, "--input", "photo=@/dev/stdin", "--url", &api.url], "pixels by a pipe");
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    assert!(api.submitted().contains("pixels by a pipe"), "{}", api.submitted());
}

#[test]
fn the_api_may_be_named_by_the_environment() {
    let api = Api::start();
    let ask = |url: &str, more: &[&str]| {
        let mut queues = millrace(&["queues", "--json", "--api-key", "mr_good"]);
        queues.args(more).env("MILLRACE_URL", url).output().unwrap()
    };
    let named = ask(&api.url, &[]);
    assert_eq!(named.status.code(), Some(0), "{named:?}");
    assert!(serde_json::from_slice::<Value>(&named.stdout).unwrap()["queues"].is_array());
    let overruled = ask("http://127.0.0.1:1", &["--url", &api.url]);
    assert_eq!(overruled.status.code(), Some(0), "the flag comes first: {overruled:?}");
    let misused = ask("ftp://example.org", &[]);
    assert_eq!(misused.status.code(), Some(2), "{misused:?}");
    assert!(String::from_utf8_lossy(&misused.stderr).contains("MILLRACE_URL"));

    // Set to nothing it is as good as not set: what runs in the data folder is found.
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(".millrace")).unwrap();
    let endpoints = serde_json::json!({"api": api.url, "redis_url": "", "database_url": "", "pid": 1});
    std::fs::write(dir.path().join(".millrace/endpoints.json"), endpoints.to_string()).unwrap();
    let mut found = millrace(&["queues", "--api-key", "mr_good"]);
    let found = found.env("MILLRACE_URL", "").current_dir(dir.path()).output().unwrap();
    assert_eq!(found.status.code(), Some(0), "{found:?}");

    let help = millrace(&["queues", "--help"]).env("MILLRACE_URL", "http://u:hunter2@x").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("MILLRACE_URL") && !help.contains("hunter2"), "{help}");
}

/// The id of a saved workflow.
const SAVED: &str = "01990000-0000-7000-8000-00000000000a";

#[test]
fn a_saved_workflow_is_run_by_its_id_unless_a_file_has_that_name() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let mut run = millrace(&["run", SAVED, "--url", &api.url]);
        run.current_dir(dir.path()).args(more).output().unwrap()
    };
    let ran = run(&["--version", "3", "--input", "min=0.5", "--idempotency-key", "k-1"]);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    let path = format!("/api/v1/workflows/{SAVED}/run");
    assert_eq!(api.addressed(), (format!("{path}?version=3"), "k-1".to_owned()));
    assert!(api.submitted().contains(r#""input":{"min":0.5}"#), "{}", api.submitted());
    assert!(!api.submitted().contains("workflow"), "{}", api.submitted());
    // A folder of that name is no workflow.
    std::fs::create_dir(dir.path().join(SAVED)).unwrap();
    assert_eq!(run(&[]).status.code(), Some(0));
    assert_eq!(api.addressed(), (path, String::new()));

    std::fs::remove_dir(dir.path().join(SAVED)).unwrap();
    std::fs::write(dir.path().join(SAVED), r#"{"name":"of a file","nodes":[]}"#).unwrap();
    let label = ["--label", "team=vision", "--priority", "low", "--timeout", "2m"];
    assert_eq!(run(&label).status.code(), Some(0));
    assert_eq!(api.addressed().0, "/api/v1/executions");
    for part in
        ["of a file", r#""labels":{"team":"vision"}"#, r#""priority":"low""#, r#""timeout_ms":120000"#]
    {
        assert!(api.submitted().contains(part), "{part} is missing from {}", api.submitted());
    }
    let misused = run(&["--version", "3"]);
    let error = String::from_utf8(misused.stderr).unwrap();
    assert!(misused.status.code() == Some(2) && error.contains("is a file"), "{error}");
}

#[test]
fn what_is_neither_a_file_nor_an_id_is_told_with_both() {
    let output = millrace(&["run", "flwo.json"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    for part in ["flwo.json: no such file", "saved workflow", "UUID", "millrace workflows list"] {
        assert!(error.contains(part), "{part} is missing from {error}");
    }
}

#[test]
fn a_detached_run_is_left_at_once_with_the_way_back_to_it() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let flow = dir.path().join("flow.json");
    std::fs::write(&flow, r#"{"name":"endless","nodes":[]}"#).unwrap();
    let run = |more: &[&str]| {
        let mut run = millrace(&["run", "--detach", "--url", &api.url]);
        run.arg(&flow).args(more).output().unwrap()
    };
    let left = run(&[]);
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    assert_eq!(String::from_utf8(left.stdout).unwrap(), format!("execution {ENDLESS}\n"));
    let ways = String::from_utf8(left.stderr).unwrap();
    assert!(ways.contains(&format!("millrace executions follow {ENDLESS} --url {}\n", api.url)), "{ways}");

    let left = run(&["--json"]);
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    let answer: Value = serde_json::from_slice(&left.stdout).unwrap();
    assert_eq!((&answer["execution_id"], &answer["status"]), (&ENDLESS.into(), &"pending".into()));
    assert!(left.stderr.is_empty(), "{left:?}");
    assert_eq!(run(&["--out", "results"]).status.code(), Some(2), "nobody is there to save pictures");
}

#[test]
fn who_uses_a_key_again_is_told_that_no_run_was_started() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let flow = dir.path().join("flow.json");
    std::fs::write(&flow, r#"{"name":"x","nodes":[]}"#).unwrap();
    let run = |more: &[&str]| {
        let mut run = millrace(&["run", "--idempotency-key", "k-1", "--url", &api.url]);
        let output = run.arg(&flow).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (first, said) = run(&["--json"]);
    let replayed = |text: &str| serde_json::from_str::<Value>(text).unwrap()["replayed"].clone();
    assert_eq!((replayed(&first), said.as_str()), (Value::Null, ""), "it started one");
    for more in [&[][..], &["--detach"], &["--json"], &["--json", "--detach"]] {
        let (printed, said) = run(more);
        let told = format!("no run was started: the key had started execution {GOOD} before\n");
        assert!(said.starts_with(&told), "{more:?}: {said}");
        if more.contains(&"--json") {
            assert_eq!(replayed(&printed), true, "{more:?}: {printed}");
        } else {
            assert!(printed.starts_with(&format!("execution {GOOD}\n")), "{more:?}: {printed}");
        }
    }
}

#[test]
fn a_run_may_be_watched_by_whoever_knows_its_id() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    let mut follow = millrace(&["executions", "follow", GOOD, "--url", &api.url, "--out"]);
    let output = follow.arg(&results).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("✓ detect") && text.contains("completed in 42 ms"), "{text}");
    assert_eq!(std::fs::read(results.join("answer.picture.png")).unwrap(), b"pixels");

    let nobody = millrace(&["executions", "follow", GOOD, "--url", "http://127.0.0.1:1"]).output().unwrap();
    let error = String::from_utf8(nobody.stderr).unwrap();
    assert_eq!(nobody.status.code(), Some(1), "{error}");
    assert!(error.contains("127.0.0.1:1") && !error.contains("trying again"), "{error}");
}
