//! Pictures by URL, from a server of this machine; and the guard around everything that goes out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use futures::StreamExt;
use millrace_bus::LiveItem;
use millrace_config::{ByteSize, Io};
use millrace_contracts::values::{ImageUrl, ImageValue};
use millrace_contracts::{ErrorKind, Event, EventType, IMAGE_FETCH, IO_POOL, Job, Pool};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::desk::{Desk, repository, settings};
use crate::scene;

/// Serves these routes on this machine; the address.
pub(crate) async fn serve(routes: Router) -> String {
    // Refused where another test of this process was first.
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

/// A way out that leads to this machine too, by its address.
pub(crate) fn local() -> Io {
    Io { allowed_hosts: vec!["127.0.0.1".to_owned()], ..Io::default() }
}

async fn pictures() -> String {
    let redirect = |to: &'static str| async move {
        Response::builder().status(302).header(header::LOCATION, to).body(Body::empty()).unwrap()
    };
    serve(
        Router::new()
            .route("/scene.jpg", get(async || scene("scene_00.jpg")))
            .route("/moved", get(move || redirect("/scene.jpg")))
            .route("/to-metadata", get(move || redirect("http://169.254.169.254/latest/meta-data")))
            .route("/text.jpg", get(async || "this is a text, whatever its name says"))
            .route("/gone", get(async || StatusCode::GONE))
            .route("/never", get(async || std::future::pending::<()>().await)),
    )
    .await
}

#[expect(clippy::needless_pass_by_value, reason = "callers write literals")]
fn fetching(port: &str, value: Value, config: Value) -> Job {
    Job { pool: Pool::from(IO_POOL), ..Desk::job(IMAGE_FETCH, json!({port: value}), config) }
}

fn at(url: String) -> Value {
    ImageUrl { url, max_pixels: None }.to_value()
}

#[tokio::test]
async fn pictures_by_url_become_stored_ones_in_lists_of_any_form() {
    let (mut desk, server) = (Desk::open().await, pictures().await);
    let worker = desk.worker_out(settings(), repository(), local()).await;
    let here = desk.image(scene("scene_01.jpg")).await;
    let expected = desk.image(scene("scene_00.jpg")).await.to_value();
    let one = desk.run(fetching("image", at(format!("{server}/moved")), json!({}))).await.unwrap();
    assert_eq!(one.outputs["image"], expected);
    assert!(one.metrics.fetch_ms > 0.0, "{:?}", one.metrics);
    let list = json!([here.to_value(), at(format!("{server}/scene.jpg")), at(format!("{server}/moved"))]);
    let list = desk.run(fetching("images", list, json!({}))).await.unwrap();
    assert_eq!(list.outputs["images"], json!([here.to_value(), expected, expected]));
    let stored = ImageValue::from_value(&one.outputs["image"]).unwrap();
    assert_eq!(desk.blobs.get(stored.blob).await.unwrap(), scene("scene_00.jpg"));
    worker.stop().await;
}

#[tokio::test]
async fn who_watches_hears_how_many_pictures_have_come() {
    let (mut desk, gate) = (Desk::open().await, Arc::new(Notify::new()));
    let open = Arc::clone(&gate);
    let held = async move || {
        open.notified().await;
        scene("scene_01.jpg")
    };
    let routes =
        Router::new().route("/scene.jpg", get(async || scene("scene_00.jpg"))).route("/held.jpg", get(held));
    let server = serve(routes).await;
    let worker = desk.worker_out(settings(), repository(), local()).await;
    let mut live = desk.bus.subscribe(&["inference:progress", "workflow:node:progress"]).await.unwrap();
    let list = json!([at(format!("{server}/scene.jpg")), at(format!("{server}/held.jpg"))]);
    let job = fetching("images", list, json!({}));
    let (run, node) = (job.execution_id, job.node_id.clone());
    let (ended, ()) = tokio::join!(desk.run(job), async {
        for kind in [EventType::InferenceProgress, EventType::NodeProgress] {
            let event = loop {
                match tokio::time::timeout(Duration::from_secs(60), live.next()).await.unwrap() {
                    Some(LiveItem::Event(event)) => {
                        break serde_json::from_str::<Event>(&event.payload).unwrap();
                    }
                    _ => continue,
                }
            };
            assert_eq!((event.kind, event.seq), (kind, None), "it is not stored");
            assert_eq!((event.execution_id, event.node_id.as_ref()), (Some(run), Some(&node)));
            assert_eq!((&event.data["step"], &event.data["steps"]), (&json!(1), &json!(2)));
        }
        gate.notify_one();
    });
    assert_eq!(ended.unwrap().outputs["images"].as_array().map(Vec::len), Some(2));
    worker.stop().await;
}

