//! A Postgres database of a test's own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use millrace_config::Places;
use millrace_local::{PostgresServer, ServerOptions, template};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::test_folder;

/// The server that the running tests of this process share; gone with the last of them.
static SHARED: Mutex<Weak<Server>> = Mutex::const_new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

#[derive(Debug)]
struct Server {
    // Declared before the folder, so that the server is gone before its files are.
    postgres: PostgresServer,
    _folder: TempDir,
}

/// A fresh, empty database.
#[derive(Debug)]
pub struct TestPostgres {
    server: Arc<Server>,
    database: String,
}

impl TestPostgres {
    /// Makes one, on a server that is started if none runs.
    ///
    /// # Errors
    /// When Postgres is missing or does not come up.
    pub async fn start() -> anyhow::Result<Self> {
        let mut shared = SHARED.lock().await;
        let server = match shared.upgrade() {
            Some(server) => server,
            None => Arc::new(Server::start().await?),
        };
        *shared = Arc::downgrade(&server);
        drop(shared);
        let database = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        server.postgres.create_database(&database).await?;
        Ok(Self { server, database })
    }

    /// A database on a server that no other test uses, so that it may be killed: see [`TestPostgres::server`].
    ///
    /// # Errors
    /// As [`TestPostgres::start`].
    pub async fn start_alone() -> anyhow::Result<Self> {
        let server = Arc::new(Server::start().await?);
        Ok(Self { server, database: "millrace".to_owned() })
    }

    /// Where it is, password included.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.postgres.url_of(&self.database)
    }

    /// The server itself, to be killed and restarted; none when other tests use it too.
    pub fn server(&mut self) -> Option<&mut PostgresServer> {
        Arc::get_mut(&mut self.server).map(|server| &mut server.postgres)
    }
}

impl Server {
    async fn start() -> anyhow::Result<Self> {
        let folder = test_folder()?;
        let mut options = ServerOptions::for_tests(Places::from_process());
        options.template = Some(template(&options).await?);
        let postgres = PostgresServer::start(folder.path(), &options).await?;
        Ok(Self { postgres, _folder: folder })
    }
}
