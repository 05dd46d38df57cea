//! Qdrant's REST API, from version 1.10 on: <https://api.qdrant.tech/api-reference/search/query-points>.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::exchange::{Exchange, matches, words};
use crate::{Match, Query, VectorError};

pub(crate) async fn search(exchange: &Exchange<'_>, query: &Query) -> Result<Vec<Match>, VectorError> {
    let path = ["collections", &query.collection, "points", "query"];
    let mut question = exchange.question(&path, &body(query))?;
    if let Some(key) = &exchange.service.key {
        question = question.header("api-key", key);
    }
    let (status, mut answer) = exchange.ask(question).await?;
    if status.is_success() {
        matches(answer["result"]["points"].take())
    } else {
        Err(fault(status, &answer, query))
    }
}

fn body(query: &Query) -> Value {
    let mut body = json!({"query": query.vector, "limit": query.top_k, "with_payload": true});
    if let Some(least) = query.min_score {
        body["score_threshold"] = least.into();
    }
    if !query.filter.is_empty() {
        let conditions =
            query.filter.iter().map(|(key, value)| json!({"key": key, "match": {"value": value}}));
        body["filter"] = json!({"must": conditions.collect::<Vec<_>>()});
    }
    body
}

/// What a refusal means. Qdrant tells faults of a vector from others by its words only.
fn fault(status: StatusCode, answer: &Value, query: &Query) -> VectorError {
    let detail = words(answer["status"]["error"].as_str());
    if status == StatusCode::NOT_FOUND {
        VectorError::UnknownCollection(query.collection.clone())
    } else if detail.to_ascii_lowercase().contains("dimension") {
        VectorError::Vector(detail)
    } else {
        VectorError::Refused { status: status.as_u16(), detail }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn query() -> Query {
        let (collection, vector) = ("c".to_owned(), vec![1.0, 0.5]);
        Query { collection, vector, top_k: 3, min_score: None, filter: Map::new() }
    }

    #[test]
    fn only_what_is_asked_for_is_in_the_question() {
        assert_eq!(body(&query()), json!({"query": [1.0, 0.5], "limit": 3, "with_payload": true}));
        let filter = Map::from_iter([("kind".to_owned(), json!("cat"))]);
        let narrow = body(&Query { min_score: Some(0.25), filter, ..query() });
        assert_eq!(narrow["score_threshold"], 0.25);
        assert_eq!(narrow["filter"], json!({"must": [{"key": "kind", "match": {"value": "cat"}}]}));
    }

    /// As its documentation shows them.
    #[test]
    fn refusals_say_whose_fault_it_is() {
        let refusal = |status, error: &str| fault(status, &json!({"status": {"error": error}}), &query());
        let unknown = refusal(StatusCode::NOT_FOUND, "Not found: Collection `c` doesn't exist!");
        assert!(matches!(unknown, VectorError::UnknownCollection(name) if name == "c"));
        let wrong = "Wrong input: Vector dimension error: expected dim: 4, got 2";
        assert!(
            matches!(refusal(StatusCode::BAD_REQUEST, wrong), VectorError::Vector(detail) if detail == wrong)
        );
        let other = refusal(StatusCode::BAD_REQUEST, "Wrong input: Not existing vector name error: ");
        assert!(matches!(other, VectorError::Refused { status: 400, .. }));
    }
}
