//! `GET /models`: the models that workers offer, and where each is.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use millrace_bus::WorkerRecord;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::workers::info;
use crate::openapi::described;
use crate::params::Params;
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// The models of the fleet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Models {
    #[schema(value_type = Vec<described::Model>)]
    models: Vec<Value>,
}

/// List the models that workers offer, and where each is
#[utoipa::path(
    get, path = "/api/v1/models", operation_id = "list_models", tag = "models",
    responses((status = 200, description = "The models.", body = Models)),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Models>, Problem> {
    params.only(&[])?;
    Ok(Json(Models { models: gather(&patiently(app.bus.workers()).await?) }))
}

/// One entry per model: what is said of it, and by whom. A worker names a model by its id or describes it.
fn gather(workers: &[WorkerRecord]) -> Vec<Value> {
    let mut models: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for worker in workers {
        let info = info(worker);
        for model in info.get("models").and_then(Value::as_array).into_iter().flatten() {
            let described = model.as_object();
            let id = described
                .and_then(|fields| fields.get("model_id").or_else(|| fields.get("id")))
                .unwrap_or(model);
            let Some(id) = id.as_str() else { continue };
            let entry = models.entry(id.to_owned()).or_insert_with(|| {
                Map::from_iter([("model_id".to_owned(), json!(id)), ("workers".to_owned(), json!([]))])
            });
            for (name, value) in described.into_iter().flatten().filter(|(name, _)| *name != "id") {
                entry.entry(name.clone()).or_insert_with(|| value.clone());
            }
            if let Some(Value::Array(holders)) = entry.get_mut("workers") {
                holders.push(json!(worker.id));
            }
        }
    }
    models.into_values().map(Value::Object).collect()
}

#[cfg(test)]
mod tests {
    use millrace_contracts::UnixMillis;

    use super::*;

    #[test]
    fn models_are_gathered_over_the_fleet() {
        let worker = |id: &str, info: Option<Value>| WorkerRecord {
            id: id.into(),
            last_seen: UnixMillis(0),
            info: info.map(|info| info.to_string()),
        };
        let models = gather(&[
            worker("a", Some(json!({"models": ["shapes", {"id": "digits", "task": "classification"}]}))),
            worker("b", Some(json!({"models": [{"model_id": "shapes", "task": "detection"}]}))),
            worker("lost", None),
        ]);
        assert_eq!(
            models,
            [
                json!({"model_id": "digits", "workers": ["a"], "task": "classification"}),
                json!({"model_id": "shapes", "workers": ["a", "b"], "task": "detection"}),
            ]
        );
    }
}
