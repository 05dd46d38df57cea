//! Models that runs under way will need. A run's definition says which, before its first job is done: workers are told, now and
//! again, so that one with room has the next model loaded when its jobs come. A hint: nothing waits for it, and nothing is lost
//! with it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use millrace_compiler::Plan;
use millrace_contracts::model::ModelWish;
use millrace_contracts::{BlobId, ModelId, Pool};
use millrace_engine::Execution;

use crate::role::Shared;

/// What was told so lately is not told again.
const AGAIN: Duration = Duration::from_secs(30);
/// Definitions and models that are remembered as told; beyond that those go that were told longest ago.
const MOST: usize = 4096;

/// What was told, and when.
#[derive(Debug, Default)]
pub(crate) struct Foresight(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    definitions: HashMap<BlobId, Instant>,
    models: HashMap<(Pool, ModelId), Instant>,
}

/// Tells workers which models `run`, which has just begun, will need later.
pub(crate) async fn tell(shared: &Shared, run: &Execution) {
    for wish in shared.foresight.news(run.accepted().definition, run.plan(), Instant::now()) {
        if let Err(error) = shared.bus.wish(&wish).await {
            tracing::debug!(%error, "workers could not be told which models come next");
            return;
        }
    }
}

impl Foresight {
    /// What is to be told because of a run of `plan`, whose definition is `definition`.
    fn news(&self, definition: BlobId, plan: &Plan, now: Instant) -> Vec<ModelWish> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_news(&mut told.definitions, definition, now) {
            return Vec::new();
        }
        let later = plan.later_models().into_iter();
        let news = later.filter(|place| is_news(&mut told.models, place.clone(), now));
        news.map(|(pool, model)| ModelWish::Expect { model, pool }).collect()
    }
}

/// Whether it was not told lately; it is then taken as told.
fn is_news<K: std::hash::Hash + Eq>(told: &mut HashMap<K, Instant>, what: K, now: Instant) -> bool {
    if told.get(&what).is_some_and(|at| now.saturating_duration_since(*at) < AGAIN) {
        return false;
    }
    if told.len() >= MOST {
        told.retain(|_, at| now.saturating_duration_since(*at) < AGAIN / 2);
    }
    // More than that in so short a time: each is told as often as it comes.
    if told.len() < MOST {
        told.insert(what, now);
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Plan {
        let definition = json!({"nodes": [
            {"id": "photo", "type": "image_input"},
            {"id": "name", "type": "parameter_input", "config": {"kind": "string"}},
            {"id": "find", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "first"}},
            {"id": "cut", "type": "crop", "inputs": {"image": "$inputs.photo", "detections": "$nodes.find.detections"}},
            {"id": "each", "type": "for_each", "inputs": {"items": "$nodes.cut.crops"}},
            {"id": "sort", "type": "classification", "inputs": {"image": "$nodes.each.item"},
             "config": {"model_id": "second", "top_k": 1}, "pool": "heavy"},
            {"id": "other", "type": "classification", "inputs": {"image": "$nodes.each.item"},
             "config": {"model_id": "$inputs.name"}},
            {"id": "all", "type": "collect", "inputs": {"item": "$nodes.sort.top_class"}}
        ]});
        millrace_compiler::compile(&definition).unwrap()
    }

    #[test]
    fn what_comes_after_another_job_is_told_once_in_a_while() {
        let (foresight, plan, now) = (Foresight::default(), plan(), Instant::now());
        let (one, other) = (BlobId::of(b"one"), BlobId::of(b"other"));
        let expected = ModelWish::Expect { model: "second".into(), pool: "heavy".into() };
        assert_eq!(foresight.news(one, &plan, now), std::slice::from_ref(&expected));
        assert_eq!(foresight.news(one, &plan, now), []);
        assert_eq!(foresight.news(other, &plan, now), [], "another definition, the same model");
        assert_eq!(foresight.news(one, &plan, now + AGAIN), [expected]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut told, now) = (HashMap::new(), Instant::now());
        for number in 0..2 * MOST {
            assert!(is_news(&mut told, number, now));
        }
        assert_eq!(told.len(), MOST);
        assert!(is_news(&mut told, 2 * MOST, now + AGAIN));
        assert_eq!(told.len(), 1);
    }
}
