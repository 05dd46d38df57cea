//! What the document says of the api as a whole, and what every operation has in common: the problem answer and the scope.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::Method;
use millrace_contracts::Event;
use millrace_contracts::run::Snapshot;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Description, Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{OpenApi, openapi};

use crate::problem::{self, MEDIA_TYPE};

/// The scheme that operations ask for, with the scope as its only entry.
pub(crate) const API_KEY: &str = "api_key";

/// The document as it is served.
#[derive(Debug, Clone)]
pub(crate) struct Document(pub(crate) Arc<Bytes>);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Millrace",
        description = "Runs visual-AI workflows: every step an event, every event pushed. Times are milliseconds since the Unix epoch; every error is a problem (RFC 9457) with a stable code.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(problem::Document<'_>, Event, Snapshot)),
    tags(
        (name = "workflows", description = "Saved definitions, versioned."),
        (name = "executions", description = "Runs."),
        (name = "events", description = "What happens, as it happens."),
        (name = "blobs", description = "Bytes by their SHA-256."),
        (name = "inference", description = "Single jobs."),
        (name = "schedules", description = "Runs by the clock."),
        (name = "blocks", description = "What workflows are made of."),
        (name = "models", description = "The model registry."),
        (name = "collections", description = "Vectors to search among."),
        (name = "fleet", description = "Workers and queues."),
        (name = "keys", description = "Who may call."),
        (name = "session", description = "Browsers that are logged in."),
        (name = "meta", description = "The api itself."),
    )
)]
struct Base;

/// The document before any route is in it.
pub(crate) fn base() -> Description {
    Base::openapi()
}

/// Adds what every operation has in common, once all routes are in.
pub(crate) fn complete(mut description: Description) -> Description {
    for item in description.paths.paths.values_mut() {
        for (method, operation) in operations(item) {
            add_problem(operation);
            operation.parameters.iter_mut().flatten().for_each(print_in_head);
            // Reading asks for `read` and changing for `run`, unless the handler says otherwise.
            let scope = if method == Method::GET { "read" } else { "run" };
            let default = || vec![SecurityRequirement::new(API_KEY, [scope])];
            operation.security.get_or_insert_with(default);
        }
    }
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An api key, `mr_…`. Its scopes: `read`, `run` (which may read), `admin` (which may do everything). A server \
             without keys serves its own machine only and asks for none.",
        ))
        .build();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme(API_KEY, SecurityScheme::Http(scheme));
    description
}

/// The operations of an address.
pub(crate) fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Headers hold what can be printed (RFC 9110, section 5.5); others are refused before anybody could say so in a problem.
fn print_in_head(parameter: &mut RefOr<Parameter>) {
    if let RefOr::T(Parameter { parameter_in: ParameterIn::Header, schema: Some(RefOr::T(schema)), .. }) =
        parameter
        && let Schema::Object(schema) = schema
    {
        schema.pattern.get_or_insert_with(|| "^[!-~]([ -~]*[!-~])?$".to_owned());
    }
}

fn add_problem(operation: &mut Operation) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let answer = ResponseBuilder::new().description("Why it was not done.").content(MEDIA_TYPE, content);
    operation.responses.responses.insert("default".to_owned(), RefOr::T(answer.build()));
}

impl Document {
    /// The text of `description`.
    pub(crate) fn of(description: &openapi::OpenApi) -> Self {
        let text = description.to_pretty_json().expect("a description is plain data");
        Self(Arc::new(text.into()))
    }
}
