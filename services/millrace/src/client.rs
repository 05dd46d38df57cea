//! The REST api as commands use it.

mod problem;
mod resume;
mod stream;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::ProgressBar;
use reqwest::Method;
use serde_json::Value;

pub(crate) use self::problem::{Problem, faulty_place};
pub(crate) use self::resume::ResumedStream;
pub(crate) use self::stream::{EventStream, Message};
use crate::exit::Misuse;
use crate::up::endpoints::Endpoints;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// The slowest way that a file is sent on before it is given up, bytes per second: the api waits no longer either.
const SLOWEST_UPLOAD_BYTES_PER_S: u64 = 64 * 1024;
/// The longest that a file may take of which nobody knows how long it is.
const LONGEST_UPLOAD: Duration = Duration::from_secs(24 * 3600);
const DEFAULT_URL: &str = "http://127.0.0.1:8080";
/// Where `millrace up` leaves its endpoints when it is not told otherwise.
pub(crate) const DEFAULT_DATA_DIR: &str = ".millrace";

/// The flags of every command that talks to the api.
#[derive(Debug, Args)]
pub(crate) struct ClientArgs {
    /// The api's address; the running `millrace up` of .millrace, else http://127.0.0.1:8080, when none.
    // An address may hold a password, and the help would show it.
    #[arg(long, value_name = "URL", env = "MILLRACE_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,
    /// The api key, for a server that asks for one.
    // Not shown in the help where it comes from the environment.
    #[arg(long, value_name = "KEY", env = "MILLRACE_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// JSON for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What the api says of a run that it was asked to start.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) answer: Value,
    /// Whether it is the run that an earlier request with the same key started.
    pub(crate) replayed: bool,
}

/// A client of one api.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    /// Whether the address was given, and not found.
    named: bool,
    api_key: Option<String>,
}

impl Client {
    /// The client for the address of `flags`, or for the api that can be found.
    pub(crate) fn find(flags: &ClientArgs) -> anyhow::Result<Self> {
        let found = || Endpoints::read(Path::new(DEFAULT_DATA_DIR)).map(|endpoints| endpoints.api);
        // A variable that is set to nothing is as good as none.
        let named = flags.url.as_deref().map(str::trim).filter(|url| !url.is_empty());
        let base = named.map(str::to_owned).or_else(found).unwrap_or_else(|| DEFAULT_URL.to_owned());
        if !base.starts_with("http://") && !base.starts_with("https://") {
            let text = format!("--url (or MILLRACE_URL) {base}: an address begins with http:// or https://");
            return Err(Misuse(text).into());
        }
        let http = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).build()?;
        let api_key = flags.api_key.clone().filter(|key| !key.is_empty());
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), named: named.is_some(), api_key })
    }

    /// What a command that is shown to the user takes to find this api: ` --url …`, or nothing where it is found without.
    pub(crate) fn flag(&self) -> String {
        if self.named { format!(" --url {}", self.base) } else { String::new() }
    }

    /// GET below `/api/v1`.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.json(self.request(Method::GET, path).query(query)).await
    }

    /// POST below `/api/v1` without a body.
    pub(crate) async fn post(&self, path: &str) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, path)).await
    }

    /// The same with a query.
    pub(crate) async fn post_query(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, path).query(query)).await
    }

    /// POST below `/api/v1` with JSON.
    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, path).json(body)).await
    }

    /// PUT below `/api/v1`, only over the version that `etag` names.
    pub(crate) async fn put_json(&self, path: &str, body: &Value, etag: &str) -> anyhow::Result<Value> {
        self.json(self.request(Method::PUT, path).header("if-match", etag).json(body)).await
    }

    /// DELETE below `/api/v1`.
    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.json(self.request(Method::DELETE, path)).await
    }

    /// POST below `/api/v1` with a file as it is, of so many bytes if that is known.
    pub(crate) async fn post_file(
        &self,
        path: &str,
        query: &[(&str, &str)],
        (body, bytes): (reqwest::Body, Option<u64>),
    ) -> anyhow::Result<Value> {
        let sending = |bytes| Duration::from_secs(bytes / SLOWEST_UPLOAD_BYTES_PER_S);
        let request = self.request(Method::POST, path).query(query).body(body);
        let request = request.header("content-type", "application/octet-stream");
        let request =
            bytes.into_iter().fold(request, |request, bytes| request.header("content-length", bytes));
        self.json_within(request, ANSWER_TIMEOUT + bytes.map_or(LONGEST_UPLOAD, sending)).await
    }

    /// POST of parts for what starts a run; with a `key` it may be sent again, and starts none twice.
    pub(crate) async fn start(
        &self,
        path: &str,
        parts: reqwest::multipart::Form,
        key: Option<&str>,
    ) -> anyhow::Result<Started> {
        let request = self.request(Method::POST, path).multipart(parts);
        let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
        let answer = self.send(request.timeout(ANSWER_TIMEOUT)).await?;
        let replayed = answer.headers().get("idempotency-replayed").is_some_and(|said| said == "true");
        Ok(Started { answer: self.read(answer).await?, replayed })
    }

    /// The bytes of a blob; `bar` moves as they come.
    pub(crate) async fn blob(&self, id: &str, bar: &ProgressBar) -> anyhow::Result<Vec<u8>> {
        let mut answer =
            self.send(self.request(Method::GET, &format!("/blobs/{id}")).timeout(ANSWER_TIMEOUT)).await?;
        bar.set_length(answer.content_length().unwrap_or_default());
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            bar.inc(chunk.len() as u64);
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// An event stream from after `last`, the id of the last event that was seen.
    pub(crate) async fn events(
        &self,
        path: &str,
        query: &[(&str, String)],
        last: Option<&str>,
    ) -> anyhow::Result<EventStream> {
        let mut request = self.request(Method::GET, path).query(query).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        Ok(EventStream::new(self.send(request).await?))
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.base));
        match &self.api_key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    async fn json(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        self.json_within(request, ANSWER_TIMEOUT).await
    }

    async fn json_within(&self, request: reqwest::RequestBuilder, limit: Duration) -> anyhow::Result<Value> {
        let answer = self.send(request.timeout(limit)).await?;
        self.read(answer).await
    }

    async fn read(&self, answer: reqwest::Response) -> anyhow::Result<Value> {
        let text = answer.text().await?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text)
            .with_context(|| format!("{} answered something that is not JSON", self.base))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let unreachable = || {
            format!(
                "cannot reach the api at {}; is `millrace up` running? (--url or MILLRACE_URL names another)",
                self.base
            )
        };
        let answer = request.send().await.with_context(unreachable)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        let problem = Problem::read(status.as_u16(), &text);
        if problem.status == 401 {
            return Err(
                anyhow::Error::new(problem).context("show an api key: --api-key, or MILLRACE_API_KEY")
            );
        }
        Err(problem.into())
    }
}
