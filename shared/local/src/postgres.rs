//! A private Postgres: its start, its adoption, its end.
//!
//! Rule: one server per folder. Its own `postmaster.pid` says which process and port; the command line proves it.

mod files;
mod init;
mod template;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use self::files::Files;
pub use self::template::template;
use crate::coming_up::{Answer, Patience, until_ready};
use crate::launch::{Launch, run_helper};
use crate::options::{Durability, ServerOptions};
use crate::process::Process;
use crate::program::PostgresPrograms;
use crate::run_as::RunAs;
use crate::{LocalError, error, free_port, password, socket};

/// The superuser of a private server.
const USER: &str = "millrace";
/// The database that is made at init.
const DATABASE: &str = "millrace";
const SERVER: &str = "postgres";
const POLL: Duration = Duration::from_millis(10);
const ADOPTION_TIMEOUT: Duration = Duration::from_secs(5);
const PORT_ATTEMPTS: u32 = 5;

/// A private Postgres.
#[derive(Debug)]
pub struct PostgresServer {
    files: Files,
    programs: PostgresPrograms,
    run_as: Option<RunAs>,
    options: ServerOptions,
    process: Process,
    port: u16,
    password: String,
    /// The folder of its socket, beside its port.
    sockets: Option<PathBuf>,
}

impl PostgresServer {
    /// The server of `dir` (created if need be), initialised, adopted or started, and accepting connections.
    ///
    /// # Errors
    /// [`LocalError`]: a program is missing, the folder is not writable, the server does not come up.
    pub async fn start(dir: &Path, options: &ServerOptions) -> Result<Self, LocalError> {
        std::fs::create_dir_all(dir).map_err(LocalError::io("create", dir))?;
        let dir = dir.canonicalize().map_err(LocalError::io("resolve", dir))?;
        let run_as = RunAs::for_postgres()?;
        let home = run_as.as_ref().map_or_else(|| Ok(dir.clone()), |user| user.reachable(&dir))?;
        let files = Files { home };
        let programs = PostgresPrograms::find_for(&options.places, &files.data())?;
        let former = files.status();
        let mut adopted = None;
        if let Some(mut process) = former.as_ref().and_then(|status| files.running(status)) {
            let port = former.as_ref().map_or(0, |status| status.port);
            if wait_until_ready(&files, &process, ADOPTION_TIMEOUT).await {
                tracing::info!(
                    process.pid = process.pid(),
                    postgres.port = port,
                    "adopted the Postgres left running in this folder"
                );
                adopted = Some((process, port));
            } else {
                process.stop(Signal::SIGQUIT, ADOPTION_TIMEOUT).await;
            }
        }
        init::ensure(&files, &programs, run_as.as_ref(), options).await?;
        let password = password::read_or_create(&files.password())?;
        let (process, port) = match adopted {
            Some(found) => found,
            None => launch(&files, &programs, run_as.as_ref(), options).await?,
        };
        let mut sockets = files.sockets();
        if let Some(folder) = &sockets
            && !socket::is_open(&socket_in(folder, port)).await
        {
            sockets = None;
        }
        Ok(Self { files, programs, run_as, options: options.clone(), process, port, password, sockets })
    }

    /// `postgres://millrace:password@127.0.0.1:port/millrace`. Holds the password: not for logs.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(DATABASE)
    }

    /// The URL of another database of this server.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// The same database by the server's socket, with the socket's folder as the parameter `host`, as libpq has it; none where the
    /// folder's path is too long for a socket or has to be quoted. Holds the password: not for logs.
    #[must_use]
    pub fn socket_url(&self) -> Option<String> {
        let folder = self.sockets.as_ref()?.display();
        let (password, port) = (&self.password, self.port);
        Some(format!("postgres://{USER}:{password}@localhost:{port}/{DATABASE}?host={folder}"))
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The postmaster's process.
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

    /// Makes an empty database.
    ///
    /// # Errors
    /// [`LocalError::Helper`] with what `createdb` said.
    pub async fn create_database(&self, name: &str) -> Result<(), LocalError> {
        let port = self.port.to_string();
        let arguments = ["-h", "127.0.0.1", "-p", &port, "-U", USER, name];
        run_helper(&self.programs.program("createdb"), arguments, None, |command| {
            command.env("PGPASSWORD", &self.password);
        })
        .await
    }

    /// Starts it again after it ended, on the same port if that is free.
    ///
    /// # Errors
    /// As [`PostgresServer::start`]; [`LocalError::NoSocket`] when its socket cannot be where it was. It may be tried again.
    pub async fn restart(&mut self) -> Result<(), LocalError> {
        self.process.stop(Signal::SIGINT, ADOPTION_TIMEOUT).await;
        (self.process, self.port) =
            launch(&self.files, &self.programs, self.run_as.as_ref(), &self.options).await?;
        let socket = self.sockets.as_deref().map(|folder| socket_in(folder, self.port));
        socket::still_open(socket, SERVER).await
    }

    /// Ends its sessions, checkpoints and stops; after `deadline` it is killed (and recovers at its next start).
    pub async fn stop(mut self, deadline: Duration) {
        self.process.stop(Signal::SIGINT, deadline).await;
    }

    /// Kills it at once, as a crash would; for tests of what survives that.
    pub async fn kill(&mut self) {
        self.process.stop(Signal::SIGKILL, ADOPTION_TIMEOUT).await;
    }
}

