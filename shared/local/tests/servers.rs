//! Servers start, stop, are adopted or replaced after their owner is killed, and end with it when told to.
//! The owner to be killed is this test binary itself, run again with one test selected.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use millrace_config::Places;
use millrace_local::{PostgresServer, RedisServer, ServerOptions, find_program, template};

const DEADLINE: Duration = Duration::from_secs(10);
/// Tells the re-run test binary to be the owner: the folder, a colon, and `keep` or `die`.
const OWNER: &str = "MILLRACE_TEST_OWNER";

fn folder() -> tempfile::TempDir {
    // Open to other users, because Postgres may have to run as one.
    tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o711))
        .tempdir()
        .expect("a temporary folder")
}

fn options(die_with_parent: bool) -> ServerOptions {
    ServerOptions { die_with_parent, ..ServerOptions::for_tests(Places::from_process()) }
}

fn is_running(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

async fn until_gone(pid: u32) {
    let begun = Instant::now();
    while is_running(pid) {
        assert!(begun.elapsed() < DEADLINE, "process {pid} is still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn count(url: &str, key: &str) -> i64 {
    let client = redis::Client::open(url).expect("a redis url");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    redis::cmd("INCR").arg(key).query_async(&mut connection).await.expect("an answer")
}

async fn select_one(server: &PostgresServer) {
    // A client of our own is not needed to know that the server takes commands.
    let name = format!("probe_{}", server.pid());
    server.create_database(&name).await.expect("the server makes a database");
    let again = server.create_database(&name).await.expect_err("the name is taken");
    assert!(again.to_string().contains("already exists"), "{again}");
}

#[tokio::test]
async fn redis_starts_keeps_its_password_to_itself_and_stops() {
    let dir = folder();
    let mut options = options(true);
    options.durability = millrace_local::Durability::Durable;
    let server = RedisServer::start(dir.path(), &options).await.unwrap();
    assert_eq!(count(&server.url(), "x").await, 1);
    let by_socket = server.socket_url().expect("it has a socket");
    assert_eq!(count(&by_socket, "y").await, 1);
    assert!(
        server.url().starts_with("redis://default:"),
        "redis-cli shows an empty user where none is named"
    );
    let stranger = redis::Client::open(format!("redis://127.0.0.1:{}/", server.port())).unwrap();
    let mut connection = stranger.get_multiplexed_async_connection().await.unwrap();
    let refused = redis::cmd("PING").query_async::<()>(&mut connection).await.unwrap_err();
    assert!(
        refused.to_string().contains("NOAUTH") || refused.to_string().contains("Authentication"),
        "{refused}"
    );
    for secret in ["password", "redis.conf"] {
        let mode = std::fs::metadata(dir.path().join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{secret} is open to others");
    }
    let (pid, url) = (server.pid(), server.url());
    server.stop(DEADLINE).await;
    assert!(!is_running(pid));
    // The same folder again: the same URL and the data of before.
    let server = RedisServer::start(dir.path(), &options).await.unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(count(&server.url(), "x").await, 2);
    assert_eq!(server.socket_url(), Some(by_socket.clone()));
    assert_eq!(count(&by_socket, "y").await, 2);
    server.stop(DEADLINE).await;
}

#[tokio::test]
async fn where_no_socket_can_be_there_is_the_port() {
    let dir = folder();
    let (quoted, long) = (dir.path().join("it's"), dir.path().join("x".repeat(100)));
    let redis = RedisServer::start(&quoted, &options(true)).await.unwrap();
    let postgres = PostgresServer::start(&long, &options(true)).await.unwrap();
    assert_eq!((redis.socket_url(), postgres.socket_url()), (None, None));
    assert_eq!(count(&redis.url(), "x").await, 1);
    select_one(&postgres).await;
    redis.stop(DEADLINE).await;
    postgres.stop(DEADLINE).await;
}

#[tokio::test]
async fn a_killed_redis_comes_back_on_its_port() {
    let dir = folder();
    let mut server = RedisServer::start(dir.path(), &options(true)).await.unwrap();
    let url = server.url();
    server.kill().await;
    tokio::time::timeout(DEADLINE, server.ended()).await.unwrap();
    server.restart().await.unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(count(&url, "x").await, 1);
    server.stop(DEADLINE).await;
}

/// Whoever goes by the socket would look for it in vain, and nobody would know.
#[tokio::test]
async fn a_server_that_comes_back_without_its_socket_is_not_back() {
    let dir = folder();
    let mut server = RedisServer::start(dir.path(), &options(true)).await.unwrap();
    let by_socket = server.socket_url().unwrap();
    let socket = dir.path().canonicalize().unwrap().join("redis.sock");
    server.kill().await;
    std::fs::remove_file(&socket).unwrap();
    std::fs::create_dir(&socket).unwrap();
    let error = server.restart().await.unwrap_err();
    assert!(error.to_string().contains("redis.sock"), "{error}");
    std::fs::remove_dir(&socket).unwrap();
    server.restart().await.unwrap();
    assert_eq!(count(&by_socket, "x").await, 1);
    server.stop(DEADLINE).await;
}

#[tokio::test]
async fn postgres_starts_from_nothing_and_from_a_template_and_stops() {
    let begun = Instant::now();
    let dir = folder();
    let mut options = options(true);
    let server = PostgresServer::start(dir.path(), &options).await.unwrap();
    println!("postgres by initdb: {:?}", begun.elapsed());
    select_one(&server).await;
    let pid = server.pid();
    let stopping = Instant::now();
    server.stop(DEADLINE).await;
    println!("postgres stop: {:?}", stopping.elapsed());
    assert!(!is_running(pid));

    options.template = Some(template(&options).await.unwrap());
    let begun = Instant::now();
    let copy = folder();
    let server = PostgresServer::start(copy.path(), &options).await.unwrap();
    println!("postgres by template: {:?}", begun.elapsed());
    select_one(&server).await;
    server.stop(DEADLINE).await;
}

#[tokio::test]
async fn dropping_a_server_kills_it() {
    let dir = folder();
    let server = RedisServer::start(dir.path(), &options(true)).await.unwrap();
    let pid = server.pid();
    drop(server);
    until_gone(pid).await;
}

/// Not a test of its own: the owner that the tests below kill. Prints its servers' pids and waits.
#[tokio::test]
async fn owner() {
    let Some((dir, fate)) = std::env::vars().find(|(name, _)| name == OWNER).map(|(_, text)| {
        let (dir, fate) = text.rsplit_once(':').expect("folder and fate");
        (PathBuf::from(dir), fate.to_owned())
    }) else {
        return;
    };
    let mut options = options(fate == "die");
    options.template = Some(template(&options).await.unwrap());
    let redis = RedisServer::start(&dir.join("redis"), &options).await.unwrap();
    let postgres = PostgresServer::start(&dir.join("postgres"), &options).await.unwrap();
    count(&redis.url(), "x").await;
    println!("pids {} {}", redis.pid(), postgres.pid());
    std::future::pending::<()>().await;
}

/// An owner in a process of its own, and the pids of its Redis and Postgres.
fn start_owner(dir: &Path, fate: &str) -> (Child, u32, u32) {
    let this = std::env::current_exe().expect("the test binary has a path");
    let mut owner = Command::new(this)
        .args(["--exact", "owner", "--nocapture"])
        .env(OWNER, format!("{}:{fate}", dir.display()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test binary runs");
    let lines = BufReader::new(owner.stdout.take().expect("its output is piped")).lines();
    let line = lines.map_while(Result::ok).find_map(|line| Some(line.split_once("pids ")?.1.to_owned()));
    let line = line.expect("the owner says its pids");
    let (redis, postgres) = line.split_once(' ').expect("two pids");
    (owner, redis.parse().expect("a pid"), postgres.trim().parse().expect("a pid"))
}

#[tokio::test]
async fn what_a_killed_owner_left_running_is_adopted() {
    let dir = folder();
    let (mut owner, redis_pid, postgres_pid) = start_owner(dir.path(), "keep");
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(is_running(redis_pid) && is_running(postgres_pid));

    let redis = RedisServer::start(&dir.path().join("redis"), &options(true)).await.unwrap();
    let postgres = PostgresServer::start(&dir.path().join("postgres"), &options(true)).await.unwrap();
    assert!(redis.is_adopted() && postgres.is_adopted());
    assert_eq!((redis.pid(), postgres.pid()), (redis_pid, postgres_pid));
    assert_eq!(count(&redis.url(), "x").await, 2);
    select_one(&postgres).await;
    redis.stop(DEADLINE).await;
    postgres.stop(DEADLINE).await;
    assert!(!is_running(redis_pid) && !is_running(postgres_pid));
}

#[tokio::test]
async fn what_was_left_running_and_does_not_answer_is_replaced() {
    let dir = folder();
    let (mut owner, redis_pid, postgres_pid) = start_owner(dir.path(), "keep");
    owner.kill().unwrap();
    owner.wait().unwrap();
    let stopped = Command::new("kill").args(["-STOP", &redis_pid.to_string()]).status().unwrap();
    assert!(stopped.success());
    let redis = RedisServer::start(&dir.path().join("redis"), &options(true)).await.unwrap();
    assert!(!redis.is_adopted() && redis.pid() != redis_pid);
    assert!(!is_running(redis_pid));
    assert!(count(&redis.url(), "y").await == 1);
    redis.stop(DEADLINE).await;
    let postgres = PostgresServer::start(&dir.path().join("postgres"), &options(true)).await.unwrap();
    assert_eq!(postgres.pid(), postgres_pid);
    postgres.stop(DEADLINE).await;
}

#[tokio::test]
async fn servers_that_shall_die_with_their_owner_do() {
    if find_program(&Places::from_process(), "setpriv").is_none() {
        println!("skipped: no setpriv on this machine");
        return;
    }
    let dir = folder();
    let (mut owner, redis_pid, postgres_pid) = start_owner(dir.path(), "die");
    owner.kill().unwrap();
    owner.wait().unwrap();
    until_gone(redis_pid).await;
    until_gone(postgres_pid).await;
}

#[test]
fn all_of_it_works_for_an_ordinary_user_too() {
    let places = Places::from_process();
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    let (true, Some(setpriv)) = (root, find_program(&places, "setpriv")) else {
        println!("skipped: the other tests ran as an ordinary user already, or there is no setpriv");
        return;
    };
    // The binary may lie in a folder that only root can enter.
    let dir = folder();
    let this = dir.path().join("servers");
    std::fs::copy(std::env::current_exe().unwrap(), &this).unwrap();
    let home = dir.path().join("home");
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(65_534), Some(65_534)).unwrap();
    let output = Command::new(setpriv)
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(&this)
        .args(["--exact", "--test-threads=1"])
        .args([
            "postgres_starts_from_nothing_and_from_a_template_and_stops",
            "what_a_killed_owner_left_running_is_adopted",
        ])
        .args([
            "redis_starts_keeps_its_password_to_itself_and_stops",
            "servers_that_shall_die_with_their_owner_do",
        ])
        .env("MILLRACE_CACHE", &home)
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .current_dir("/")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("4 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_is_refused_by_name() {
    let dir = folder();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("PG_VERSION"), "7\n").unwrap();
    let error = PostgresServer::start(dir.path(), &options(true)).await.unwrap_err().to_string();
    assert!(error.contains("PostgreSQL 7") && error.contains("--data-dir"), "{error}");
}
