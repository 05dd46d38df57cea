//! `GET /events`: everything that happens, as it happens, for dashboards.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::live::{FirehoseFilter, FirehoseStream, TypeFilter};
use crate::params::Params;
use crate::problem::Problem;
use crate::sse;
use crate::state::App;

/// Follows everything that passes the filters.
pub(crate) async fn follow(State(app): State<Arc<App>>, params: Params) -> Result<Response, Problem> {
    let params = params.only(&["types", "workflow_id", "execution_id"])?;
    let filter = FirehoseFilter {
        types: TypeFilter::read(params.text("types"))?,
        workflow: params.parsed("workflow_id", "a workflow's id")?,
        run: params.parsed("execution_id", "an execution's id")?,
    };
    let permit = sse::admit(&app)?;
    let stream = FirehoseStream {
        receiver: app.hub.firehose(),
        filter,
        settings: app.stream_settings(),
        _permit: permit,
    };
    Ok(sse::response(stream.into_chunks()))
}
