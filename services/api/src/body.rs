//! Reading request bodies: by type, within limits, and within one allowance of memory for all requests together.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::BytesMut;
use futures::{Stream, StreamExt};
use millrace_contracts::Fault;
use serde_json::{Map, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Code, Problem};
use crate::state::App;

/// Allowance for the bodies of all requests together, KiB: 256 MiB. Parsed and decoded they take a few times that.
pub(crate) const MEMORY_KIB: usize = 256 * 1024;
/// Largest JSON body, bytes. Files go by multipart or `POST /blobs`, which do not stay in memory.
const MAX_JSON_BYTES: u64 = 32 * 1024 * 1024;
/// Objects and lists inside each other that the parser reads, and how its refusal of more begins.
const MAX_DEPTH: usize = 127;
const TOO_DEEP: &str = "recursion limit exceeded";
/// Of a body that is refused, so much is read and thrown away, bytes.
const MAX_DRAINED_BYTES: usize = 64 * 1024 * 1024;
/// And for no longer than this.
const MAX_DRAIN: Duration = Duration::from_secs(5);

/// A body in memory, with the allowance it takes up.
pub(crate) struct Held<T> {
    /// What was read.
    pub(crate) value: T,
    /// Given back when the request is done with it.
    pub(crate) memory: Vec<OwnedSemaphorePermit>,
}

/// What kind of body a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyType {
    /// `application/json`, or a `+json` type.
    Json,
    /// `multipart/form-data`.
    Multipart,
    /// Anything else, or nothing said.
    Other,
}

/// What the `Content-Type` header says.
pub(crate) fn body_type(headers: &HeaderMap) -> BodyType {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => BodyType::Json,
        "multipart/form-data" => BodyType::Multipart,
        other if other.starts_with("application/") && other.ends_with("+json") => BodyType::Json,
        _ => BodyType::Other,
    }
}

/// The problem of a body that is not of a type taken here.
pub(crate) fn unsupported(taken: &str) -> Problem {
    Problem::new(Code::UnsupportedMediaType, format!("send the body as {taken}, and say so in Content-Type"))
}

/// The largest JSON body, bytes.
pub(crate) fn max_json(app: &App) -> u64 {
    app.settings.max_body.bytes().min(MAX_JSON_BYTES)
}

/// Reads a JSON body of at most `limit` bytes.
pub(crate) async fn json(app: &App, request: Request, limit: u64) -> Result<Held<Value>, Problem> {
    if body_type(request.headers()) != BodyType::Json {
        return Err(unsupported("application/json"));
    }
    not_encoded(request.headers())?;
    let held = bytes(app, request.into_body(), limit).await?;
    Ok(Held { value: parse(&held.value)?, memory: held.memory })
}

/// Reads a JSON object of at most `limit` bytes.
pub(crate) async fn object(
    app: &App,
    request: Request,
    limit: u64,
) -> Result<Held<Map<String, Value>>, Problem> {
    let held = json(app, request, limit).await?;
    Ok(Held { value: into_object(held.value, "")?, memory: held.memory })
}

/// Reads a JSON object of at most `limit` bytes, where a body may be left out, or be null. Without one it is the same what the
/// headers say of it; one that is there is never passed over.
pub(crate) async fn object_if_any(
    app: &App,
    request: Request,
    limit: u64,
) -> Result<Option<Map<String, Value>>, Problem> {
    let (parts, body) = request.into_parts();
    let held = bytes(app, body, limit).await?;
    if held.value.is_empty() {
        return Ok(None);
    }
    if body_type(&parts.headers) != BodyType::Json {
        return Err(unsupported("application/json"));
    }
    not_encoded(&parts.headers)?;
    match parse(&held.value)? {
        Value::Null => Ok(None),
        value => into_object(value, "").map(Some),
    }
}

/// Refuses a body that is not sent as it is: nothing is unpacked here.
pub(crate) fn not_encoded(headers: &HeaderMap) -> Result<(), Problem> {
    let said = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or_default().trim());
    match said {
        None | Some("") => Ok(()),
        Some(name) if name.eq_ignore_ascii_case("identity") => Ok(()),
        Some(_) => Err(Problem::new(
            Code::UnsupportedMediaType,
            "packed bodies are not unpacked here; send it as it is, without Content-Encoding",
        )),
    }
}

/// The object that `value` is.
pub(crate) fn into_object(value: Value, pointer: &str) -> Result<Map<String, Value>, Problem> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => {
            let message = format!("an object is wanted here, not {}", type_name(&other));
            Err(Problem::fault(Code::InvalidRequest, Fault::new("INVALID_TYPE", pointer, message)))
        }
    }
}

