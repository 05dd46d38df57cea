//! The command line as its users meet it: help, exit codes, output for people and for programs.

#[path = "cli/answers.rs"]
mod answers;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/schedules.rs"]
mod schedules;
#[path = "cli/support.rs"]
mod support;
#[path = "cli/tail.rs"]
mod tail;

use std::process::{Command, Stdio};

use support::{Api, millrace};

const COMMANDS: &[&[&str]] = &[
    &["up"],
    &["api"],
    &["orchestrator"],
    &["worker"],
    &["writer"],
    &["migrate"],
    &["run"],
    &["validate"],
    &["tail"],
    &["executions"],
    &["executions", "list"],
    &["executions", "show"],
    &["executions", "follow"],
    &["executions", "cancel"],
    &["executions", "rerun"],
    &["executions", "delete"],
    &["keys"],
    &["keys", "create"],
    &["keys", "list"],
    &["keys", "revoke"],
    &["completions"],
    &["man"],
    &["workers"],
    &["workers", "list"],
    &["workers", "drain"],
    &["schedules"],
    &["schedules", "list"],
    &["schedules", "create"],
    &["schedules", "delete"],
    &["schedules", "enable"],
    &["schedules", "disable"],
    &["workflows"],
    &["workflows", "list"],
    &["workflows", "show"],
    &["workflows", "save"],
    &["workflows", "delete"],
    &["queues"],
    &["stats"],
    &["bench"],
    &["audit"],
    &["models"],
    &["models", "list"],
    &["models", "add"],
    &["models", "preload"],
    &["models", "delete"],
    &["doctor"],
    &["config"],
];

#[test]
fn every_command_has_help_with_an_example() {
    for command in COMMANDS {
        let help = millrace(command).arg("--help").output().unwrap();
        let text = String::from_utf8(help.stdout).unwrap();
        assert_eq!(help.status.code(), Some(0), "{command:?}");
        assert!(text.contains("Example") && text.contains("Usage: millrace"), "{command:?}: {text}");
        assert!(!text.contains('\x1b'), "colours although it is no terminal: {command:?}");
    }
}

#[test]
fn the_help_of_a_role_speaks_of_that_role() {
    for (role, other) in [("orchestrator", "millrace writer"), ("writer", "millrace orchestrator")] {
        let help = String::from_utf8(millrace(&[role, "--help"]).output().unwrap().stdout).unwrap();
        let example = format!("REDIS_URL=redis://… millrace {role}\n");
        assert!(help.contains(&example) && !help.contains(other), "{help}");
    }
}

