//! `webhook`: tells another system.

use std::collections::BTreeMap;

use millrace_contracts::{IO_POOL, Kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::block::{Block, Category, Example, Problem, Runner, Subject};
use crate::ports::{InputPort, OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Its name in `type`.
pub const NAME: &str = "webhook";

/// Configuration of `webhook`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it goes: http://… or https://…, without user and password.
    #[schemars(length(min = 1, max = 4096))]
    pub url: String,
    /// How it is sent.
    #[serde(default)]
    pub method: Method,
    /// Headers by name.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 64))]
    pub headers: BTreeMap<String, String>,
    /// Headers whose values are secrets: name of the header → name of the secret in the settings (`io.secrets`).
    #[serde(default)]
    #[schemars(extend("maxProperties" = 64))]
    pub secret_headers: BTreeMap<String, String>,
    /// The body, with selectors anywhere inside; the input `payload` when absent. A text goes as text, all else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// How long one attempt may take, milliseconds.
    #[serde(default = "ten_seconds")]
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u64,
    /// Attempts in all, after 429, 5xx, or no answer. Pauses grow from half a second, and `Retry-After` is honoured.
    #[serde(default = "four")]
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: u32,
    /// The secret in the settings (`io.secrets`) to sign with, after Standard Webhooks; not signed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub signing_secret: Option<String>,
}

/// How it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// With a body.
    #[default]
    Post,
    /// With a body.
    Put,
    /// Without a body.
    Get,
}

fn ten_seconds() -> u64 {
    10_000
}

fn four() -> u32 {
    4
}

/// Headers that the block sets itself, or that belong to the connection.
const OWN_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "idempotency-key",
    "te",
    "transfer-encoding",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: NAME,
        version: 1,
        category: Category::Output,
        title: "Webhook",
        help: "Tells another system by HTTP: signed, with retries, and with an Idempotency-Key.",
        runner: Runner::Worker { pool: IO_POOL, model: false },
        pure: false,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: vec![InputPort::optional(
            "payload",
            Kind::Any,
            "What is told, unless `body` says otherwise; only waited for by a GET.",
        )],
        further_inputs: None,
        outputs: Outputs::fixed(vec![
            OutputPort::new("status", Kind::Integer, "The answer's HTTP status, 200 to 299."),
            OutputPort::new("attempts", Kind::Integer, "How often it was sent."),
            OutputPort::new("latency_ms", Kind::Integer, "How long the last attempt took, milliseconds."),
            OutputPort::new("response", Kind::Any, "The answer's body: JSON as such, all else as text."),
        ]),
        check: Some(check),
        examples: vec![
            Example {
                title: "What was found, signed",
                node: json!({
                    "id": "tell", "type": "webhook", "inputs": {"payload": "$nodes.detect.detections"},
                    "config": {"url": "https://example.com/hooks/found", "signing_secret": "crm"}
                }),
            },
            Example {
                title: "A message to a chat",
                node: json!({
                    "id": "chat", "type": "webhook",
                    "config": {
                        "url": "https://chat.example.com/post", "secret_headers": {"Authorization": "chat"},
                        "body": {"text": "Somebody is at the door", "count": "$nodes.detect.count"}
                    }
                }),
            },
        ],
    }
}

fn check(placed: &Placed<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let is_get = placed.text("method") == Some("GET");
    if !is_get && !placed.has("body") && !placed.inputs.contains_key("payload") {
        problems.push(Problem {
            subject: Subject::MissingInput("payload"),
            message: "there is nothing to tell".to_owned(),
            hint: "wire a value to `payload`, or write `body` into the configuration".to_owned(),
        });
    }
    if let Some(url) = placed.text("url").filter(|url| !is_web(url)) {
        let message = format!("{:?} is no address", url.chars().take(80).collect::<String>());
        problems.push(Problem::config("url", message, "write http://… or https://…"));
    }
    for field in ["headers", "secret_headers"] {
        let names =
            placed.config.get(field).and_then(Value::as_object).into_iter().flat_map(|map| map.keys());
        let wrong = names.filter(|name| !is_header(name));
        problems.extend(wrong.map(|name| {
            let message = format!("the header {name:?} cannot be set here");
            Problem::config(
                field,
                message,
                "use letters, digits and hyphens; some headers the block sets itself",
            )
        }));
    }
    problems
}

fn is_web(url: &str) -> bool {
    let start = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    start.starts_with("http://") || start.starts_with("https://")
}

/// A token of RFC 9110, as far as anybody uses them, that is not the block's own.
fn is_header(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !name.is_empty() && name.chars().all(plain) && !OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(config: &Value, inputs: &[&str]) -> Vec<Subject> {
        let inputs = inputs.iter().map(|name| ((*name).to_owned(), Kind::Any)).collect();
        let placed = Placed { config: config.as_object().unwrap(), inputs: &inputs };
        check(&placed).into_iter().map(|problem| problem.subject).collect()
    }

    #[test]
    fn something_is_told_to_an_address() {
        let url = "https://example.com";
        assert!(problems(&json!({"url": url}), &["payload"]).is_empty());
        assert!(problems(&json!({"url": url, "method": "GET"}), &[]).is_empty());
        assert!(problems(&json!({"url": "$inputs.url", "body": 1}), &[]).is_empty());
        assert_eq!(problems(&json!({"url": url}), &[]), [Subject::MissingInput("payload")]);
        assert_eq!(problems(&json!({"url": "ftp://x", "body": 1}), &[]), [Subject::Config("url")]);
        // In vain, and no fault: the compiler warns of it.
        assert!(problems(&json!({"url": url, "method": "GET", "body": 1}), &[]).is_empty());
    }

    #[test]
    fn headers_have_names_and_are_not_the_blocks_own() {
        for name in ["X-Team", "Authorization", "x_y"] {
            assert!(is_header(name), "{name}");
        }
        for name in ["", "a b", "a:b", "Host", "Webhook-Signature", "Idempotency-Key", "ä", "a\r\nb"] {
            assert!(!is_header(name), "{name}");
        }
    }
}