/// What a JSON value is called.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Parses JSON; a mistake is told with its line and column.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes).map_err(|fault| {
        let message = if bytes.is_empty() {
            "the body is empty; JSON is wanted".to_owned()
        } else if fault.to_string().starts_with(TOO_DEEP) {
            format!("this JSON is too deep: at most {MAX_DEPTH} objects and lists inside each other are read")
        } else {
            format!("this is not JSON: {fault}")
        };
        Problem::fault(Code::MalformedBody, Fault::new("INVALID_JSON", "", message))
    })
}

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn bytes(app: &App, body: Body, limit: u64) -> Result<Held<Bytes>, Problem> {
    let mut chunks = body.into_data_stream();
    let mut buffer = BytesMut::new();
    let mut memory = Memory::new(app.body_memory.clone());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(broken_off)?;
        if buffer.len() as u64 + chunk.len() as u64 > limit {
            drain(&mut chunks).await;
            return Err(too_large(limit));
        }
        memory.take(chunk.len())?;
        buffer.extend_from_slice(&chunk);
    }
    Ok(Held { value: buffer.freeze(), memory: memory.permits })
}

/// Reads on and throws away, for a while: a connection that is closed on a sender often costs it the answer.
pub(crate) async fn drain<E>(chunks: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin)) {
    let mut left = MAX_DRAINED_BYTES;
    let all = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    drop(tokio::time::timeout(MAX_DRAIN, all).await);
}

/// The allowance of one body, taken as it arrives.
pub(crate) struct Memory {
    all: Arc<Semaphore>,
    permits: Vec<OwnedSemaphorePermit>,
    /// Bytes that the permits still cover.
    spare: usize,
}

impl Memory {
    /// Nothing yet, of `all`.
    pub(crate) fn new(all: Arc<Semaphore>) -> Self {
        Self { all, permits: Vec::new(), spare: 0 }
    }

    /// Room for `bytes` more.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        if bytes > self.spare {
            // In steps, so that small bodies cost one permit and large ones not thousands.
            let kib = (bytes - self.spare).div_ceil(1024).max(64);
            let permit = self.all.clone().try_acquire_many_owned(u32::try_from(kib).unwrap_or(u32::MAX));
            self.permits.push(permit.map_err(|_| {
                Problem::new(
                    Code::Overloaded,
                    "the bodies of other requests fill the memory; send it again in a moment",
                )
            })?);
            self.spare += kib * 1024;
        }
        self.spare -= bytes;
        Ok(())
    }

    /// The allowance, to be held on to.
    pub(crate) fn into_permits(self) -> Vec<OwnedSemaphorePermit> {
        self.permits
    }
}

/// The problem of a body, or a part held in memory, over its limit.
pub(crate) fn too_large(limit: u64) -> Problem {
    let advice = "send pictures as files, or upload them to /api/v1/blobs first";
    Problem::new(Code::PayloadTooLarge, format!("at most {} are taken here; {advice}", size(limit)))
}

/// The problem of a file over its limit.
pub(crate) fn file_too_large(limit: u64) -> Problem {
    let advice = "make it smaller, or have the server's limits raised (`api.max_body`, `blobs.max_blob`); a file of a \
                  model to be registered is sent to /api/v1/blobs?for=model";
    Problem::new(Code::PayloadTooLarge, format!("a file may have {} at most; {advice}", size(limit)))
}

/// The problem of a model's file over its limit.
pub(crate) fn model_too_large(limit: u64) -> Problem {
    let advice = "have the server's limit raised (`models.max_file`)";
    Problem::new(
        Code::PayloadTooLarge,
        format!("a file of a model may have {} at most; {advice}", size(limit)),
    )
}

fn size(bytes: u64) -> String {
    if bytes >= 1024 * 1024 { format!("{} MiB", bytes >> 20) } else { format!("{bytes} bytes") }
}

/// The problem of a body whose sender went away in the middle.
pub(crate) fn broken_off(error: axum::Error) -> Problem {
    Problem::new(Code::MalformedBody, "the body broke off before its end").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_read_whatever_its_case_and_parameters() {
        let with = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, text.parse().unwrap());
            body_type(&headers)
        };
        assert_eq!(with("Application/JSON; charset=utf-8"), BodyType::Json);
        assert_eq!(with("application/cloudevents+json"), BodyType::Json);
        assert_eq!(with("multipart/form-data; boundary=x"), BodyType::Multipart);
        assert_eq!(with("text/plain"), BodyType::Other);
        assert_eq!(body_type(&HeaderMap::new()), BodyType::Other);
    }

    #[test]
    fn memory_is_shared_by_all_bodies() {
        let all = Arc::new(Semaphore::new(128));
        let mut one = Memory::new(all.clone());
        one.take(10).unwrap();
        one.take(100).unwrap();
        assert_eq!(all.available_permits(), 64);
        let mut two = Memory::new(all);
        assert_eq!(two.take(65 * 1024).unwrap_err().code(), Code::Overloaded);
        drop(one);
        two.take(65 * 1024).unwrap();
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place() {
        let problem = parse(b"{\"a\": }").unwrap_err();
        assert_eq!(problem.code(), Code::MalformedBody);
        assert!(problem.errors()[0].message.contains("line 1 column 7"), "{:?}", problem.errors());
        let nested = |depth: usize| parse(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
        assert!(nested(MAX_DEPTH).is_ok());
        let problem = nested(MAX_DEPTH + 1).unwrap_err();
        assert!(problem.errors()[0].message.contains("too deep"), "{:?}", problem.errors());
    }
}
