//! An answer, read whole.

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::described;

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as JSON; null when it is none.
    pub(crate) body: Value,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    /// Sends `request`; the answer has to be as the document describes it.
    pub(crate) async fn of(request: RequestBuilder) -> anyhow::Result<Self> {
        let (client, request) = request.build_split();
        let request = request?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?.to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        let reply = Self { status, headers, body, bytes };
        described::check(&method, &path, status, reply.header("content-type"), &reply.body);
        Ok(reply)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Checks that this is a problem of this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["type"], format!("urn:millrace:error:{code}"));
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["retryable"], matches!(status, 429 | 503));
        assert_eq!(self.header("retry-after").is_empty(), !matches!(status, 429 | 503));
        assert!(self.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        self
    }

    /// Checks that the problem names this fault: code, node, pointer.
    #[track_caller]
    pub(crate) fn fault(&self, code: &str, node: Option<&str>, pointer: &str) {
        let faults = self.body["errors"].as_array().cloned().unwrap_or_default();
        let wanted = |fault: &&Value| {
            fault["code"] == code && fault["node"].as_str() == node && fault["pointer"] == pointer
        };
        let found = faults.iter().find(wanted);
        assert!(
            found.is_some_and(|fault| fault["message"].is_string()),
            "no {code} at {pointer}: {faults:#?}"
        );
    }
}
