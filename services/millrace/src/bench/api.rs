//! The REST api as the load generator uses it: few calls, no more work per call than they need.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use millrace_contracts::{EventType, ExecutionId};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{EventStream, Message, Problem};

/// Longest a submission may take before it counts as failed.
const ANSWER: Duration = Duration::from_secs(30);
/// Longest a run may take before it counts as lost.
const RUN: Duration = Duration::from_secs(60);

/// A client of one api.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    base: String,
}

/// The way to submit runs of one workflow: the same bytes every time.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    url: String,
    body: Bytes,
}

#[derive(Deserialize)]
struct AcceptedBatch {
    execution_ids: Vec<ExecutionId>,
}

#[derive(Deserialize)]
struct Accepted {
    execution_id: ExecutionId,
}

impl Submission {
    /// Runs at `url`, which [`Api::save`] gave, with `options`.
    pub(crate) fn new(url: &str, options: &Value) -> Self {
        Self { url: url.to_owned(), body: options.to_string().into() }
    }
}

impl Api {
    pub(crate) fn new(api: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().connect_timeout(ANSWER).pool_max_idle_per_host(512).build()?;
        Ok(Self { http, base: api.trim_end_matches('/').to_owned() })
    }

    /// Saves a workflow, and prepares runs of it with `options`, the body of the run request.
    pub(crate) async fn prepare(&self, definition: &Value, options: &Value) -> anyhow::Result<Submission> {
        Ok(Submission { url: self.save(definition).await?, body: options.to_string().into() })
    }

    /// Saves a workflow; where its runs are submitted.
    pub(crate) async fn save(&self, definition: &Value) -> anyhow::Result<String> {
        let saved: Value = ask(self.http.post(self.url("/workflows")).json(definition)).await?.json().await?;
        let id = saved["id"].as_str().context("a saved workflow has an id")?;
        Ok(self.url(&format!("/workflows/{id}/run")))
    }

    /// Uploads a picture, and gives it as the value of an input.
    pub(crate) async fn upload(&self, picture: impl Into<Bytes>, media_type: &str) -> anyhow::Result<Value> {
        let request =
            self.http.post(self.url("/blobs")).header("content-type", media_type).body(picture.into());
        let answer: Value = ask(request).await?.json().await?;
        Ok(json!(format!("blob:{}", answer["blob"].as_str().context("an uploaded blob has an id")?)))
    }

    /// Submits one run.
    pub(crate) async fn submit(&self, submission: &Submission) -> anyhow::Result<ExecutionId> {
        let request = self.http.post(&submission.url).header("content-type", "application/json");
        let answer = ask(request.body(submission.body.clone())).await?;
        Ok(serde_json::from_slice::<Accepted>(&answer.bytes().await?)?.execution_id)
    }

    /// Submits a batch, `{"inputs": […]}`, of the workflow whose runs go to `url`.
    pub(crate) async fn submit_batch(&self, url: &str, body: &Value) -> anyhow::Result<Vec<ExecutionId>> {
        let answer = ask(self.http.post(format!("{url}-batch")).json(body)).await?;
        Ok(answer.json::<AcceptedBatch>().await?.execution_ids)
    }

    /// A run as it is shown.
    pub(crate) async fn execution(&self, run: ExecutionId) -> anyhow::Result<Value> {
        Ok(ask(self.http.get(self.url(&format!("/executions/{run}")))).await?.json().await?)
    }

    /// Cancels a run.
    pub(crate) async fn cancel(&self, run: ExecutionId) -> anyhow::Result<()> {
        ask(self.http.post(self.url(&format!("/executions/{run}/cancel")))).await?;
        Ok(())
    }

    /// An event stream: `/events?…` or `/executions/{id}/events?…`.
    pub(crate) async fn events(&self, path: &str) -> anyhow::Result<EventStream> {
        let request = self.http.get(self.url(path)).header("accept", "text/event-stream");
        Ok(EventStream::new(answered(request.send().await?).await?))
    }

    /// Submits a run and follows it by its own stream from the beginning; when its terminal event came.
    pub(crate) async fn run_and_follow(
        &self,
        submission: &Submission,
    ) -> anyhow::Result<(ExecutionId, Instant)> {
        let id = self.submit(submission).await?;
        let followed = self.follow(id, |_| {});
        Ok((id, tokio::time::timeout(RUN, followed).await.with_context(|| format!("run {id} did not end"))??))
    }

    /// Follows a run from its beginning and shows each message to `see`; when its terminal event came.
    pub(crate) async fn follow(
        &self,
        run: ExecutionId,
        mut see: impl FnMut(&Message),
    ) -> anyhow::Result<Instant> {
        let mut stream = self.events(&format!("/executions/{run}/events?from=0")).await?;
        let mut ended = None;
        // To the very end, so that the connection can be used again.
        while let Some(message) = stream.next().await {
            let message = message?;
            if ended.is_none() && is_terminal(&message.event) {
                ended = Some(Instant::now());
                anyhow::ensure!(message.event == "completed", "run {run} ended as {}", message.data);
            }
            see(&message);
        }
        ended.with_context(|| format!("the stream of run {run} ended before it"))
    }

    /// The counters at `/metrics`, added up over their labels; none where they are not served.
    pub(crate) async fn metrics(&self) -> Vec<(String, f64)> {
        let Ok(answer) = ask(self.http.get(format!("{}/metrics", self.base))).await else {
            return Vec::new();
        };
        read_metrics(&answer.text().await.unwrap_or_default())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.base)
    }
}

/// Whether an SSE event of this name ends a run.
pub(crate) fn is_terminal(name: &str) -> bool {
    const ENDS: [EventType; 3] =
        [EventType::WorkflowCompleted, EventType::WorkflowFailed, EventType::WorkflowCancelled];
    ENDS.iter().any(|kind| kind.channel().strip_prefix("workflow:") == Some(name))
}

async fn ask(request: RequestBuilder) -> anyhow::Result<Response> {
    answered(request.timeout(ANSWER).send().await?).await
}

async fn answered(answer: Response) -> anyhow::Result<Response> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status().as_u16();
    Err(Problem::read(status, &answer.text().await.unwrap_or_default()).into())
}

/// Our own counters of a Prometheus page.
fn read_metrics(page: &str) -> Vec<(String, f64)> {
    let mut sums = std::collections::BTreeMap::<String, f64>::new();
    for line in page.lines().filter(|line| line.starts_with("millrace_")) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let name = series.split('{').next().unwrap_or(series);
        let counts = ["_total", "_sum", "_count"].iter().any(|end| name.ends_with(end));
        if let (true, Ok(value)) = (counts, value.parse::<f64>()) {
            *sums.entry(name.to_owned()).or_default() += value;
        }
    }
    sums.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_events_are_known_by_name() {
        assert!(is_terminal("completed") && is_terminal("failed") && is_terminal("cancelled"));
        assert!(!is_terminal("node.completed") && !is_terminal("end"));
    }

    #[test]
    fn counters_are_added_up_over_labels_and_gauges_left_out() {
        let page = "# TYPE x counter\nmillrace_a_total{k=\"1\"} 2\nmillrace_a_total{k=\"2\"} 3\nmillrace_depth 9\nother_total 1\n";
        assert_eq!(read_metrics(page), [("millrace_a_total".to_owned(), 5.0)]);
    }
}
