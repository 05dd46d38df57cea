//! `millrace up` as an operator meets it: one per folder, adopted after kill -9, gone after SIGTERM. Without workers:
//! whole runs are the end-to-end tests' business.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use millrace_testkit::{eventually, processes_naming, program};
use serde_json::Value;
use tempfile::TempDir;

/// The contract's bound for a stop.
const STOP: Duration = Duration::from_secs(10);
/// Nothing here takes this long unless it never happens.
const DEADLINE: Duration = Duration::from_secs(60);

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
        Self::start_by(command(data), data)
    }

    fn start_by(mut command: Command, data: &Path) -> Self {
        let log = std::fs::File::create(data.join("up.log")).expect("the folder is writable");
        let child = command.stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let ready = lines.next().and_then(Result::ok).unwrap_or_else(|| {
            panic!("up ended early: {}", std::fs::read_to_string(data.join("up.log")).unwrap_or_default())
        });
        let api = ready.strip_prefix("ready on ").expect("the one line of up").to_owned();
        Self { child, api }
    }

    fn tell(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(told.expect("kill runs").success());
    }

    fn stop(mut self) {
        let begun = Instant::now();
        self.tell("-TERM");
        assert!(self.child.wait().expect("it is our child").success());
        assert!(begun.elapsed() < STOP, "stopping took {:?}", begun.elapsed());
    }
}

/// What has a shell become `up` on that folder, by `before`.
fn shell(before: &str, data: &Path) -> String {
    let up = command(data);
    let words = std::iter::once(up.get_program()).chain(up.get_args());
    let words: Vec<String> = words.map(|word| format!("'{}'", word.to_string_lossy())).collect();
    format!("{before} {}", words.join(" "))
}

fn folder() -> TempDir {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    tempfile::Builder::new().permissions(permissions).tempdir().expect("a folder")
}

fn endpoints(data: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(data.join("data/endpoints.json")).ok()?).ok()
}

#[test]
fn one_up_per_folder_adopted_after_a_kill_and_gone_after_a_signal() {
    let dir = folder();
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

/// The way to an api that others can reach.
#[test]
fn the_first_key_is_made_while_it_serves_this_machine_only() {
    let dir = folder();
    let open = || {
        let mut open = program(env!("CARGO_BIN_EXE_millrace"));
        open.current_dir(dir.path()).args(["up", "--listen", "0.0.0.0:0", "--workers", "0", "--models", "."]);
        open.arg("--data-dir").arg(dir.path().join("data"));
        open
    };
    let refused = open().output().unwrap();
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    let told: Vec<_> = error.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(told.len() == 1 && told[0].contains("start it once on 127.0.0.1"), "{error}");
    assert_eq!(told[0].matches("there are no api keys").count(), 1, "{error}");
    let folder_named = format!("--direct --data-dir {}`", dir.path().join("data").display());
    assert!(told[0].contains(&folder_named), "{error}");
    assert!(
        !dir.path().join("data/postgres").exists(),
        "nothing is made for an api that is refused: {error}"
    );

    // The same where there is a database without a key.
    Up::start(dir.path()).stop();
    let refused = open().output().unwrap();
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains(&folder_named) && !error.contains("the writer"), "no role is started: {error}");
    assert_eq!(processes_naming(dir.path()), Vec::<String>::new());

    let closed = Up::start(dir.path());
    // Where nothing else is said, that of `.millrace` is meant.
    std::os::unix::fs::symlink(dir.path().join("data"), dir.path().join(".millrace")).unwrap();
    let make = |more: &[&str]| {
        let mut make = program(env!("CARGO_BIN_EXE_millrace"));
        make.current_dir(dir.path())
            .args(["keys", "create", "ops", "--scope", "admin", "--direct"])
            .args(more);
        let made = make.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap().lines().next().unwrap_or_default().to_owned()
    };
    let keys = [make(&[]), make(&["--data-dir", "data"])];
    closed.stop();
    let served = Up::start_by(open(), dir.path());
    let port = served.api.rsplit_once(':').unwrap().1;
    for key in keys {
        let mut list = program(env!("CARGO_BIN_EXE_millrace"));
        list.args(["keys", "list", "--url", &format!("http://127.0.0.1:{port}"), "--api-key", &key]);
        let listed = list.output().unwrap();
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    }
    served.stop();
}

#[test]
fn the_log_holds_no_password() {
    let dir = folder();
    Up::start(dir.path()).stop();
    let log = std::fs::read_to_string(dir.path().join("up.log")).unwrap();
    for place in ["data/redis/password", "data/postgres/password"] {
        let password = std::fs::read_to_string(dir.path().join(place)).unwrap();
        assert!(!log.contains(password.trim()), "the log holds the password of {place}");
    }
}

/// What was logged to the terminal after it was closed must not end anything either.
#[tokio::test]
async fn a_closed_terminal_ends_it_in_order() -> anyhow::Result<()> {
    let dir = folder();
    let ready = dir.path().join("ready");
    let line = format!("{} > '{}'", shell("exec env --default-signal=HUP", dir.path()), ready.display());
    let mut terminal = program("/usr/bin/script");
    terminal.args(["-qec", &line, "/dev/null"]).current_dir(dir.path()).stdin(Stdio::null());
    let mut terminal = terminal.stdout(Stdio::null()).spawn()?;
    eventually(DEADLINE, "it is ready", async || {
        let said = std::fs::read_to_string(&ready).unwrap_or_default();
        anyhow::Ok(said.starts_with("ready on ").then_some(()))
    })
    .await?;
    terminal.kill()?;
    terminal.wait()?;
    eventually(DEADLINE, "it has ended, with the servers that it started", async || {
        anyhow::Ok(processes_naming(dir.path()).is_empty().then_some(()))
    })
    .await?;
    assert_eq!(endpoints(dir.path()), None, "it went in order");
    Ok(())
}

#[test]
fn a_closed_terminal_is_nothing_to_what_was_started_to_outlive_it() {
    let dir = folder();
    let mut nohup = program("/bin/sh");
    nohup.args(["-c", &shell("trap '' HUP; exec", dir.path())]).current_dir(dir.path());
    let up = Up::start_by(nohup, dir.path());
    up.tell("-HUP");
    // Were it told to stop already, this would be the second time, and it would exit at once with an error.
    up.stop();
    assert_eq!(processes_naming(dir.path()), Vec::<String>::new());
}
