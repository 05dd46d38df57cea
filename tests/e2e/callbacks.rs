//! `callback_url`: the end of a run is posted until it is taken, signed, and never to an address that strangers must not reach.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use millrace_testkit::eventually;
use serde_json::{Value, json};

use crate::support::client::{RUN_DEADLINE, expect};
use crate::support::stack::Servers;
use crate::support::{Client, Stack};

type Inbox = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// Busy twice, then thankful.
async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut inbox = inbox.lock().expect("no test panics while it holds this");
    inbox.push((headers, serde_json::from_slice(&body).unwrap_or_default()));
    if inbox.len() < 3 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
}

/// A server of this machine; its address, and what it was told.
#[expect(clippy::disallowed_methods, reason = "a test's own server, which ends with the test")]
async fn receiver() -> anyhow::Result<(String, Inbox)> {
    let inbox = Inbox::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/done", listener.local_addr()?);
    let routes = Router::new().fallback(take).with_state(inbox.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok((url, inbox))
}

/// Runs a workflow that ends by itself; its page once the call-back has been settled.
async fn run_calling_back(client: &Client, url: &str) -> anyhow::Result<Value> {
    let definition = json!({"name": "constant", "nodes": [
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer", "default": 7}},
        {"id": "answer", "type": "json_output", "inputs": {"n": "$inputs.n"}},
    ]});
    let body = json!({"workflow": definition, "callback_url": url});
    let accepted = expect(client.post("/executions", &body).await?, reqwest::StatusCode::ACCEPTED).await?;
    let path = format!("/executions/{}", accepted["execution_id"].as_str().unwrap_or_default());
    eventually(RUN_DEADLINE, "the call-back is settled", async || {
        let run = client.get_json(&path).await?;
        let settled = matches!(run["callback"]["status"].as_str(), Some("delivered" | "failed"));
        anyhow::Ok(settled.then_some(run))
    })
    .await
}

#[tokio::test]
async fn the_end_of_a_run_is_told_until_somebody_takes_it() -> anyhow::Result<()> {
    let settings = [
        ("MILLRACE__IO__ALLOW_PRIVATE", "true"),
        ("MILLRACE__IO__SECRETS", r#"{"callbacks": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#),
        ("MILLRACE__ORCHESTRATOR__CALLBACK_SIGNING_SECRET", "callbacks"),
    ];
    let stack = Stack::with(Servers::start().await?, &settings)?;
    let (url, inbox) = receiver().await?;
    let run = run_calling_back(&stack.client(), &url).await?;
    let callback = &run["callback"];
    assert_eq!(
        (&callback["status"], &callback["attempts"], &callback["url"]),
        (&json!("delivered"), &json!(3), &json!(url)),
        "{run}"
    );
    let came = std::mem::take(&mut *inbox.lock().expect("no test panics while it holds this"));
    assert_eq!(came.len(), 3);
    for (headers, event) in &came {
        assert_eq!(headers["idempotency-key"], came[0].0["idempotency-key"]);
        assert_eq!(headers["content-type"], "application/cloudevents+json; charset=utf-8");
        assert!(headers["webhook-signature"].to_str()?.starts_with("v1,"));
        assert_eq!(
            (&event["type"], &event["executionid"]),
            (&json!("millrace.workflow.completed"), &run["execution_id"])
        );
        assert_eq!(event["data"]["outputs"], json!({"answer": {"n": 7}}));
    }
    Ok(())
}

#[tokio::test]
async fn an_address_of_this_machine_is_not_called_unless_an_operator_allows_it() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let (url, inbox) = receiver().await?;
    let run = run_calling_back(&stack.client(), &url).await?;
    assert_eq!(run["callback"]["status"], "failed", "{run}");
    let error = run["callback"]["error"].as_str().unwrap_or_default();
    assert!(error.contains("not a public address"), "{run}");
    assert_eq!(run["status"], "completed", "the run itself is none the worse for it");
    assert!(inbox.lock().expect("no test panics while it holds this").is_empty());
    Ok(())
}
