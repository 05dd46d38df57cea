//! Overload: a request takes a permit or is turned away at once. The permit travels with the request; whoever only waits for
//! a run's end gives it back early.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedSemaphorePermit;

use crate::problem::{Code, Problem};
use crate::state::App;

/// A request's place among those that are served at once.
#[derive(Debug, Clone)]
pub(crate) struct Admission(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Admission {
    /// The one `request` was given.
    pub(crate) fn find(request: &Request) -> Result<Self, Problem> {
        let found = request.extensions().get::<Self>().cloned();
        found.ok_or_else(|| Problem::new(Code::Internal, "the request was not admitted"))
    }

    /// Gives the place to another request.
    pub(crate) fn release(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Admits a request or turns it away.
pub(crate) async fn admit(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let Ok(permit) = app.requests.clone().try_acquire_owned() else {
        metrics::counter!("millrace_http_refused_total", "reason" => "overloaded").increment(1);
        let detail = "as many requests as may be are being served; send it again in a moment";
        return Problem::new(Code::Overloaded, detail).into_response();
    };
    let admission = Admission(Arc::new(Mutex::new(Some(permit))));
    request.extensions_mut().insert(admission.clone());
    let response = next.run(request).await;
    admission.release();
    response
}
