//! Models that are registered again as they were: what is at their address by then is what is used.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::get;
use millrace_contracts::model::{Origin, RegisteredModel};
use millrace_contracts::values::ImageValue;
use millrace_contracts::{BlobId, UnixMillis};

use crate::desk::{Desk, Done};
use crate::registered::{job, registered, worker};
use crate::{models, scene};

/// What a server has to say of a file besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    Tag,
    Time,
    Nothing,
}

/// A server's only file, and how often it was sent and was said to be the same.
struct Hosted {
    says: Says,
    file: Vec<u8>,
    /// When it was changed, in seconds of a certain minute.
    changed_s: u8,
    sent: usize,
    same: usize,
}

impl Hosted {
    /// The same model, and other bytes: a text that nobody reads is added to it.
    fn change(&mut self) {
        self.file.extend_from_slice(b"\x32\x03new");
        self.changed_s += 1;
    }

    /// What was there before is there again, as old as it was.
    fn put_back(&mut self, before: Vec<u8>) {
        self.file = before;
        self.changed_s -= 1;
    }

    fn answer(&mut self, asked: &HeaderMap) -> Response<Body> {
        let tag = format!("\"{}\"", BlobId::of(&self.file));
        let time = format!("Mon, 02 Nov 2026 10:00:{:02} GMT", self.changed_s);
        let said = |name| asked.get(name).map(|said| said.to_str().unwrap());
        let (name, value, is_same) = match self.says {
            Says::Tag => (header::ETAG, tag.as_str(), said(header::IF_NONE_MATCH) == Some(&tag)),
            // As many hosts do: whatever is older than what was asked for is the same to them. All but the seconds is.
            Says::Time => {
                let is_older = said(header::IF_MODIFIED_SINCE).is_some_and(|said| time.as_str() <= said);
                (header::LAST_MODIFIED, time.as_str(), is_older)
            }
            Says::Nothing => (header::SERVER, "silent", false),
        };
        let answer = Response::builder().header(name, value);
        if is_same {
            self.same += 1;
            return answer.status(StatusCode::NOT_MODIFIED).body(Body::empty()).unwrap();
        }
        self.sent += 1;
        answer.body(Body::from(self.file.clone())).unwrap()
    }
}

type Host = Arc<Mutex<Hosted>>;

/// Serves the demo's detector; its address.
async fn server(says: Says) -> (String, Host) {
    // Refused where another test of this process was first.
    drop(rustls::crypto::ring::default_provider().install_default());
    let file = std::fs::read(models().join("shapes-detector/model.onnx")).unwrap();
    let host = Arc::new(Mutex::new(Hosted { says, file, changed_s: 0, sent: 0, same: 0 }));
    let answer = async |State(host): State<Host>, asked: HeaderMap| locked(&host).answer(&asked);
    let routes = Router::new().route("/model.onnx", get(answer)).with_state(Arc::clone(&host));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/model.onnx", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, host)
}

fn locked(host: &Host) -> std::sync::MutexGuard<'_, Hosted> {
    host.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often the file was sent, and how often it was said to be the same.
fn counts(host: &Host) -> (usize, usize) {
    let host = locked(host);
    (host.sent, host.same)
}

/// Registers the model, `at` this time, and runs it.
async fn run_registered(desk: &mut Desk, model: &RegisteredModel, at: i64, image: &ImageValue) -> Done {
    let model = RegisteredModel { registered_at: Some(UnixMillis(at)), ..model.clone() };
    desk.bus.put_models(&[model], true).await.unwrap();
    desk.run(job(image, "acme/shapes", "trained")).await.unwrap()
}

#[tokio::test]
async fn what_is_at_its_address_by_then_is_what_is_used() {
    for says in [Says::Tag, Says::Time, Says::Nothing] {
        let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
        let (address, host) = server(says).await;
        let model = registered("acme/shapes", Origin::Url(address));
        let worker = worker(&desk, downloads.path()).await;
        let image = desk.image(scene("scene_00.jpg")).await;
        let first = run_registered(&mut desk, &model, 1, &image).await;
        let again = desk.run(job(&image, "acme/shapes", "trained")).await.unwrap();
        assert_eq!(again.metrics.model_digest, first.metrics.model_digest);
        assert_eq!(counts(&host), (1, 0), "{says:?}: one registration is asked for once");

        let same = run_registered(&mut desk, &model, 2, &image).await;
        assert_eq!(same.metrics.model_digest, first.metrics.model_digest, "{says:?}");
        // A host that tells the time is asked for that, and nothing more of its answer is read.
        let expected = if says == Says::Tag { (1, 1) } else { (2, 0) };
        assert_eq!(counts(&host), expected, "{says:?}: what is still there does not come again");

        let before = locked(&host).file.clone();
        locked(&host).change();
        let changed = run_registered(&mut desk, &model, 3, &image).await;
        assert_ne!(changed.metrics.model_digest, first.metrics.model_digest, "{says:?}");
        assert_eq!(changed.outputs["count"], first.outputs["count"], "{says:?}");
        // Who asks whether it is the same is answered with what there is, and the download asks for that.
        let sent = if says == Says::Nothing { 1 } else { 2 };
        assert_eq!(counts(&host), (expected.0 + sent, expected.1), "{says:?}");

        let sent = counts(&host).0;
        let last = run_registered(&mut desk, &model, 4, &image).await;
        assert_eq!(last.metrics.model_digest, changed.metrics.model_digest, "{says:?}");
        assert_eq!(counts(&host).0, if says == Says::Tag { sent } else { sent + 1 }, "{says:?}");

        locked(&host).put_back(before);
        let back = run_registered(&mut desk, &model, 5, &image).await;
        assert_eq!(
            back.metrics.model_digest, first.metrics.model_digest,
            "{says:?}: an older file is another one"
        );
        worker.stop().await;
    }
}

#[tokio::test]
async fn what_is_known_by_its_digest_is_not_asked_for_again() {
    let (mut desk, downloads) = (Desk::open().await, tempfile::tempdir().unwrap());
    let (address, host) = server(Says::Nothing).await;
    let sha256 = Some(BlobId::of(&locked(&host).file).to_string());
    let model = RegisteredModel { sha256, ..registered("acme/shapes", Origin::Url(address)) };
    let worker = worker(&desk, downloads.path()).await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let first = run_registered(&mut desk, &model, 1, &image).await;
    let again = run_registered(&mut desk, &model, 2, &image).await;
    assert_eq!(again.metrics.model_digest, first.metrics.model_digest);
    assert_eq!(counts(&host), (1, 0));
    worker.stop().await;
}
