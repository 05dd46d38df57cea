//! Notes changes, with who made them. What the rules call a change is one; who is turned away before this has changed nothing.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::audit::Entry;
use crate::auth::Rules;
use crate::state::App;

/// Serves a request, and notes the change that it makes.
pub(crate) async fn audit(
    State(app): State<Arc<App>>,
    Extension(rules): Extension<Arc<Rules>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let rule = path.and_then(|path| rules.find(path.as_str(), request.method()));
    let Some(action) = rule.and_then(|rule| rule.change.as_deref()) else { return next.run(request).await };
    let place = match app.ledger.place() {
        Ok(place) => place,
        Err(problem) => return problem.into_response(),
    };
    let entry = Entry::open(place, action, &request);
    let response = next.run(request).await;
    if let Some(noted) = entry.close(&response) {
        noted.await;
    }
    response
}
