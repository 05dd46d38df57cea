//! The table of problem kinds: stable code, status, title, and when to try again. Each has a page under docs/errors.

use std::time::Duration;

use axum::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:ident, $title:literal, $retry_after_s:expr;)+) => {
        /// The kind of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code { $($(#[$doc])* $variant),+ }

        impl Code {
            /// Every kind.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name, such as `NOT_FOUND`.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The HTTP status.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }

            /// What it is called, for people.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// How long to wait before the same request may succeed; none when it never will.
            pub(crate) const fn retry_after(self) -> Option<Duration> {
                let seconds: Option<u64> = match self { $(Self::$variant => $retry_after_s),+ };
                match seconds {
                    Some(seconds) => Some(Duration::from_secs(seconds)),
                    None => None,
                }
            }
        }
    };
}

codes!(
    /// The body cannot be parsed.
    MalformedBody = "MALFORMED_BODY", BAD_REQUEST, "The body cannot be read", None;
    /// A query parameter is wrong.
    InvalidQuery = "INVALID_QUERY", BAD_REQUEST, "A query parameter is wrong", None;
    /// A cursor that this server did not make.
    InvalidCursor = "INVALID_CURSOR", BAD_REQUEST, "The cursor is not one of ours", None;
    /// A request header is wrong.
    InvalidHeader = "INVALID_HEADER", BAD_REQUEST, "A request header is wrong", None;
    /// Nobody known makes the request.
    Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED, "An api key is needed", None;
    /// The key's scopes do not reach.
    Forbidden = "FORBIDDEN", FORBIDDEN, "The api key may not do this", None;
    /// The key calls too often.
    RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS, "Too many requests", Some(1);
    /// A browser page of another origin.
    CrossSite = "CROSS_SITE", FORBIDDEN, "Requests from other sites are refused", None;
    /// No such path.
    RouteNotFound = "ROUTE_NOT_FOUND", NOT_FOUND, "There is nothing at this address", None;
    /// No such thing.
    NotFound = "NOT_FOUND", NOT_FOUND, "Not found", None;
    /// The path has other methods.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED, "The method is not allowed here", None;
    /// The run has ended in another way.
    ExecutionEnded = "EXECUTION_ENDED", CONFLICT, "The execution has already ended", None;
    /// There are as many schedules as there may be.
    TooManySchedules = "TOO_MANY_SCHEDULES", CONFLICT, "There are too many schedules", None;
    /// There are as many registered models as there may be.
    TooManyModels = "TOO_MANY_MODELS", CONFLICT, "There are too many models", None;
    /// Workers have a model of this name in their repository.
    ModelInRepository = "MODEL_IN_REPOSITORY", CONFLICT, "A model of the repository has this name", None;
    /// A worker could not load it.
    ModelNotLoaded = "MODEL_NOT_LOADED", UNPROCESSABLE_ENTITY, "The model cannot be loaded", None;
    /// There are as many collections as there may be.
    TooManyCollections = "TOO_MANY_COLLECTIONS", CONFLICT, "There are too many collections", None;
    /// A collection of another shape has the name.
    CollectionExists = "COLLECTION_EXISTS", CONFLICT, "A collection of another shape has this name", None;
    /// The collection has as many points as it may.
    CollectionFull = "COLLECTION_FULL", CONFLICT, "The collection is full", None;
    /// The other keys could not be managed any more.
    LastAdminKey = "LAST_ADMIN_KEY", CONFLICT, "The last admin's key", None;
    /// What was kept of a dead letter is not all that it was.
    NotRedoable = "NOT_REDOABLE", CONFLICT, "The dead letter cannot be tried again", None;
    /// The run has not ended yet.
    ExecutionNotEnded = "EXECUTION_NOT_ENDED", CONFLICT, "The execution has not ended yet", None;
    /// What the run was made of is not there any more.
    RunDataGone = "RUN_DATA_GONE", GONE, "Data of the execution is gone", None;
    /// It was deleted.
    Gone = "GONE", GONE, "It was deleted", None;
    /// If-Match names another version.
    PreconditionFailed = "PRECONDITION_FAILED", PRECONDITION_FAILED, "It has changed in the meantime", None;
    /// The body is larger than the limit.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE, "The body is too large", None;
    /// The body's type is not taken here.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE, "The content type is not taken here", None;
    /// No byte of the range exists.
    RangeNotSatisfiable = "RANGE_NOT_SATISFIABLE", RANGE_NOT_SATISFIABLE, "The range lies outside the blob", None;
    /// The host name is not this machine.
    MisdirectedHost = "MISDIRECTED_HOST", MISDIRECTED_REQUEST, "The host name is not this machine's", None;
    /// The request's own fields are wrong.
    InvalidRequest = "INVALID_REQUEST", UNPROCESSABLE_ENTITY, "The request is not valid", None;
    /// The definition does not compile.
    InvalidWorkflow = "INVALID_WORKFLOW", UNPROCESSABLE_ENTITY, "The workflow is not valid", None;
    /// The run's input is wrong.
    InvalidInput = "INVALID_INPUT", UNPROCESSABLE_ENTITY, "The input is not valid", None;
    /// The key came with another request before.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another request", None;
    /// More runs of one workflow wait than may.
    TooManyWaiting = "TOO_MANY_WAITING", TOO_MANY_REQUESTS, "Too many runs of this workflow wait", Some(5);
    /// More jobs wait for a pool and a model than may.
    QueueFull = "QUEUE_FULL", TOO_MANY_REQUESTS, "Too many jobs wait for the same workers", Some(5);
    /// More requests than may be served at once.
    Overloaded = "OVERLOADED", SERVICE_UNAVAILABLE, "Too much at once", Some(1);
    /// More event streams than may be open.
    TooManyStreams = "TOO_MANY_STREAMS", SERVICE_UNAVAILABLE, "Too many event streams are open", Some(5);
    /// Longer than a request may take.
    RequestTimeout = "REQUEST_TIMEOUT", SERVICE_UNAVAILABLE, "The request took too long", Some(2);
    /// Postgres is away.
    DatabaseUnavailable = "DATABASE_UNAVAILABLE", SERVICE_UNAVAILABLE, "The database is not available", Some(2);
    /// Redis is away.
    BusUnavailable = "BUS_UNAVAILABLE", SERVICE_UNAVAILABLE, "The bus is not available", Some(2);
    /// The blob store is away.
    BlobStoreUnavailable = "BLOB_STORE_UNAVAILABLE", SERVICE_UNAVAILABLE, "The blob store is not available", Some(2);
    /// The role is on its way out.
    ShuttingDown = "SHUTTING_DOWN", SERVICE_UNAVAILABLE, "The server is shutting down", Some(2);
    /// A fault of ours.
    Internal = "INTERNAL", INTERNAL_SERVER_ERROR, "Internal error", None;
);

impl Code {
    /// Whether the same request may succeed later.
    pub(crate) const fn retryable(self) -> bool {
        self.retry_after().is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn codes_are_distinct_and_only_overload_asks_to_come_back() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(
                code.retryable(),
                [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&code.status()),
                "{}",
                code.as_str()
            );
        }
    }

    #[test]
    fn every_code_has_a_page() {
        let pages = Path::new("../../docs/errors");
        for code in Code::ALL {
            assert!(pages.join(format!("{}.md", code.as_str())).is_file(), "{} has no page", code.as_str());
        }
    }
}
