//! Models by URL whose file becomes another one.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::get;
use millrace_contracts::values::ImageValue;
use millrace_contracts::{BlobId, ErrorKind, Job, ModelDigest, Pool};

use crate::desk::{Desk, Running, repository, settings};
use crate::registered::job;
use crate::{models, scene};

/// A host's only file, and whether the host is there.
struct Hosted {
    file: Vec<u8>,
    is_away: bool,
    sent: usize,
    same: usize,
}

type Host = Arc<Mutex<Hosted>>;

impl Hosted {
    fn answer(&mut self, asked: &HeaderMap) -> Response<Body> {
        let tag = format!("\"{}\"", BlobId::of(&self.file));
        let answer = Response::builder().header(header::ETAG, &tag);
        if self.is_away {
            return answer.status(StatusCode::SERVICE_UNAVAILABLE).body(Body::empty()).unwrap();
        }
        if asked.get(header::IF_NONE_MATCH).is_some_and(|said| *said == *tag) {
            self.same += 1;
            return answer.status(StatusCode::NOT_MODIFIED).body(Body::empty()).unwrap();
        }
        self.sent += 1;
        answer.body(Body::from(self.file.clone())).unwrap()
    }
}

fn locked(host: &Host) -> MutexGuard<'_, Hosted> {
    host.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same model, and other bytes: a text that nobody reads is added to it.
fn change(host: &Host) {
    locked(host).file.extend_from_slice(b"\x32\x03new");
}

/// How often the file was sent, and how often it was said to be the same.
fn counts(host: &Host) -> (usize, usize) {
    let host = locked(host);
    (host.sent, host.same)
}

async fn server() -> (String, Host) {
    // Refused where another test of this process was first.
    drop(rustls::crypto::ring::default_provider().install_default());
    let file = std::fs::read(models().join("shapes-detector/model.onnx")).unwrap();
    let host = Arc::new(Mutex::new(Hosted { file, is_away: false, sent: 0, same: 0 }));
    let answer = async |State(host): State<Host>, asked: HeaderMap| locked(&host).answer(&asked);
    let routes = Router::new().route("/model.onnx", get(answer)).with_state(Arc::clone(&host));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/model.onnx", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, host)
}

/// A machine with a worker of its own, which takes the jobs of its own pool.
struct Machine {
    pool: &'static str,
    downloads: tempfile::TempDir,
    worker: Running,
}

impl Machine {
    async fn start(desk: &Desk, pool: &'static str) -> Self {
        let downloads = tempfile::tempdir().unwrap();
        let worker = worker(desk, pool, downloads.path()).await;
        Self { pool, downloads, worker }
    }

    /// The same, started anew: nothing is loaded.
    async fn restart(self, desk: &Desk) -> Self {
        self.worker.stop().await;
        Self { worker: worker(desk, self.pool, self.downloads.path()).await, ..self }
    }

    fn job(&self, image: &ImageValue, address: &str, pinned: Option<&ModelDigest>) -> Job {
        let mut job = job(image, address, "url");
        job.pool = Pool::from(self.pool);
        job.model.as_mut().unwrap().digest = pinned.cloned();
        job
    }

    async fn digest(&self, desk: &mut Desk, image: &ImageValue, address: &str) -> ModelDigest {
        desk.run(self.job(image, address, None)).await.unwrap().metrics.model_digest.unwrap()
    }

    /// An hour passes for what was asked of hosts.
    fn wait_an_hour(&self) {
        let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
        let folders = std::fs::read_dir(self.downloads.path()).unwrap().flatten();
        let marks: Vec<_> =
            folders.filter_map(|folder| std::fs::File::open(folder.path().join(".whole")).ok()).collect();
        assert!(!marks.is_empty());
        marks.iter().for_each(|mark| mark.set_modified(an_hour_ago).unwrap());
    }
}

async fn worker(desk: &Desk, pool: &str, downloads: &Path) -> Running {
    let models = millrace_config::Models {
        downloads: downloads.to_owned(),
        allowed_hosts: vec!["127.0.0.1".to_owned()],
        ..repository()
    };
    desk.worker_as(millrace_config::Worker { pools: vec![pool.to_owned()], ..settings() }, models).await
}

#[tokio::test]
async fn machines_that_fetched_before_and_after_a_change_come_to_have_the_same() {
    let (mut desk, (address, host)) = (Desk::open().await, server().await);
    let image = desk.image(scene("scene_00.jpg")).await;
    let early = Machine::start(&desk, "early").await;
    let old = early.digest(&mut desk, &image, &address).await;
    change(&host);
    let late = Machine::start(&desk, "late").await;
    let new = late.digest(&mut desk, &image, &address).await;
    assert_ne!(old, new);

    // A run that began at the one machine goes on at the other.
    early.wait_an_hour();
    let done = desk.run(early.job(&image, &address, Some(&new))).await.unwrap();
    assert_eq!(done.metrics.model_digest.as_ref(), Some(&new));
    assert_eq!(early.digest(&mut desk, &image, &address).await, new);

    // One that began where the old copy is still loaded cannot go on where it is not; then nobody has that any more.
    change(&host);
    let latest = Machine::start(&desk, "latest").await;
    let newest = latest.digest(&mut desk, &image, &address).await;
    [&early, &late, &latest].iter().for_each(|machine| machine.wait_an_hour());
    let error = desk.run(latest.job(&image, &address, Some(&new))).await.unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::ModelNotFound, false), "{error}");
    for behind in [&early, &late] {
        let mut found = behind.digest(&mut desk, &image, &address).await;
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while found != newest && tokio::time::Instant::now() < deadline {
            found = behind.digest(&mut desk, &image, &address).await;
        }
        assert_eq!(found, newest, "{} is told", behind.pool);
    }
    for machine in [early, late, latest] {
        machine.worker.stop().await;
    }
}

#[tokio::test]
async fn what_is_about_to_be_loaded_is_asked_for_again_and_used_where_nobody_answers() {
    let (mut desk, (address, host)) = (Desk::open().await, server().await);
    let image = desk.image(scene("scene_00.jpg")).await;
    let machine = Machine::start(&desk, "fast").await;
    let first = machine.digest(&mut desk, &image, &address).await;
    change(&host);
    machine.wait_an_hour();
    assert_eq!(machine.digest(&mut desk, &image, &address).await, first, "what is loaded is not asked for");
    assert_eq!(counts(&host), (1, 0));

    locked(&host).is_away = true;
    let machine = machine.restart(&desk).await;
    assert_eq!(machine.digest(&mut desk, &image, &address).await, first, "nobody answers");

    locked(&host).is_away = false;
    let machine = machine.restart(&desk).await;
    assert_eq!(machine.digest(&mut desk, &image, &address).await, first, "it was asked a moment ago");
    machine.wait_an_hour();
    let machine = machine.restart(&desk).await;
    let second = machine.digest(&mut desk, &image, &address).await;
    assert_ne!(second, first);
    let sent = counts(&host).0;

    machine.wait_an_hour();
    let machine = machine.restart(&desk).await;
    assert_eq!(machine.digest(&mut desk, &image, &address).await, second);
    assert_eq!(counts(&host), (sent, 1), "what is still there does not come again");

    // One that says what it is needs no host.
    let known = format!("{address}#sha256={}", BlobId::of(&locked(&host).file));
    let third = machine.digest(&mut desk, &image, &known).await;
    let asked = counts(&host);
    machine.wait_an_hour();
    let machine = machine.restart(&desk).await;
    assert_eq!(machine.digest(&mut desk, &image, &known).await, third);
    assert_eq!(counts(&host), asked);
    machine.worker.stop().await;
}
