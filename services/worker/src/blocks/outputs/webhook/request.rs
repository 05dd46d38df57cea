//! What is sent: written once, sealed with the time of each attempt.

use bytes::Bytes;
use millrace_blocks::outputs::webhook::{Config, Method};
use millrace_contracts::fault::pointer_token;
use millrace_contracts::job::CALLBACK_NODE;
use millrace_contracts::values::link_images;
use millrace_contracts::{ErrorKind, JobError, UnixMillis};
use millrace_fetch::Outgoing;
use millrace_fetch::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::signature::{Key, Signed};
use crate::job::JobContext;

/// A request but for its time and signature.
pub(super) struct Letter {
    request: Outgoing,
    /// The job: what is sent again is the same.
    id: String,
    key: Option<Key>,
}

impl Letter {
    pub(super) fn write(context: &JobContext, config: &Config) -> Result<Self, JobError> {
        let (body, content_type) = match config.method {
            Method::Get => (Bytes::new(), None),
            Method::Post | Method::Put => written(context, config),
        };
        let mut headers = HeaderMap::new();
        headers.extend(content_type.map(|kind| (CONTENT_TYPE, HeaderValue::from_static(kind))));
        for (name, value) in &config.headers {
            add(&mut headers, "headers", name, value, false)?;
        }
        for (name, secret) in &config.secret_headers {
            let pointer = format!("/config/secret_headers/{}", pointer_token(name));
            let value = context.shared.outside.secret(secret, &pointer)?;
            add(&mut headers, "secret_headers", name, value, true)?;
        }
        let id = context.job.id.to_string();
        add(&mut headers, "headers", "idempotency-key", &id, false)?;
        let key = config.signing_secret.as_deref().map(|name| {
            let secret = context.shared.outside.secret(name, "/config/signing_secret")?;
            Key::read(secret).ok_or_else(|| {
                let message =
                    format!("the secret {name:?} is not base64, with or without `whsec_` before it");
                JobError::new(ErrorKind::InvalidConfig, message).at("/config/signing_secret")
            })
        });
        let method = match config.method {
            Method::Post => millrace_fetch::Method::POST,
            Method::Put => millrace_fetch::Method::PUT,
            Method::Get => millrace_fetch::Method::GET,
        };
        Ok(Self {
            request: Outgoing { method, url: config.url.clone(), headers, body },
            id,
            key: key.transpose()?,
        })
    }

    /// The request as it is sent now.
    pub(super) fn seal(&self) -> Result<Outgoing, JobError> {
        let mut request = self.request.clone();
        let Some(key) = &self.key else { return Ok(request) };
        let timestamp_s = UnixMillis::now().0 / 1000;
        let signature = key.sign(&Signed { id: &self.id, timestamp_s, body: &request.body });
        for (name, value) in [
            ("webhook-id", self.id.as_str()),
            ("webhook-timestamp", &timestamp_s.to_string()),
            ("webhook-signature", &signature),
        ] {
            add(&mut request.headers, "headers", name, value, name == "webhook-signature")?;
        }
        Ok(request)
    }
}

/// The body, and what it is. Its pictures say where their bytes can be had.
fn written(context: &JobContext, config: &Config) -> (Bytes, Option<&'static str>) {
    let base = context.shared.outside.public_url();
    match config.body.as_ref().or_else(|| context.inputs.get("payload")).cloned().unwrap_or_default() {
        Value::String(text) if context.job.node_id.as_str() == CALLBACK_NODE => {
            (news(text, base).into(), None)
        }
        Value::String(text) => (text.into(), Some("text/plain; charset=utf-8")),
        mut value => {
            link_images(&mut value, base);
            (value.to_string().into(), Some("application/json"))
        }
    }
}

/// The event that ended a run, which comes written out. As it stands in the log its pictures have relative addresses, which
/// mean nothing to others.
fn news(event: String, base: Option<&str>) -> String {
    match (base, serde_json::from_str::<Value>(&event)) {
        (Some(base), Ok(mut value)) => {
            link_images(&mut value, Some(base));
            value.to_string()
        }
        _ => event,
    }
}

fn add(
    headers: &mut HeaderMap,
    field: &str,
    name: &str,
    value: &str,
    is_secret: bool,
) -> Result<(), JobError> {
    let header = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
    let (name, mut value) = header.ok_or_else(|| {
        // The value may be a secret.
        let message = format!("the header {name:?} has a value that cannot be sent, such as a line break");
        JobError::new(ErrorKind::InvalidConfig, message)
            .at(format!("/config/{field}/{}", pointer_token(name)))
    })?;
    value.set_sensitive(is_secret);
    headers.insert(name, value);
    Ok(())
}