async fn launch(
    files: &Files,
    programs: &PostgresPrograms,
    run_as: Option<&RunAs>,
    options: &ServerOptions,
) -> Result<(Process, u16), LocalError> {
    let program = programs.program(SERVER);
    let begun = Instant::now();
    let mut preferred = files.port();
    for attempt in 1.. {
        let port = free_port(preferred.take()).map_err(LocalError::io("find a free port for", &program))?;
        files.remember_port(port)?;
        let log = files.log();
        let launch = Launch {
            program: program.clone(),
            arguments: arguments(files, options.durability, port),
            log: &log,
            run_as,
            on_parent_death: options.die_with_parent.then_some("INT"),
            places: &options.places,
        };
        // Killed, it would leave its block of shared memory to the system, which has only so many.
        let process = launch.spawn().await?.ended_by(Signal::SIGQUIT);
        if wait_until_ready(files, &process, options.start_timeout).await {
            tracing::debug!(
                postgres.port = port,
                duration_ms = begun.elapsed().as_millis(),
                "Postgres is up"
            );
            return Ok((process, port));
        }
        if process.is_alive() {
            return Err(LocalError::NotReady { server: SERVER, waited: options.start_timeout, log });
        }
        let tail = error::tail(&log);
        if tail.contains("pre-existing shared memory block") && begun.elapsed() < ADOPTION_TIMEOUT {
            // The children of a server that was killed live a moment longer than it.
            preferred = Some(port);
            tokio::time::sleep(POLL).await;
        } else if attempt >= PORT_ATTEMPTS || !tail.contains("Address already in use") {
            return Err(LocalError::EndedEarly { server: SERVER, log, tail });
        }
    }
    unreachable!("the loop ends by returning")
}

/// Where a server of this port has its socket, by the rule of Postgres.
fn socket_in(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!(".s.PGSQL.{port}"))
}

fn arguments(files: &Files, durability: Durability, port: u16) -> Vec<OsString> {
    let sockets = files.sockets().filter(|folder| socket::can_be(&socket_in(folder, port)));
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        format!("unix_socket_directories={}", sockets.as_deref().unwrap_or(Path::new("")).display()),
        "unix_socket_permissions=0700".to_owned(),
        "max_connections=100".to_owned(),
        "logging_collector=off".to_owned(),
        "log_timezone=UTC".to_owned(),
        "timezone=UTC".to_owned(),
    ];
    if durability == Durability::FastUnsafe {
        let unsafe_settings = [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "autovacuum=off",
            "shared_buffers=16MB",
        ];
        settings.extend(unsafe_settings.map(str::to_owned));
    }
    let mut arguments = vec![OsString::from("-D"), files.data().into()];
    arguments.extend(settings.into_iter().flat_map(|setting| ["-c".into(), setting.into()]));
    arguments
}

/// Whether the postmaster says `ready` in its pid file, what `pg_ctl -w` looks at, however long it recovers, before it ends.
async fn wait_until_ready(files: &Files, process: &Process, silence: Duration) -> bool {
    let ask = || async {
        match files.status().filter(|status| status.pid == process.pid()) {
            Some(status) if status.ready => Answer::Ready,
            Some(status) if status.starting => Answer::ComingUp,
            _ => Answer::Silent,
        }
    };
    until_ready(Patience { silence, poll: POLL }, process.gone(), ask).await
}
