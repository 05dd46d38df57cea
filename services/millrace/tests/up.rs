//! `millrace up` as an operator meets it: one per folder, adopted after kill -9, gone after SIGTERM. Without workers:
//! whole runs are the end-to-end tests' business.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use millrace_testkit::{processes_naming, program};
use serde_json::Value;

/// The contract's bound for a stop.
const STOP: Duration = Duration::from_secs(10);

struct Up {
    child: Child,
    api: String,
}

fn command(data: &Path) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_millrace"));
    command.current_dir(data);
    command.args(["up", "--listen", "127.0.0.1:0", "--workers", "0", "--models"]).arg(data).arg("--data-dir");
    command.arg(data.join("data"));
    command
}

impl Up {
    fn start(data: &Path) -> Self {
        let log = std::fs::File::create(data.join("up.log")).expect("the folder is writable");
        let child = command(data).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let ready = lines.next().and_then(Result::ok).unwrap_or_else(|| {
            panic!("up ended early: {}", std::fs::read_to_string(data.join("up.log")).unwrap_or_default())
        });
        let api = ready.strip_prefix("ready on ").expect("the one line of up").to_owned();
        Self { child, api }
    }

    fn stop(mut self) {
        let begun = Instant::now();
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.expect("kill runs").success());
        assert!(self.child.wait().expect("it is our child").success());
        assert!(begun.elapsed() < STOP, "stopping took {:?}", begun.elapsed());
    }
}

fn endpoints(data: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(data.join("data/endpoints.json")).ok()?).ok()
}

#[test]
fn one_up_per_folder_adopted_after_a_kill_and_gone_after_a_signal() {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    let dir = tempfile::Builder::new().permissions(permissions).tempdir().unwrap();
    let mut first = Up::start(dir.path());
    let before = endpoints(dir.path()).unwrap();
    assert_eq!(before["api"], first.api);
    assert_eq!(before["pid"], first.child.id());

    let refused = command(dir.path()).output().unwrap();
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(error.contains(&format!("in use by the running process {}", first.child.id())), "{error}");

    first.child.kill().unwrap();
    first.child.wait().unwrap();
    let second = Up::start(dir.path());
    let after = endpoints(dir.path()).unwrap();
    for server in ["redis_url", "database_url"] {
        assert_eq!(before[server], after[server], "{server} was not adopted");
    }
    second.stop();
    assert_eq!(endpoints(dir.path()), None);
    assert_eq!(processes_naming(dir.path()), Vec::<String>::new());
}

#[test]
fn the_log_holds_no_password() {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    let dir = tempfile::Builder::new().permissions(permissions).tempdir().unwrap();
    Up::start(dir.path()).stop();
    let log = std::fs::read_to_string(dir.path().join("up.log")).unwrap();
    for place in ["data/redis/password", "data/postgres/password"] {
        let password = std::fs::read_to_string(dir.path().join(place)).unwrap();
        assert!(!log.contains(password.trim()), "the log holds the password of {place}");
    }
}