#[tokio::test]
async fn what_cannot_be_had_is_told_with_its_place_and_kind() {
    let (mut desk, server) = (Desk::open().await, pictures().await);
    let io = Io { max_picture: ByteSize::mib(1), ..local() };
    let worker = desk.worker_out(settings(), repository(), io).await;
    let local_name = server.replace("127.0.0.1", "localhost");
    let cases = [
        (format!("{server}/gone"), json!({}), ErrorKind::Network, false, "answered 410"),
        (format!("{server}/text.jpg"), json!({}), ErrorKind::InvalidInput, false, "text"),
        (format!("{server}/scene.jpg"), json!({"max_pixels": 1000}), ErrorKind::InvalidInput, false, "640"),
        (format!("{server}/scene.jpg"), json!({"format": "png"}), ErrorKind::InvalidInput, false, "png only"),
        (
            format!("{local_name}/scene.jpg"),
            json!({}),
            ErrorKind::InvalidInput,
            false,
            "not a public address",
        ),
        (format!("{server}/to-metadata"), json!({}), ErrorKind::InvalidInput, false, "not a public address"),
        ("http://127.0.0.1:1/?signature=hunter2".to_owned(), json!({}), ErrorKind::Network, true, "reached"),
    ];
    for (url, config, kind, retryable, words) in cases {
        let list = json!([at(format!("{server}/scene.jpg")), at(url.clone())]);
        let error = desk.run(fetching("images", list, config)).await.unwrap_err();
        assert_eq!((error.kind, error.retryable), (kind, retryable), "{url}: {error}");
        assert!(error.pointer.as_deref().unwrap().starts_with("/input/node/"), "{error:?}");
        assert!(error.message.contains(words) && !error.message.contains("hunter2"), "{url}: {error}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_picture_that_does_not_come_is_not_waited_for_forever() {
    let (mut desk, server) = (Desk::open().await, pictures().await);
    let io = Io { picture_timeout: Duration::from_millis(300), ..local() };
    let worker = desk.worker_out(settings(), repository(), io).await;
    let error = desk.run(fetching("image", at(format!("{server}/never")), json!({}))).await.unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Network, true), "{error}");
    assert!(error.message.contains("within 300 ms"), "{error}");
    worker.stop().await;
}

#[tokio::test]
async fn a_picture_by_url_keeps_to_the_limit_of_the_server_that_took_the_run() {
    let (mut desk, server) = (Desk::open().await, pictures().await);
    let worker = desk.worker_out(settings(), repository(), local()).await;
    let picture = |most: u64| {
        let url = format!("{server}/scene.jpg");
        ImageUrl { url, max_pixels: Some(most) }.to_value()
    };
    // What the input itself would take is more than that.
    let config = json!({"max_pixels": 100_000_000});
    assert!(desk.run(fetching("image", picture(640 * 480), config.clone())).await.is_ok());
    let refused = desk.run(fetching("image", picture(640 * 480 - 1), config)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::InvalidInput);
    assert!(refused.message.contains("more than 307199 pixels"), "{refused}");
    worker.stop().await;
}
