//! An S3 server of a test's own, on a free port of this machine.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread::JoinHandle;

use anyhow::Context;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use millrace_config::{Objects, Secret};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::test_folder;

const BUCKET: &str = "test-bucket";
const KEY: &str = "test-key";
const SECRET: &str = "a secret that nobody may see in a log";

/// An S3 server (crate `s3s`) with one empty bucket, in a thread of this process. Dropping it ends the server and removes its
/// folder.
pub struct TestBucket {
    folder: TempDir,
    address: SocketAddr,
    running: Option<Running>,
}

struct Running {
    /// Closed to end it.
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl TestBucket {
    /// Starts one.
    ///
    /// # Errors
    /// When its folder, its socket or its thread cannot be made.
    pub fn start() -> anyhow::Result<Self> {
        // Refused where another fixture of this process was first. Clients want it even where they speak plain HTTP.
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = test_folder()?;
        std::fs::create_dir(folder.path().join(BUCKET))?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut bucket = Self { address: listener.local_addr()?, folder, running: None };
        bucket.serve(listener)?;
        Ok(bucket)
    }

    /// The URL of what lies below `prefix`.
    #[must_use]
    pub fn url(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}")
    }

    /// How it is reached.
    #[must_use]
    pub fn objects(&self) -> Objects {
        Objects {
            endpoint: Some(format!("http://{}", self.address)),
            region: Some("test".to_owned()),
            access_key_id: Some(KEY.to_owned()),
            secret_access_key: Some(Secret::new(SECRET.to_owned())),
            // Tests that take the server away wait for it.
            retry_for: std::time::Duration::from_millis(500),
            ..Objects::default()
        }
    }

    /// Where its objects are files, by their names.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// How many files stand beside the bucket whose names begin with `start`: of uploads that are not whole `.upload`, of which
    /// `.upload_id-` are their parts.
    #[must_use]
    pub fn unfinished(&self, start: &str) -> usize {
        let names =
            fs::read_dir(self.folder.path()).into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().starts_with(start)).count()
    }

    /// Ends the server; its objects stay.
    pub fn stop(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            drop(stop);
            // A panic in it has been printed, and the test fails for want of a server.
            drop(thread.join());
        }
    }

    /// Starts it again, where it was.
    ///
    /// # Errors
    /// Somebody else has taken its port meanwhile.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.address).context("the bucket's old port")?;
        self.serve(listener)
    }

    fn serve(&mut self, listener: TcpListener) -> anyhow::Result<()> {
        let files = FileSystem::new(self.folder.path()).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = service.build();
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let body = move || runtime.block_on(serve(listener, service, stopped));
        let thread = std::thread::Builder::new().name("bucket".to_owned()).spawn(body)?;
        self.running = Some(Running { stop, thread });
        Ok(())
    }
}

impl Drop for TestBucket {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn serve(listener: TcpListener, service: S3Service, mut stopped: oneshot::Receiver<()>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener that does not block");
    // Connections end with the server.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return,
        };
        let Ok((socket, _)) = accepted else { continue };
        let service = service.clone();
        connections.spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            // A client that went away is the test's business.
            drop(server.serve_connection(TokioIo::new(socket), service).await);
        });
        while connections.try_join_next().is_some() {}
    }
}