#[test]
fn what_is_no_id_is_told_with_what_was_given() {
    for (command, what) in [("executions", "show"), ("keys", "revoke"), ("schedules", "delete")] {
        let output = millrace(&[command, what, "nope"]).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(r#""nope" is not a valid"#), "{error}");
    }
}

#[test]
fn misuse_exits_with_2_and_says_so_on_standard_error() {
    for arguments in [
        &["frobnicate"][..],
        &["run"],
        &["run", "/nonexistent/flow.json"],
        &["run", "Cargo.toml"],
        &["run", "flow.json", "--input", "photo"],
        &["run", "flow.json", "--label", "team"],
        &["run", "flow.json", "--priority", "urgent"],
        &["run", "flow.json", "--timeout", "soon"],
        &["run", "flow.json", "--version", "0"],
        &["run", "flow.json", "--input", "photo=@/nonexistent.jpg"],
        &["executions", "show", "not-an-id"],
        &["executions", "list", "--status", "sideways"],
        &["queues", "--url", "ftp://example.org"],
        &["config", "--config", "/nonexistent.toml"],
    ] {
        let output = millrace(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(!error.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn workers_that_cannot_all_listen_are_refused_at_once() {
    let mut command = millrace(&["up", "--workers", "2"]);
    let output = command.env("MILLRACE__WORKER__HEALTH_LISTEN", "127.0.0.1:9090").output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("worker.health_listen") && error.contains("2 workers"), "{error}");
}

#[test]
fn shells_and_man_are_told_of_every_command() {
    let output = |arguments: &[&str]| {
        let output = millrace(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for shell in ["bash", "zsh", "fish"] {
        let script = output(&["completions", shell]);
        assert!(
            ["executions", "keys", "revoke"].iter().all(|name| script.contains(name)),
            "{shell}: {script}"
        );
    }
    assert!(output(&["man"]).contains(".TH millrace 1"));
    assert!(output(&["man", "keys", "create"]).contains("scope"));
    assert_eq!(millrace(&["man", "nothing"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn an_api_key_is_shown_from_flag_or_environment_and_asked_for_by_name() {
    let api = Api::start();
    let refused = millrace(&["queues", "--url", &api.url]).output().unwrap();
    let error = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains("--api-key") && error.contains("MILLRACE_API_KEY"), "{error}");
    let by_flag = millrace(&["queues", "--url", &api.url, "--api-key", "mr_good"]).output().unwrap();
    assert_eq!(by_flag.status.code(), Some(0), "{by_flag:?}");
    let by_environment =
        millrace(&["queues", "--url", &api.url]).env("MILLRACE_API_KEY", "mr_good").output().unwrap();
    assert_eq!(by_environment.status.code(), Some(0), "{by_environment:?}");
    let help = String::from_utf8(
        millrace(&["queues", "--help"]).env("MILLRACE_API_KEY", "mr_good").output().unwrap().stdout,
    )
    .unwrap();
    assert!(!help.contains("mr_good"), "{help}");
}

#[test]
fn an_api_that_is_not_there_exits_with_1_and_says_what_to_do() {
    let output = millrace(&["queues", "--url", "http://127.0.0.1:1"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("millrace up") && error.contains("127.0.0.1:1"), "{error}");
}

#[test]
fn the_configuration_is_shown_with_its_origins_and_without_its_secrets() {
    let output = millrace(&["config"])
        .env("DATABASE_URL", "postgres://u:hunter2@db/x")
        .env("MILLRACE__WORKER__CONCURRENCY", "7")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("concurrency = 7  # environment MILLRACE__WORKER__CONCURRENCY"), "{text}");
    assert!(text.contains("postgres://u:***@db/x") && !text.contains("hunter2"), "{text}");

    let output = millrace(&["config", "--json"]).env("REDIS_URL", "redis://:hunter2@r/").output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["settings"]["redis.url"]["origin"], "environment REDIS_URL");
    assert_eq!(json["settings"]["redis.url"]["value"], "redis://:***@r/");
}

#[test]
fn all_faults_of_the_configuration_are_told_at_once() {
    let output = millrace(&["config"])
        .env("MILLRACE__WORKER__CONCURENCY", "7")
        .env("MILLRACE__API__LISTEN", "nowhere")
        .env("RUST_LOG", "bogus==")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "zz")
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    for key in ["worker.concurency", "api.listen", "telemetry.log", "telemetry.otlp_endpoint"] {
        assert_eq!(error.matches(key).count(), 1, "{key}: {error}");
    }
}

#[test]
fn a_fault_is_told_once_and_names_what_was_asked() {
    let error = |mut command: Command| String::from_utf8(command.output().unwrap().stderr).unwrap();
    let unread = error(millrace(&["config", "--config", "/nonexistent.toml"]));
    assert_eq!(unread.matches("No such file").count(), 1, "{unread}");
    let mut migrate = millrace(&["migrate"]);
    migrate.env("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/x");
    migrate.env("MILLRACE__DATABASE__ACQUIRE_TIMEOUT", "200ms");
    let away = error(migrate);
    assert!(away.contains("postgres://u:***@127.0.0.1:1/x") && !away.contains("hunter2"), "{away}");
    let mut writer = millrace(&["writer"]);
    writer.env("REDIS_URL", "redis://127.0.0.1:1/");
    let refused = error(writer);
    assert_eq!(refused.matches("Connection refused").count(), 1, "{refused}");
}

#[test]
fn a_text_that_is_not_json_is_told_with_the_place_where_it_breaks() {
    let dir = tempfile::tempdir().unwrap();
    let flow = dir.path().join("flow.json");
    std::fs::write(&flow, "{\n  \"name\": \"x\",\n  \"nodes\": [}\n}\n").unwrap();
    let text = |more: &[&str]| {
        let output = millrace(&["validate"]).arg(&flow).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(text(&[]).contains("flow.json:3:13: INVALID_JSON"), "{}", text(&[]));
    let said: serde_json::Value = serde_json::from_str(&text(&["--json"])).unwrap();
    assert_eq!((&said["errors"][0]["line"], &said["errors"][0]["column"]), (&3.into(), &13.into()), "{said}");
}

#[test]
fn what_is_surely_not_meant_is_told_and_the_workflow_is_valid() {
    let dir = tempfile::tempdir().unwrap();
    let flow = dir.path().join("flow.json");
    let nodes = r#"[{"id": "photo", "type": "image_input"}]"#;
    std::fs::write(&flow, format!("{{\n  \"nodes\":\n    {nodes}\n}}\n")).unwrap();
    let text = |more: &[&str]| {
        let output = millrace(&["validate"]).arg(&flow).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(text(&[]).contains("flow.json:3:6: warning: UNUSED_INPUT node photo"), "{}", text(&[]));
    let said: serde_json::Value = serde_json::from_str(&text(&["--json"])).unwrap();
    assert_eq!((&said["valid"], &said["warnings"][0]["line"]), (&true.into(), &3.into()), "{said}");
}

#[test]
fn a_place_that_takes_no_pictures_is_told_before_the_run() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let (flow, taken) = (dir.path().join("flow.json"), dir.path().join("results"));
    std::fs::write(&flow, r#"{"name":"x","nodes":[]}"#).unwrap();
    std::fs::write(&taken, "a file").unwrap();
    let output = millrace(&["run", "--url", &api.url]).arg(&flow).arg("--out").arg(&taken).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("--out") && error.contains("results"), "{error}");
    assert_eq!(api.submitted(), "");
}

#[test]
fn a_status_that_there_is_not_is_answered_with_those_that_there_are() {
    let output = millrace(&["executions", "list", "--status", "sideways"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("timed_out") && error.contains("pending"), "{error}");
}

#[test]
fn the_default_file_can_be_used_as_it_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("millrace.toml");
    let output = millrace(&["config", "--default"]).output().unwrap();
    std::fs::write(&file, output.stdout).unwrap();
    let output = millrace(&["config", "--config"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What `command` draws on standard error, where that is a terminal: `script` gives it one.
fn drawn_on_a_terminal(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line: Vec<String> =
        words.map(|word| format!("'{}'", word.to_str().expect("the words are text"))).collect();
    let mut script = Command::new("/usr/bin/script");
    script.args(["-qec", &format!("{} > /dev/null", line.join(" ")), "/dev/null"]);
    let output = script.env_clear().env("TERM", "xterm").stdin(Stdio::null()).output();
    let output = output.expect("script is there: it is part of every Debian");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("what is drawn is text")
}

#[test]
fn bars_are_drawn_on_a_terminal_and_nowhere_else() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let (flow, photo) = (dir.path().join("flow.json"), dir.path().join("cat.jpg"));
    std::fs::write(&flow, r#"{"name":"x","nodes":[]}"#).unwrap();
    std::fs::write(&photo, vec![7; 1 << 20]).unwrap();
    let run = |more: &[&str]| {
        let mut command = millrace(&["run"]);
        command
            .arg(&flow)
            .args(["--input", &format!("photo=@{}", photo.display()), "--url", &api.url])
            .args(more);
        command
    };
    let drawn = drawn_on_a_terminal(&run(&[]));
    assert!(drawn.contains("cat.jpg") && drawn.contains("MiB"), "the upload: {drawn:?}");
    assert!(drawn.contains("nodes") && drawn.contains('\x1b'), "the run: {drawn:?}");
    assert_eq!(drawn_on_a_terminal(&run(&["--json"])), "", "a program reads along");
    assert!(run(&[]).output().unwrap().stderr.is_empty(), "a pipe is no terminal");
}

#[test]
fn a_run_is_followed_over_a_broken_connection_to_its_end() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let flow = dir.path().join("flow.json");
    std::fs::write(&flow, r#"{"name":"x","nodes":[]}"#).unwrap();
    let photo = dir.path().join("cat.jpg");
    std::fs::write(&photo, b"a picture").unwrap();
    let output = millrace(&["run"])
        .arg(&flow)
        .args([
            "--input",
            &format!("photo=@{}", photo.display()),
            "--input",
            "min=0.5",
            "--url",
            &api.url,
            "--out",
        ])
        .arg(dir.path().join("results"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    // The first connection breaks after the first node; the second resumes after it and repeats nothing.
    assert_eq!(text.matches("✓ detect").count(), 1, "{text}");
    assert_eq!(text.matches("✓ draw").count(), 1, "{text}");
    assert!(text.contains("1 detection") && text.contains("circle  0.910"), "{text}");
    assert!(text.contains("completed in 42 ms"), "{text}");
    // Outputs by name, then detections, then files, each group after one empty line.
    let named =
        "\n\nanswer.count = 1\nanswer.picture = picture 4×3\nanswer.second = picture 4×3\n\nanswer.found\n";
    assert!(text.contains(named), "{text}");
    assert!(text.contains("answer.picture.png\nwrote ") && text.contains("answer.second.png\n\n"), "{text}");
    assert_eq!(std::fs::read(dir.path().join("results/answer.picture.png")).unwrap(), b"pixels");
    assert_eq!(api.resumed_after(), ["", "1-1"]);
    let sent = api.submitted();
    for part in
        [r#"name="request""#, r#""input":{"min":0.5}"#, r#"name="photo"; filename="cat.jpg""#, "a picture"]
    {
        assert!(sent.contains(part), "{part} is missing from {sent}");
    }

    let output = millrace(&["run", "--json", "--url", &api.url]).arg(&flow).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["status"], "completed");
    assert_eq!(json["outputs"]["answer"]["count"], 1);
}

#[test]
fn a_failed_run_exits_with_1_and_a_refused_one_shows_every_fault() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let flow = dir.path().join("flow.json");
    std::fs::write(&flow, r#"{"name":"fails","nodes":[]}"#).unwrap();
    let output = millrace(&["run", "--url", &api.url]).arg(&flow).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("MODEL_NOT_FOUND at node detect: no model x"), "{text}");

    std::fs::write(&flow, r#"{"name":"refused","nodes":[]}"#).unwrap();
    let output = millrace(&["run", "--url", &api.url]).arg(&flow).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("UNKNOWN_BLOCK") && error.contains("/nodes/0/type"), "{error}");
}
