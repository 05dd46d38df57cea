//! `similarity_search`: asked of a vector store, which is a service of its own.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::models::similarity_search::{Backend, Config};
use millrace_contracts::{ErrorKind, JobError};
use millrace_vectors::{Query, VectorError};
use serde_json::{Value, json};

use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    search(context).boxed()
}

async fn search(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let query = Query {
        vector: vector(context)?,
        collection: config.collection,
        top_k: config.top_k,
        min_score: config.min_score,
        filter: config.filter,
    };
    let backend = match config.backend {
        Backend::Pgvector => millrace_vectors::Backend::Collections,
        Backend::Qdrant => millrace_vectors::Backend::Qdrant,
    };
    let searching = context.shared.outside.vectors.search(backend, &query);
    let found = context.clock.time(Stage::Inference, searching).await;
    let matches = found.map_err(|error| of_vectors(&error, backend))?;
    let best = matches.first().map_or(Value::Null, |best| json!(best));
    Ok(Outputs::from_iter([("matches".to_owned(), json!(matches)), ("best".to_owned(), best)]))
}

fn vector(context: &JobContext) -> Result<Vec<f64>, JobError> {
    let numbers = context.inputs.get("embedding").and_then(Value::as_array);
    let numbers = numbers.and_then(|numbers| numbers.iter().map(Value::as_f64).collect::<Option<Vec<_>>>());
    numbers.filter(|numbers| !numbers.is_empty()).ok_or_else(|| {
        let message = "an embedding is a list of numbers, and not an empty one";
        JobError::new(ErrorKind::InvalidInput, message).at("/inputs/embedding")
    })
}

/// A fault of a vector store as a job's error.
fn of_vectors(error: &VectorError, backend: millrace_vectors::Backend) -> JobError {
    let (kind, pointer) = match error {
        VectorError::Vector(_) => (ErrorKind::InvalidInput, "/inputs/embedding"),
        VectorError::UnknownCollection(_) => (ErrorKind::InvalidConfig, "/config/collection"),
        VectorError::NotConfigured { .. } | VectorError::Forbidden(_) => {
            (ErrorKind::InvalidConfig, "/config/backend")
        }
        VectorError::TooLarge { .. } => (ErrorKind::InvalidConfig, "/config/top_k"),
        VectorError::Refused { .. } => (ErrorKind::InvalidConfig, "/config"),
        VectorError::TimedOut(_) => (ErrorKind::Timeout, "/config/backend"),
        VectorError::Unreachable(_) | VectorError::Answer(_) => (ErrorKind::Network, "/config/backend"),
    };
    let mut message = error.to_string();
    if matches!(error, VectorError::UnknownCollection(_)) {
        message.push_str(match backend {
            millrace_vectors::Backend::Collections => {
                "; POST /api/v1/collections makes one, GET lists those there are"
            }
            millrace_vectors::Backend::Qdrant => "; make it in Qdrant, or choose the backend it is in",
        });
    }
    JobError { retryable: error.is_retryable(), ..JobError::new(kind, message).at(pointer) }
}
