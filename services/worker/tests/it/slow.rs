//! Models by URL whose server takes its time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures::stream;
use millrace_contracts::{ErrorKind, UnixMillis};
use tokio::sync::Semaphore;

use crate::desk::{Desk, Running, repository, settings};
use crate::registered::job;
use crate::{models, scene};

const PIECES: usize = 40;

/// When a server sends the next piece.
#[derive(Clone)]
enum Pace {
    After(Duration),
    /// Half of them at once, each of the others once there is a permit.
    Told(Arc<Semaphore>),
}

impl Pace {
    async fn wait(&self, piece: usize) {
        match self {
            Self::After(pause) => tokio::time::sleep(*pause).await,
            Self::Told(_) if piece < PIECES / 2 => {}
            Self::Told(permits) => permits.acquire().await.unwrap().forget(),
        }
    }
}

/// Serves the demo's detector piece by piece; its address, and how often it was asked for.
async fn server(pace: Pace) -> (String, Arc<AtomicUsize>) {
    // Refused where another test of this process was first.
    drop(rustls::crypto::ring::default_provider().install_default());
    let file = std::fs::read(models().join("shapes-detector/model.onnx")).unwrap();
    let size = file.len().div_ceil(PIECES);
    let pieces: Vec<Vec<u8>> = file.chunks(size).map(<[u8]>::to_vec).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let answer = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let rest = pieces.clone().into_iter().enumerate();
        let sent = stream::unfold((rest, pace.clone()), |(mut rest, pace)| async move {
            let (number, piece) = rest.next()?;
            pace.wait(number).await;
            Some((Ok::<_, std::io::Error>(piece), (rest, pace)))
        });
        async move { Body::from_stream(sent) }
    };
    let routes = Router::new().route("/model.onnx", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/model.onnx", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, asked)
}

/// A worker whose jobs have `job_timeout`, and whose downloads `download_limit`.
async fn worker(desk: &Desk, downloads: &Path, limits: (Duration, Duration)) -> Running {
    let models = millrace_config::Models {
        downloads: downloads.to_owned(),
        allowed_hosts: vec!["127.0.0.1".to_owned()],
        download_limit: limits.1,
        ..repository()
    };
    desk.worker_as(millrace_config::Worker { job_timeout: limits.0, ..settings() }, models).await
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn the_download_of_a_model_is_not_of_the_time_of_the_job_that_comes_first() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let job_timeout = Duration::from_secs(3);
    let (address, asked) = server(Pace::After(2 * job_timeout / PIECES as u32)).await;
    let worker = worker(&desk, downloads.path(), (job_timeout, HOUR)).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let done = desk.run(job(&image, &address, "url")).await.unwrap();
    assert!(done.metrics.model_load_time_ms > job_timeout.as_secs_f64() * 1000.0);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    worker.stop().await;
}

#[tokio::test]
async fn a_job_ends_by_its_own_deadline_and_the_download_goes_on_without_it() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let permits = Arc::new(Semaphore::new(0));
    let (address, asked) = server(Pace::Told(Arc::clone(&permits))).await;
    let worker = worker(&desk, downloads.path(), (HOUR, HOUR)).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let mut hasty = job(&image, &address, "url");
    hasty.deadline = Some(UnixMillis::now().after(Duration::from_secs(1)));
    let error = desk.run(hasty).await.unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Timeout, true), "{error}");
    assert!(error.message.contains("a download of it that is under way goes on"), "{error}");
    permits.add_permits(PIECES);
    desk.run(job(&image, &address, "url")).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1, "it was not begun anew");
    worker.stop().await;
}

#[tokio::test]
async fn a_download_has_a_limit_of_its_own() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let (address, asked) = server(Pace::Told(Arc::new(Semaphore::new(0)))).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let impatient = worker(&desk, downloads.path(), (HOUR, Duration::from_secs(1))).await;
    let error = desk.run(job(&image, &address, "url")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
    assert!(error.message.contains("`models.download_limit`"), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    impatient.stop().await;
}
