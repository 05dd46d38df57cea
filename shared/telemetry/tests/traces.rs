//! What is exported, and under which trace, by a collector of this machine.
#![allow(clippy::disallowed_methods, reason = "a test's own server, which the test ends")]

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use millrace_telemetry::{Traceparent, follow, init};
use tokio::sync::mpsc;

/// Whether `bytes` holds `part`: names and ids stand in protobuf as they are.
fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_of_ours_are_exported_in_the_trace_they_follow_and_no_others() {
    // Refused where it is there already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let (tell, mut told) = mpsc::unbounded_channel();
    let tell = Arc::new(tell);
    let collect = post(async move |body: Bytes| drop(tell.send(body)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = axum::serve(listener, Router::new().route("/v1/traces", collect)).into_future();
    let server = tokio::spawn(server);
    let settings = millrace_config::Telemetry {
        otlp_endpoint: Some(format!("http://{address}")),
        trace_ratio: 0.5,
        ..millrace_config::Telemetry::default()
    };
    let telemetry = init(&settings, "test").unwrap();

    let (mut sampled, mut other) = (None, None);
    while sampled.is_none() || other.is_none() {
        let root = Traceparent::generate();
        let slot = if root.to_string().ends_with("-01") { &mut sampled } else { &mut other };
        *slot = Some(root);
    }
    for (root, name) in [(sampled, "of-a-sampled-trace"), (other, "of-another-trace")] {
        let span = tracing::info_span!(target: "millrace_spans", "job", otel.name = name);
        follow(&span, root.map(|root| root.child().to_string()).as_deref());
        span.in_scope(|| {
            tracing::trace_span!(target: "h2::codec", "of-a-library").in_scope(|| {});
            tracing::info_span!(target: "millrace_api", "of-the-house").in_scope(|| {});
        });
    }
    tokio::task::spawn_blocking(|| telemetry.shutdown()).await.unwrap();
    server.abort();

    let mut exported = Vec::new();
    while let Ok(body) = told.try_recv() {
        exported.extend_from_slice(&body);
    }
    assert!(holds(&exported, b"of-a-sampled-trace") && holds(&exported, b"of-the-house"));
    assert!(!holds(&exported, b"of-another-trace") && !holds(&exported, b"of-a-library"));
    let trace = u128::from_str_radix(&sampled.unwrap().trace_id(), 16).unwrap();
    assert!(holds(&exported, &trace.to_be_bytes()), "what a run calls its trace is that of its spans");
}
