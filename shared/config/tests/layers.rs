//! Layering, faults, origins, and the shipped file.

use std::collections::BTreeMap;
use std::time::Duration;

use millrace_config::{ConfigError, DEFAULT_FILE, LoadArgs, Origin, Settings};

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("the file is writable");
    file
}

fn args(
    text: &str,
    variables: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> (LoadArgs, tempfile::NamedTempFile) {
    let file = file(text);
    let flags = flags.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
    let args = LoadArgs { file: Some(file.path().to_owned()), environment: environment(variables), flags };
    (args, file)
}

fn faults(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let (args, _file) = args(text, variables, &[]);
    match Settings::load(&args) {
        Err(ConfigError::Invalid(faults)) => faults.iter().map(|fault| fault.key.clone()).collect(),
        other => panic!("expected faults, got {other:?}"),
    }
}

#[test]
fn the_shipped_file_says_what_the_structs_say() {
    let (args, _file) = args(DEFAULT_FILE, &[], &[]);
    assert_eq!(Settings::load(&args).unwrap().settings, Settings::default());
    // Every key stands in the file, those without a default as a comment.
    let defaults = serde_json::to_value(Settings::default()).unwrap();
    for (section, fields) in defaults.as_object().unwrap() {
        let start = DEFAULT_FILE.find(&format!("[{section}]")).expect(section);
        let body = DEFAULT_FILE[start + 1..].split("\n[").next().unwrap();
        for field in fields.as_object().unwrap().keys() {
            let named =
                body.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{field} = ")));
            assert!(named, "{section}.{field} is missing from millrace.default.toml");
        }
    }
}

#[test]
fn later_layers_win_and_the_origin_is_remembered() {
    let (args, file) = args(
        "[worker]\nconcurrency = 3\nlease = \"8s\"\n[redis]\nprefix = \"from-file\"\n",
        &[
            ("MILLRACE__WORKER__CONCURRENCY", "4"),
            ("MILLRACE__WORKER__POOLS", "fast, cpu"),
            ("REDIS_URL", "redis://a/"),
        ],
        &[("worker.concurrency", "5")],
    );
    let loaded = Settings::load(&args).unwrap();
    assert_eq!(loaded.settings.worker.concurrency, 5);
    assert_eq!(loaded.settings.worker.lease, Duration::from_secs(8));
    assert_eq!(loaded.settings.worker.pools, ["fast", "cpu"]);
    assert_eq!(loaded.settings.redis.url.expose(), "redis://a/");
    assert_eq!(loaded.settings.redis.prefix, "from-file");
    assert_eq!(loaded.origins["worker.concurrency"], Origin::Flag);
    assert_eq!(loaded.origins["worker.lease"], Origin::File(file.path().to_owned()));
    assert_eq!(loaded.origins["redis.url"], Origin::Environment("REDIS_URL".into()));
    assert_eq!(loaded.origins["api.listen"], Origin::Default);
    assert!(loaded.is_set("worker.pools") && !loaded.is_set("database.url"));
}

#[test]
fn the_own_name_wins_over_the_common_one() {
    let (args, _file) = args("", &[("REDIS_URL", "redis://a/"), ("MILLRACE__REDIS__URL", "redis://b/")], &[]);
    assert_eq!(Settings::load(&args).unwrap().settings.redis.url.expose(), "redis://b/");
}

#[test]
fn all_faults_come_at_once() {
    let text =
        "stray = 1\n[worker]\nconcurrency = \"many\"\nlease = \"soon\"\nconcurency = 2\n[wroker]\nx = 1\n";
    let found = faults(
        text,
        &[
            ("MILLRACE__API__LISTEN", "nowhere"),
            ("MILLRACE__REDIS__PARTITIONS", "0"),
            ("MILLRACE__X", "1"),
            ("RUST_LOG", "bogus=="),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "zz"),
        ],
    );
    for key in [
        "stray",
        "worker.concurrency",
        "worker.lease",
        "worker.concurency",
        "wroker.x",
        "api.listen",
        "redis.partitions",
        "x",
        "telemetry.log",
        "telemetry.otlp_endpoint",
    ] {
        assert!(found.contains(&key.to_owned()), "{key} is missing from {found:?}");
    }
}

