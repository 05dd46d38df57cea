//! The one shape of every error answer (RFC 9457), and the one place that makes it.
//! Making a problem has no side effect: the middleware renders it and logs it, once.

mod code;
mod from;
mod render;

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use millrace_contracts::{Fault, Faults};

use crate::fields::cut;

pub(crate) use code::Code;
pub(crate) use from::shutting_down;
pub(crate) use render::{Document, MEDIA_TYPE, document};

/// Why a request was not served: what the client is told, and what only the log is told.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem of this kind; `detail` is shown to the client and says what to do.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), headers: Vec::new(), source: None }
    }

    /// Nothing has this name or id, and nothing ever had.
    pub(crate) fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        let id = cut(&id.to_string());
        Self::new(Code::NotFound, format!("there is no {what} {id:?}"))
    }

    /// A fault of ours; `source` goes to the log only.
    pub(crate) fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::new(
            Code::Internal,
            "something went wrong on our side; the log has the details under this request id",
        )
        .because(source)
    }

    /// Mistakes in a request, each with its place.
    pub(crate) fn faults(code: Code, faults: Faults) -> Self {
        let detail = match faults.0.as_slice() {
            [one] => one.message.clone(),
            all => format!("{} mistakes were found; `errors` lists them", all.len()),
        };
        Self { errors: faults.0, ..Self::new(code, detail) }
    }

    /// The same, with one place at fault.
    pub(crate) fn fault(code: Code, fault: Fault) -> Self {
        Self::faults(code, Faults(vec![fault]))
    }

    /// The same, with its cause for the log.
    pub(crate) fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The same, with one more header in the answer.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Its kind.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// The places at fault.
    pub(crate) fn errors(&self) -> &[Fault] {
        &self.errors
    }

    /// The cause, for the log.
    pub(crate) fn cause(&self) -> Option<&(dyn Error + Send + Sync)> {
        self.source.as_deref()
    }
}

/// The status and headers now; the body is written by the middleware, which knows the request.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Some(pause) = self.code.retry_after() {
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, pause.as_secs().into());
        }
        for (name, value) in &self.headers {
            response.headers_mut().insert(name, value.clone());
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
