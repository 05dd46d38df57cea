//! What the addresses that start a run, and those that show one, have in common.
#![expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "these types are described, never made: the query is read by `Params`"
)]

use utoipa::{IntoParams, IntoResponses};

use crate::submit::RunAccepted;
use crate::view::Execution;

/// How the start of a run is asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StartQuery {
    /// Such as `30s`: how long to hold the answer.
    #[param(example = "30s")]
    wait: Option<String>,
}

/// Which version of a saved workflow is run.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionQuery {
    /// The newest when none.
    #[param(minimum = 1)]
    version: Option<u32>,
}

/// How an answer with a run in it shows pictures.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PicturesQuery {
    /// `base64` puts the bytes of the outputs' pictures into the answer, 16 MiB at most; `links` is the default.
    #[param(example = "base64")]
    images: Option<String>,
}

/// What lets the start of a run be sent again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct StartHeaders {
    /// The same key answers with the same run, for 24 hours.
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
}

/// How the start of a run is answered.
#[derive(IntoResponses)]
pub(crate) enum Started {
    /// Accepted; it goes on.
    #[response(
        status = 202,
        headers(
            ("Location" = String, description = "The execution."),
            ("Idempotency-Replayed" = Option<String>, description = "`true` where an earlier request with the same key made it."),
        )
    )]
    Accepted(RunAccepted),
    /// It has ended. A workflow whose `api_response` completed answers with the body and the status of that instead.
    #[response(
        status = 200,
        headers(
            ("Location" = String, description = "The execution."),
            ("Idempotency-Replayed" = Option<String>, description = "`true` where an earlier request with the same key made it."),
        )
    )]
    Ended(Execution),
}
