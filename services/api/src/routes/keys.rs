//! `/keys`: who may call. A key's text is shown once, when it is made; what is kept is its hash.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_contracts::{Fault, Faults};
use millrace_store::{ApiKey, KeySecret, NewApiKey};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Scope;
use crate::body;
use crate::fields;
use crate::openapi::described::KeyRequest;
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::state::App;

/// Bytes of the body.
const MAX_BODY_BYTES: u64 = 16 * 1024;
/// Characters of a key's name.
const MAX_NAME: usize = 100;
/// Keys shown.
const SHOWN: u32 = 1_000;

/// A key that was made.
#[derive(Debug, Serialize, ToSchema)]
struct KeyMade {
    id: Uuid,
    name: String,
    scopes: Vec<String>,
    /// The key itself. It is not shown again.
    key: String,
}

/// The keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Keys {
    keys: Vec<ApiKey>,
}

/// Make a key
///
/// From the first one on, every caller needs one; so the first may do everything, making others included.
#[utoipa::path(
    post, path = "/api/v1/keys", operation_id = "create_key", tag = "keys",
    request_body = KeyRequest,
    responses((status = 201, description = "Made. The key is shown this once.", body = KeyMade, headers(("Location" = String)))),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    params.only(&[])?;
    let (name, scopes) = read(&app, request).await?;
    check_first(&app, &scopes).await?;
    let secret = KeySecret::generate();
    let new = NewApiKey {
        name: name.clone(),
        prefix: secret.prefix().to_owned(),
        hash: secret.hash(),
        scopes: scopes.clone(),
    };
    let id = app.store.api_keys().create(&new).await?;
    app.access.forget();
    let made = KeyMade { id, name, scopes, key: secret.expose().to_owned() };
    let location = [(header::LOCATION, format!("/api/v1/keys/{id}"))];
    Ok((StatusCode::CREATED, location, Json(made)).into_response())
}

/// List the keys, newest first, the revoked ones too
#[utoipa::path(
    get, path = "/api/v1/keys", operation_id = "list_keys", tag = "keys",
    responses((status = 200, description = "The newest thousand.", body = Keys)),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Keys>, Problem> {
    params.only(&[])?;
    Ok(Json(Keys { keys: app.store.api_keys().list(SHOWN).await? }))
}

/// Revoke a key
///
/// Here at once, on other replicas within `auth.key_freshness`. Revoking it again changes nothing.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}", operation_id = "revoke_key", tag = "keys",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "Revoked.")),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id: Uuid = id.parse().map_err(|_| Problem::not_found("api key", &id))?;
    app.store.api_keys().revoke(id).await?;
    app.access.forget();
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses a first key that could not make another: with it everybody would be shut out, its maker too.
async fn check_first(app: &App, scopes: &[String]) -> Result<(), Problem> {
    if scopes.iter().any(|scope| scope == Scope::Admin.as_str()) || app.access.is_guarded().await? {
        return Ok(());
    }
    let message = "the first key has the scope `admin`: once there is a key, only such a one makes others";
    let fault = Fault::new("INVALID_VALUE", "/scopes", message);
    let hint = "make a key with [\"admin\"] first, and this one with it";
    Err(Problem::fault(Code::InvalidRequest, fault.hint(hint)))
}

/// The name and the scopes that the body asks for.
async fn read(app: &App, request: Request) -> Result<(String, Vec<String>), Problem> {
    let mut fields = body::object(app, request, MAX_BODY_BYTES).await?.value;
    let mut faults = Faults::default();
    let name = match fields.shift_remove("name") {
        Some(Value::String(name)) if (1..=MAX_NAME).contains(&name.trim().chars().count()) => {
            name.trim().to_owned()
        }
        _ => {
            let message =
                format!("`name` is a text of 1 to {MAX_NAME} characters: who or what the key is for");
            faults.push(Fault::new("INVALID_VALUE", "/name", message));
            String::new()
        }
    };
    let scopes = match fields.shift_remove("scopes") {
        Some(Value::Array(items)) if !items.is_empty() => {
            let known = items.iter().map(|item| item.as_str().and_then(Scope::parse));
            known.collect::<Option<Vec<Scope>>>()
        }
        _ => None,
    };
    if scopes.is_none() {
        let fault = Fault::new("INVALID_VALUE", "/scopes", "`scopes` is a list of one or more scopes");
        faults.push(fault.hint("write [\"read\"], [\"run\"] or [\"admin\"]; each includes the one before"));
    }
    fields::refuse_rest(&fields, "", &["name", "scopes"], &mut faults);
    let mut scopes: Vec<String> =
        scopes.unwrap_or_default().into_iter().map(|scope| scope.as_str().to_owned()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    faults.or((name, scopes)).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))
}
