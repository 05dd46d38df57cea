//! Where the load goes: an instance that runs already, or one of our own in a temporary folder, started as `millrace up`
//! with the settings of real use and stopped again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use millrace_tasks::CancellationToken;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::roles;
use crate::up::endpoints::Endpoints;
use crate::up::{OF_ITS_OWN, OF_ITS_REDIS};

/// A first start makes a database, on a machine that may be busy.
const READY: Duration = Duration::from_secs(120);
/// `up` promises to end in ten seconds.
const STOP: Duration = Duration::from_secs(12);

/// The addresses of an instance.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) api: String,
    pub(crate) redis_url: String,
    pub(crate) database_url: Option<String>,
    /// The process of `millrace up`, where it is known: its CPU is counted.
    pub(crate) process: Option<u32>,
}

/// What a private instance is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Private {
    pub(crate) config: Option<PathBuf>,
    pub(crate) models: Option<PathBuf>,
    pub(crate) workers: usize,
    pub(crate) redis_url: Option<String>,
    pub(crate) database_url: Option<String>,
    /// Settings on top, as environment variables.
    pub(crate) environment: Vec<(String, String)>,
}

/// An instance of our own. It does not outlive this value, which holds its standard input: where nobody stops it, the end of that
/// does, in order.
pub(crate) struct Instance {
    child: Child,
    folder: TempDir,
    pub(crate) place: Place,
}

impl From<Endpoints> for Place {
    fn from(found: Endpoints) -> Self {
        Self {
            api: found.api,
            // The way the instance goes itself: what is put on its queues costs no more than what it puts there.
            redis_url: found.redis_socket_url.unwrap_or(found.redis_url),
            database_url: Some(found.database_url),
            process: Some(found.pid),
        }
    }
}

impl Instance {
    /// Starts one and waits until it is ready; none when `stop` comes first.
    pub(crate) async fn start(private: &Private, stop: &CancellationToken) -> anyhow::Result<Option<Self>> {
        // A Postgres that root starts runs as another user, who must get in.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        let folder = tempfile::Builder::new().prefix("millrace-bench-").permissions(open).tempdir()?;
        let mut child = command(private, folder.path())?.spawn().context("cannot start `millrace up`")?;
        let output = child.stdout.take().context("the output of `millrace up` is piped")?;
        let ready = async {
            let mut lines = BufReader::new(output).lines();
            while let Some(line) = lines.next_line().await? {
                if line.starts_with("ready on ") {
                    return anyhow::Ok(true);
                }
            }
            Ok(false)
        };
        let ready = match stop.run_until_cancelled(tokio::time::timeout(READY, ready)).await {
            None => None,
            Some(answered) => Some(answered.unwrap_or(Ok(false))?),
        };
        let endpoints = Endpoints::read(&folder.path().join("data"));
        match (ready, endpoints) {
            (Some(true), Some(endpoints)) => Ok(Some(Self { child, folder, place: endpoints.into() })),
            (None, _) => {
                end(&mut child).await;
                Ok(None)
            }
            _ => {
                end(&mut child).await;
                let log = std::fs::read_to_string(folder.path().join("up.log")).unwrap_or_default();
                anyhow::bail!("`millrace up` did not get ready:\n{log}")
            }
        }
    }

    /// Stops it and removes its folder.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        end(&mut self.child).await;
        self.folder.close().context("the temporary folder of the private instance")
    }
}

fn command(private: &Private, folder: &Path) -> anyhow::Result<Command> {
    let models = folder.join("models");
    std::fs::create_dir(&models).context("the folder of the private instance")?;
    let models = private.models.as_ref().unwrap_or(&models);
    let log = std::fs::File::create(folder.join("up.log")).context("the log of the private instance")?;
    let mut command = roles::supervised(&roles::this_program()?, "up", private.config.as_deref());
    command.args(["--listen", "127.0.0.1:0", "--workers", &private.workers.to_string()]);
    command.arg("--data-dir").arg(folder.join("data")).arg("--models").arg(models);
    // What a file says of these `up` leaves alone by itself.
    let of_redis = OF_ITS_REDIS.iter().filter(|_| private.redis_url.is_none());
    for name in OF_ITS_OWN.iter().chain(of_redis).flat_map(|key| millrace_config::variables_of(key)) {
        command.env_remove(name);
    }
    command.envs(private.environment.iter().map(|(name, value)| (name, value)));
    let urls = [("--redis-url", &private.redis_url), ("--database-url", &private.database_url)];
    for (flag, url) in urls {
        command.args(url.iter().flat_map(|url| [flag, url.as_str()]));
    }
    command.stdout(Stdio::piped()).stderr(log);
    Ok(command)
}

/// Asks a child to end, and kills it when it does not.
pub(crate) async fn end(child: &mut Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        // Refused only where it has ended already, which the wait finds out.
        _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    if tokio::time::timeout(STOP, child.wait()).await.is_err() {
        _ = child.kill().await;
    }
}
