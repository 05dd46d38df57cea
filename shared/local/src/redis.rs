//! A private Redis: its configuration, its start, its adoption, its end.
//!
//! Rule: one server per folder, always on the port its `redis.conf` names, so that a restart keeps the URL.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::coming_up::{Answer, Patience, until_ready};
use crate::launch::Launch;
use crate::options::{Durability, ServerOptions};
use crate::process::Process;
use crate::{LocalError, error, free_port, password, program, socket};

const SERVER: &str = "redis-server";
const POLL: Duration = Duration::from_millis(5);
/// A server left behind that does not answer within this is replaced.
const ADOPTION_TIMEOUT: Duration = Duration::from_secs(2);
/// The log of changes is not written anew while it is smaller: at full load it grows by 64 MB, Redis's own bound, in two seconds,
/// and each rewrite took as much of a core as the service itself. To read it at a start takes two seconds.
const REWRITE_FROM: &str = "256mb";
/// How often a start is tried when somebody else takes the port first.
const PORT_ATTEMPTS: u32 = 5;

/// A private Redis.
#[derive(Debug)]
pub struct RedisServer {
    folder: Folder,
    options: ServerOptions,
    process: Process,
    port: u16,
    password: String,
    /// Where it listens beside its port.
    socket: Option<PathBuf>,
}

/// The files of one server.
#[derive(Debug, Clone)]
struct Folder {
    dir: PathBuf,
}

impl Folder {
    fn config(&self) -> PathBuf {
        self.dir.join("redis.conf")
    }

    fn log(&self) -> PathBuf {
        self.dir.join("redis.log")
    }

    fn pid_file(&self) -> PathBuf {
        self.dir.join("redis.pid")
    }

    fn socket(&self) -> Option<PathBuf> {
        socket::usable(self.dir.join("redis.sock"))
    }

    fn port(&self) -> Option<u16> {
        let text = std::fs::read_to_string(self.config()).ok()?;
        text.lines().find_map(|line| line.strip_prefix("port "))?.trim().parse().ok()
    }

    fn running(&self, port: Option<u16>) -> Option<Process> {
        let pid = std::fs::read_to_string(self.pid_file()).ok()?.trim().parse().ok()?;
        // Redis shows its address in its command line.
        Process::adopt(pid, &[SERVER, &format!("127.0.0.1:{}", port?)])
    }
}

impl RedisServer {
    /// The server of `dir` (created if need be), adopted or started, and answering.
    ///
    /// # Errors
    /// [`LocalError`]: the program is missing, the folder is not writable, the server does not come up.
    pub async fn start(dir: &Path, options: &ServerOptions) -> Result<Self, LocalError> {
        std::fs::create_dir_all(dir).map_err(LocalError::io("create", dir))?;
        let dir = dir.canonicalize().map_err(LocalError::io("resolve", dir))?;
        let folder = Folder { dir };
        let password = password::read_or_create(&folder.dir.join("password"))?;
        let former = folder.port();
        if let (Some(mut process), Some(port)) = (folder.running(former), former) {
            if wait_for_pong(&url(port, &password), &process, ADOPTION_TIMEOUT).await {
                tracing::info!(
                    process.pid = process.pid(),
                    redis.port = port,
                    "adopted the Redis left running in this folder"
                );
                return Ok(Self::of(folder, options, (process, port), password).await);
            }
            process.stop(Signal::SIGTERM, ADOPTION_TIMEOUT).await;
        }
        let launched = launch(&folder, options, &password, former).await?;
        Ok(Self::of(folder, options, launched, password).await)
    }

    /// The one that answers at this port.
    async fn of(
        folder: Folder,
        options: &ServerOptions,
        (process, port): (Process, u16),
        password: String,
    ) -> Self {
        let mut socket = folder.socket();
        if let Some(path) = &socket
            && !socket::is_open(path).await
        {
            socket = None;
        }
        Self { folder, options: options.clone(), process, port, password, socket }
    }