#[test]
fn what_would_do_harm_is_refused() {
    let harmful = [
        ("worker.heartbeat", "0s"),
        ("worker.block", "0s"),
        ("worker.job_timeout", "0s"),
        ("models.download_limit", "0s"),
        ("worker.pools", "bad name"),
        ("orchestrator.block", "0s"),
        ("orchestrator.sweep_interval", "0s"),
        ("orchestrator.schedule_sweep", "0s"),
        ("orchestrator.lease", "1ms"),
        ("orchestrator.callback_attempts", "101"),
        ("orchestrator.callback_timeout", "61s"),
        ("orchestrator.callback_timeout", "999us"),
        ("orchestrator.callback_signing_secret", ""),
        ("writer.lease", "1ms"),
        ("writer.upkeep_interval", "0s"),
        ("retention.events", "36h"),
        ("collections.writers", "10"),
        ("api.stream_ping", "0s"),
        ("models.serving", r#"{"x": {"max_batch": 0}}"#),
        ("worker.processes", "0"),
    ];
    for (key, value) in harmful {
        let (args, _file) = args("", &[], &[(key, value)]);
        match Settings::load(&args) {
            Err(ConfigError::Invalid(faults)) => {
                assert_eq!(faults.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(), [key]);
            }
            other => panic!("{key} = {value}: {other:?}"),
        }
    }
    // However long a lease it would go with.
    assert_eq!(faults("[worker]\nlease = \"60s\"\nheartbeat = \"6s\"", &[]), ["worker.heartbeat"]);
    let short = "[orchestrator]\nstalled_after = \"1m\"\nkeep_finished = \"179s\"";
    assert_eq!(faults(short, &[]), ["orchestrator.keep_finished"]);
    let (long_enough, _file) = args(&short.replace("179s", "180s"), &[], &[]);
    assert!(Settings::load(&long_enough).is_ok());
    let harmless = [("retention.events", "2days"), ("retention.events", "0s"), ("worker.pools", "own-1,_x")];
    for (key, value) in harmless {
        let (args, _file) = args("", &[], &[(key, value)]);
        assert!(Settings::load(&args).is_ok(), "{key} = {value}");
    }
}

#[test]
fn faults_name_the_layer_and_the_way_out_and_no_password() {
    let (args, _file) =
        args("", &[("DATABASE_URL", "mysql://user:hunter2@db/x"), ("REDIS_URL", "hunter2")], &[]);
    let report = Settings::load(&args).unwrap_err().to_string();
    assert!(report.contains("environment DATABASE_URL") && report.contains("postgres://"), "{report}");
    assert!(report.contains("environment REDIS_URL"), "{report}");
    assert!(!report.contains("hunter2"), "{report}");
}

#[test]
fn a_file_that_is_not_toml_is_told_with_its_line_and_without_its_text() {
    let (args, _file) = args("[redis]\nurl = \"redis://:hunter2@h/\n", &[], &[]);
    let report = Settings::load(&args).unwrap_err().to_string();
    assert!(report.contains("line 2") && !report.contains("hunter2"), "{report}");
}

#[test]
fn a_named_file_that_is_missing_is_an_error() {
    let args = LoadArgs { file: Some("/nonexistent/millrace.toml".into()), ..LoadArgs::default() };
    assert!(matches!(Settings::load(&args), Err(ConfigError::Unreadable { .. })));
}

#[test]
fn settings_survive_the_environment_of_a_child() {
    let (given, _file) = args(
        "[redis]\nurl = \"redis://:secret@h:1/\"\n[worker]\npools = [\"cpu\"]\nlease = \"7s\"\nbackground = [255, 0, 9]\n[blobs]\ncache = \"1500000 B\"\n[telemetry]\njson = true\ntrace_ratio = 0.5\n",
        &[
            ("MILLRACE__AUTH__SIGNING_SECRET", "0123456789abcdef0123456789abcdef"),
            ("MILLRACE__IO__COLLECTIONS_URL", "http://h:1"),
            ("MILLRACE__IO__COLLECTIONS_KEY", "mr_x"),
            ("MILLRACE__IO__QDRANT_KEY", "hunter2"),
            ("MILLRACE__IO__SECRETS", r#"{"crm": "whsec_x"}"#),
        ],
        &[],
    );
    let settings = Settings::load(&given).unwrap().settings;
    let (again, _file) = args("", &[], &[]);
    let again = LoadArgs { environment: settings.to_environment().into_iter().collect(), ..again };
    assert_eq!(Settings::load(&again).unwrap().settings, settings);
    assert_eq!(settings.worker.background, Some([255, 0, 9]));
    for wrong in ["white", "[255, 0]", "[1, 2, 300]"] {
        let (given, _file) = args("", &[("MILLRACE__WORKER__BACKGROUND", wrong)], &[]);
        assert!(Settings::load(&given).is_err(), "{wrong}");
    }
}

#[test]
fn settings_print_without_passwords() {
    let (given, _file) =
        args("", &[("DATABASE_URL", "postgres://u:hunter2@h/d"), ("REDIS_URL", "redis://:hunter2@h/")], &[]);
    let loaded = Settings::load(&given).unwrap();
    let shown = format!("{loaded:?} {}", serde_json::to_string(&loaded.settings).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn odd_pairs_are_warned_of() {
    let (given, _file) = args("[worker]\nlease = \"30s\"\n", &[], &[]);
    assert!(Settings::load(&given).unwrap().warnings.iter().any(|warning| warning.contains("worker.lease")));
}

#[test]
fn what_tls_needs_is_only_for_tls_and_given_whole() {
    let faults_of = |redis: &str| faults(&format!("[redis]\n{redis}"), &[]);
    let plain = "ca_file = \"ca.pem\"\ncertificate_file = \"c.pem\"\nkey_file = \"c.key\"";
    assert_eq!(faults_of(plain), ["redis.ca_file", "redis.certificate_file"]);
    let tls = "url = \"rediss://redis.example:6380\"\nca_file = \"ca.pem\"\n";
    assert_eq!(faults_of(&format!("{tls}key_file = \"c.key\"")), ["redis.certificate_file"]);
    let (right, _file) = args(&format!("[redis]\n{tls}"), &[], &[]);
    assert!(Settings::load(&right).is_ok());
}

#[test]
fn a_bucket_and_its_key_are_checked_and_the_secret_reaches_children_but_no_log() {
    let wrong = faults(
        "[blobs]\nurl = \"gs://bucket\"\n[models]\ndir = \"s3://\"\n[objects]\nendpoint = \"minio:9000\"\naccess_key_id = \"k\"",
        &[],
    );
    assert_eq!(wrong, ["models.dir", "blobs.url", "objects.endpoint", "objects.access_key_id"]);
    let (args, _file) = args(
        "[blobs]\nurl = \"s3://b/blobs\"\n[models]\ndir = \"s3://b/models\"\n[objects]\naccess_key_id = \"k\"",
        &[("MILLRACE__OBJECTS__SECRET_ACCESS_KEY", "hunter2hunter2")],
        &[],
    );
    let settings = Settings::load(&args).unwrap().settings;
    let shown = format!("{settings:?}{}", serde_json::to_string(&settings).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
    let environment = settings.to_environment().into_iter().collect();
    let child = LoadArgs { file: args.file, environment, flags: Vec::new() };
    let child = Settings::load(&child).unwrap().settings;
    assert_eq!(child, settings);
    assert_eq!(child.objects.secret_access_key.unwrap().expose(), "hunter2hunter2");
}

#[test]
fn what_is_wrong_with_a_secret_is_told_without_it() {
    let file = "[io]\nqdrant_key = 4711\n[objects]\nsecret_access_key = 4711";
    for secrets in ["crm=4711", "{\"crm\": 4711}", "4711"] {
        let (wrong, _file) = args(
            file,
            &[("MILLRACE__IO__SECRETS", secrets), ("MILLRACE__AUTH__SIGNING_SECRET", "[4711]")],
            &[],
        );
        let told = Settings::load(&wrong).unwrap_err().to_string();
        assert!(told.contains("io.secrets") && told.contains("io.qdrant_key"), "{told}");
        assert!(!told.contains("4711"), "{told}");
    }
}
