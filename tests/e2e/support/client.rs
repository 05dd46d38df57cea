//! A plain client of the public contract: REST by reqwest, SSE by a real event-stream parser.

use std::time::Duration;

use anyhow::Context;
use eventsource_stream::Eventsource;
use futures::StreamExt;
use millrace_testkit::eventually;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use super::events::SseEvent;

/// A run of a small workflow takes milliseconds; this is for a machine that is busy with other tests.
pub(crate) const RUN_DEADLINE: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub(crate) fn new(api: &str) -> Self {
        // Refused where another fixture of this process was first.
        drop(rustls::crypto::ring::default_provider().install_default());
        Self { http: reqwest::Client::new(), base: format!("{}/api/v1", api.trim_end_matches('/')) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Response> {
        Ok(self.http.get(self.url(path)).send().await?)
    }

    pub(crate) async fn get_json(&self, path: &str) -> anyhow::Result<Value> {
        expect(self.get(path).await?, StatusCode::OK).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Response> {
        Ok(self.http.post(self.url(path)).json(body).send().await?)
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Response> {
        Ok(self.http.put(self.url(path)).json(body).send().await?)
    }

    pub(crate) async fn post_text(&self, path: &str, body: &str) -> anyhow::Result<Response> {
        let request = self.http.post(self.url(path)).header("content-type", "application/json");
        Ok(request.body(body.to_owned()).send().await?)
    }

    pub(crate) async fn post_form(
        &self,
        path: &str,
        form: reqwest::multipart::Form,
    ) -> anyhow::Result<Response> {
        Ok(self.http.post(self.url(path)).multipart(form).send().await?)
    }

    /// Saves a workflow and gives its id.
    pub(crate) async fn save(&self, definition: &Value) -> anyhow::Result<String> {
        let saved = expect(self.post("/workflows", definition).await?, StatusCode::CREATED).await?;
        Ok(saved["id"].as_str().context("a saved workflow has an id")?.to_owned())
    }

    /// Uploads bytes and gives their blob id.
    pub(crate) async fn upload(&self, bytes: Vec<u8>) -> anyhow::Result<String> {
        let request = self.http.post(self.url("/blobs")).header("content-type", "application/octet-stream");
        let response = request.body(bytes).send().await?;
        let status = response.status();
        anyhow::ensure!(status.is_success(), "upload: {status}");
        let blob: Value = response.json().await?;
        Ok(blob["blob"].as_str().context("an uploaded blob has an id")?.to_owned())
    }

    /// Submits a run of a saved workflow and gives its id.
    pub(crate) async fn run(&self, workflow: &str, input: Value) -> anyhow::Result<String> {
        let answer = self.post(&format!("/workflows/{workflow}/run"), &json!({"input": input})).await?;
        let accepted = expect(answer, StatusCode::ACCEPTED).await?;
        Ok(accepted["execution_id"].as_str().context("an accepted run has an id")?.to_owned())
    }

    /// Submits a run of an unsaved definition and gives its id.
    pub(crate) async fn run_unsaved(&self, definition: &Value, input: Value) -> anyhow::Result<String> {
        let body = json!({"workflow": definition, "input": input});
        let accepted = expect(self.post("/executions", &body).await?, StatusCode::ACCEPTED).await?;
        Ok(accepted["execution_id"].as_str().context("an accepted run has an id")?.to_owned())
    }

    /// Follows a run's events from `query` (`""`, `"?from=0"`) until the server says `end`.
    pub(crate) async fn follow(&self, execution: &str, query: &str) -> anyhow::Result<Vec<SseEvent>> {
        self.follow_after(execution, query, None).await
    }

    /// The same, as a client that reconnects after `last_event_id`.
    pub(crate) async fn follow_after(
        &self,
        execution: &str,
        query: &str,
        last_event_id: Option<&str>,
    ) -> anyhow::Result<Vec<SseEvent>> {
        let mut request = self.http.get(self.url(&format!("/executions/{execution}/events{query}")));
        request = request.header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await?;
        anyhow::ensure!(response.status() == StatusCode::OK, "events: {}", response.status());
        let mut stream = response.bytes_stream().eventsource();
        let mut events = Vec::new();
        let reading = async {
            while let Some(event) = stream.next().await {
                let event = event?;
                let done = event.event == "end";
                events.push(SseEvent::from(event));
                if done {
                    return Ok(());
                }
            }
            anyhow::bail!("the stream of {execution} closed without `end`")
        };
        tokio::time::timeout(RUN_DEADLINE, reading)
            .await
            .with_context(|| format!("run {execution} did not end in time"))??;
        Ok(events)
    }

    /// The run's record, once it has ended.
    pub(crate) async fn ended(&self, execution: &str) -> anyhow::Result<Value> {
        let path = format!("/executions/{execution}");
        eventually(RUN_DEADLINE, "the run ends", async || {
            let run = self.get_json(&path).await?;
            let open = matches!(run["status"].as_str(), Some("pending" | "running"));
            Ok::<_, anyhow::Error>((!open).then_some(run))
        })
        .await
    }
}

/// The JSON of an answer that must have this status; the whole answer in the error otherwise.
pub(crate) async fn expect(response: Response, status: StatusCode) -> anyhow::Result<Value> {
    let found = response.status();
    let text = response.text().await?;
    anyhow::ensure!(found == status, "expected {status}, got {found}: {text}");
    Ok(serde_json::from_str(&text)?)
}
