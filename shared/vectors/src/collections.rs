//! Millrace's own collections, by the api.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::exchange::{Exchange, matches, words};
use crate::{Match, Query, VectorError};

pub(crate) async fn search(exchange: &Exchange<'_>, query: &Query) -> Result<Vec<Match>, VectorError> {
    let body = json!({
        "vector": query.vector, "top_k": query.top_k, "min_score": query.min_score, "filter": query.filter,
    });
    let mut question =
        exchange.question(&["api", "v1", "collections", &query.collection, "search"], &body)?;
    if let Some(key) = &exchange.service.key {
        question = question.bearer_auth(key);
    }
    let (status, mut answer) = exchange.ask(question).await?;
    if status.is_success() { matches(answer["matches"].take()) } else { Err(fault(status, &answer, query)) }
}

/// What a problem (RFC 9457) of the api means.
fn fault(status: StatusCode, problem: &Value, query: &Query) -> VectorError {
    let detail = words(problem["detail"].as_str());
    let at_vector =
        problem["errors"].as_array().into_iter().flatten().any(|fault| fault["pointer"] == "/vector");
    match problem["code"].as_str() {
        Some("NOT_FOUND") => VectorError::UnknownCollection(query.collection.clone()),
        Some("INVALID_REQUEST") if at_vector => VectorError::Vector(detail),
        _ => VectorError::Refused { status: status.as_u16(), detail },
    }
}
