//! `/session`: a browser logs in with a key and is known by a cookie from then on; pages cannot read it. `EventSource` cannot set
//! headers, and where cookies do not reach, a short-lived token opens a stream.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use millrace_contracts::{Fault, UnixMillis};
use millrace_store::KeySecret;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::{COOKIE, Caller, Credential, Purpose, Scope};
use crate::body;
use crate::openapi::described::LoginRequest;
use crate::problem::{Code, Problem};
use crate::state::App;

/// Bytes of the body, which holds a key.
const MAX_BODY_BYTES: u64 = 4 * 1024;

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
struct Session {
    /// What the key's owner calls it.
    name: String,
    /// What it may do.
    scope: Scope,
    expires_at: UnixMillis,
}

/// Who calls.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhoAmI {
    /// Whether this server asks for keys at all.
    guarded: bool,
    /// What the key's owner calls it; none where none is asked for.
    name: Option<String>,
    /// What the caller may do.
    scope: Scope,
}

/// A token for an event stream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamToken {
    /// What to send as `?token=`.
    token: String,
    expires_at: UnixMillis,
}

/// Log in with a key
///
/// The answer sets a cookie that pages cannot read.
#[utoipa::path(
    post, path = "/api/v1/session", operation_id = "log_in", tag = "session",
    request_body = LoginRequest,
    responses((status = 200, description = "Logged in.", body = Session, headers(("Set-Cookie" = String)))),
    security(()),
)]
pub(crate) async fn log_in(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let secure = is_https(request.headers());
    let mut fields = body::object(&app, request, MAX_BODY_BYTES).await?.value;
    let Some(Value::String(key)) = fields.shift_remove("key") else {
        let fault = Fault::new("MISSING_FIELD", "/key", "there is no `key`");
        return Err(Problem::fault(Code::InvalidRequest, fault.hint("send {\"key\": \"mr_…\"}")));
    };
    let credential = KeySecret::parse(key.trim()).map_or(Credential::None, Credential::Key);
    if credential == Credential::None {
        return Err(Problem::new(Code::Unauthenticated, "this is not an api key; one begins with mr_"));
    }
    let caller = app.access.caller(&credential).await?;
    let life = app.auth.session;
    let (text, expires_at) = app.access.signer.sign(Purpose::Session, caller.id, life);
    let session = Session { name: caller.name.clone(), scope: caller.scope, expires_at };
    // For the audit.
    let caller = Extension(caller);
    Ok((caller, cookie(&text, life.as_secs(), secure)?, Json(session)).into_response())
}

/// Show who calls
#[utoipa::path(
    get, path = "/api/v1/session", operation_id = "get_session", tag = "session",
    responses((status = 200, description = "The caller.", body = WhoAmI)),
)]
pub(crate) async fn show(caller: Option<Extension<Caller>>) -> Json<WhoAmI> {
    Json(match caller {
        Some(Extension(caller)) => WhoAmI { guarded: true, name: Some(caller.name), scope: caller.scope },
        None => WhoAmI { guarded: false, name: None, scope: Scope::Admin },
    })
}

/// Log out
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "log_out", tag = "session",
    responses((status = 204, description = "Logged out.")),
    security(()),
)]
pub(crate) async fn log_out(headers: HeaderMap) -> Result<Response, Problem> {
    Ok((StatusCode::NO_CONTENT, cookie("", 0, is_https(&headers))?).into_response())
}

/// Make a token for an event stream
///
/// It opens streams, and nothing else, until it runs out.
#[utoipa::path(
    post, path = "/api/v1/session/token", operation_id = "create_stream_token", tag = "session",
    responses((status = 200, description = "Made.", body = StreamToken)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn token(
    State(app): State<Arc<App>>,
    caller: Option<Extension<Caller>>,
) -> Json<StreamToken> {
    // Where no key is asked for, any token will do.
    let key = caller.map(|Extension(caller)| caller.id).unwrap_or_default();
    let (token, expires_at) = app.access.signer.sign(Purpose::Stream, key, app.auth.stream_token);
    Json(StreamToken { token, expires_at })
}

/// `Lax`: a link from elsewhere opens the console logged in; what another site posts comes without the cookie.
fn cookie(value: &str, life_s: u64, secure: bool) -> Result<[(header::HeaderName, HeaderValue); 1], Problem> {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Lax{secure}");
    Ok([(header::SET_COOKIE, HeaderValue::try_from(text).map_err(Problem::internal)?)])
}

/// Whether the browser spoke TLS, with the proxy in front of us.
fn is_https(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|value| value == "https")
}