    /// `redis://default:password@127.0.0.1:port/`, which `redis-cli -u` takes too. Holds the password: not for logs.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.port, &self.password)
    }

    /// The same server by its socket, `redis+unix:///path?user=default&pass=password`, if it has one: not where the folder's path is
    /// too long for that or has to be quoted. Holds the password: not for logs.
    #[must_use]
    pub fn socket_url(&self) -> Option<String> {
        let path = self.socket.as_ref()?.display();
        Some(format!("redis+unix://{path}?user=default&pass={}", self.password))
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Whether an earlier process had started it.
    #[must_use]
    pub fn is_adopted(&self) -> bool {
        self.process.is_adopted()
    }

    /// Done when the server has ended, for whatever reason.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.process.gone()
    }

    /// Starts it again after it ended, on the same port if that is free.
    ///
    /// # Errors
    /// As [`RedisServer::start`]; [`LocalError::NoSocket`] when its socket cannot be where it was. It may be tried again.
    pub async fn restart(&mut self) -> Result<(), LocalError> {
        self.process.stop(Signal::SIGTERM, ADOPTION_TIMEOUT).await;
        (self.process, self.port) =
            launch(&self.folder, &self.options, &self.password, Some(self.port)).await?;
        socket::still_open(self.socket.clone(), SERVER).await
    }

    /// Asks it to save and end, waits as long as `deadline`, then kills it.
    pub async fn stop(mut self, deadline: Duration) {
        self.process.stop(Signal::SIGTERM, deadline).await;
    }

    /// Kills it at once, as a crash would; for tests of what survives that.
    pub async fn kill(&mut self) {
        self.process.stop(Signal::SIGKILL, ADOPTION_TIMEOUT).await;
    }
}

fn url(port: u16, password: &str) -> String {
    // Named, because redis-cli shows an empty user where there is none, and is refused.
    format!("redis://default:{password}@127.0.0.1:{port}/")
}

async fn launch(
    folder: &Folder,
    options: &ServerOptions,
    password: &str,
    former: Option<u16>,
) -> Result<(Process, u16), LocalError> {
    let program = program::redis_server(&options.places)?;
    let begun = Instant::now();
    let mut preferred = former;
    for attempt in 1.. {
        let port = free_port(preferred.take()).map_err(LocalError::io("find a free port for", &program))?;
        password::write_private(&folder.config(), &config(folder, options.durability, password, port))?;
        let log = folder.log();
        let launch = Launch {
            program: program.clone(),
            arguments: vec![folder.config().into()],
            log: &log,
            run_as: None,
            on_parent_death: options.die_with_parent.then_some("KILL"),
            places: &options.places,
        };
        let process = launch.spawn().await?;
        if wait_for_pong(&url(port, password), &process, options.start_timeout).await {
            tracing::debug!(redis.port = port, duration_ms = begun.elapsed().as_millis(), "Redis is up");
            return Ok((process, port));
        }
        if process.is_alive() {
            return Err(LocalError::NotReady { server: SERVER, waited: options.start_timeout, log });
        }
        let tail = error::tail(&log);
        if attempt >= PORT_ATTEMPTS || !tail.contains("already in use") {
            return Err(LocalError::EndedEarly { server: SERVER, log, tail });
        }
    }
    unreachable!("the loop ends by returning")
}

fn config(folder: &Folder, durability: Durability, password: &str, port: u16) -> String {
    let append_only = if durability == Durability::Durable { "yes" } else { "no" };
    let Folder { dir } = folder;
    let socket = folder
        .socket()
        .filter(|path| socket::can_be(path))
        .map_or_else(String::new, |path| format!("unixsocket {}\nunixsocketperm 700\n", path.display()));
    format!(
        "# Written by Millrace at every start.\n\
         bind 127.0.0.1\nport {port}\n{socket}protected-mode yes\nrequirepass {password}\n\
         dir \"{dir}\"\npidfile \"{pid_file}\"\ndaemonize no\nlogfile \"\"\n\
         appendonly {append_only}\nappendfsync everysec\nsave \"\"\n\
         auto-aof-rewrite-min-size {REWRITE_FROM}\n\
         maxmemory-policy noeviction\ntcp-backlog 511\n",
        dir = dir.display(),
        pid_file = folder.pid_file().display(),
    )
}

/// Whether the server answers PING, however long it reads its data, before its process ends.
async fn wait_for_pong(url: &str, process: &Process, silence: Duration) -> bool {
    let ask = || async {
        match pong(url).await {
            Ok(()) => Answer::Ready,
            Err(error) if error.code() == Some("LOADING") => Answer::ComingUp,
            Err(_) => Answer::Silent,
        }
    };
    until_ready(Patience { silence, poll: POLL }, process.gone(), ask).await
}

async fn pong(url: &str) -> redis::RedisResult<()> {
    let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    redis::cmd("PING").query_async::<()>(&mut connection).await
}
