//! Models that runs under way will need. A run's definition says which, before its first job is done: workers are told, now and
//! again, so that one with room has the next model loaded when its jobs come. A hint: nothing waits for it, and nothing is lost
//! with it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use millrace_compiler::Plan;
use millrace_contracts::message::Accepted;
use millrace_contracts::model::ModelWish;
use millrace_contracts::{BlobId, IO_POOL, ModelId, Pool};
use millrace_engine::Execution;

use crate::role::Shared;

/// What was told so lately is not told again.
const AGAIN: Duration = Duration::from_secs(30);
/// Models that one run may tell of at once: no worker has room for more, and the round is not held up by them.
const MOST_AT_ONCE: usize = 16;
/// Definitions and models that are remembered as told; beyond that those go that were told longest ago.
const MOST: usize = 4096;

/// What was told, and when.
#[derive(Debug, Default)]
pub(crate) struct Foresight(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// With the pool that their runs name.
    definitions: HashMap<(BlobId, Option<Pool>), Instant>,
    models: HashMap<(Pool, ModelId), Instant>,
}

/// Tells workers what they do not know yet.
pub(crate) async fn tell(shared: &Shared, wishes: &[ModelWish]) {
    if let Err(error) = shared.bus.wish_all(wishes).await {
        tracing::debug!(%error, "workers could not be told which models come next");
    }
}

impl Foresight {
    /// What is to be told because of `run`, which has just begun: the models that it needs first, of those it needs later.
    pub(crate) fn of(&self, run: &Execution) -> Vec<ModelWish> {
        self.news(run.accepted(), run.plan(), Instant::now())
    }

    fn news(&self, accepted: &Accepted, plan: &Plan, now: Instant) -> Vec<ModelWish> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_news(&mut told.definitions, (accepted.definition, accepted.pool.clone()), now) {
            return Vec::new();
        }
        let later = plan.later_models().map(|(pool, model)| (pool_of(accepted, pool), model));
        let news = later.filter(|place| is_news(&mut told.models, place.clone(), now));
        news.take(MOST_AT_ONCE).map(|(pool, model)| ModelWish::Expect { model, pool }).collect()
    }
}

/// Where the jobs of a node go: a run that names a pool sends its work there, but not what waits for others.
fn pool_of(accepted: &Accepted, of_node: Pool) -> Pool {
    let chosen = accepted.pool.clone().filter(|_| of_node.as_str() != IO_POOL);
    chosen.unwrap_or(of_node)
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
    use millrace_testkit::accepted_run;
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

    fn accepted(definition: &[u8], pool: Option<&str>) -> Accepted {
        Accepted { definition: BlobId::of(definition), pool: pool.map(Pool::from), ..accepted_run() }
    }

    fn expect(model: &str, pool: &str) -> ModelWish {
        ModelWish::Expect { model: model.into(), pool: pool.into() }
    }

    #[test]
    fn what_comes_after_another_job_is_told_once_in_a_while() {
        let (foresight, plan, now) = (Foresight::default(), plan(), Instant::now());
        let (one, other) = (accepted(b"one", None), accepted(b"other", None));
        let expected = expect("second", "heavy");
        assert_eq!(foresight.news(&one, &plan, now), std::slice::from_ref(&expected));
        assert_eq!(foresight.news(&one, &plan, now), []);
        assert_eq!(foresight.news(&other, &plan, now), [], "another definition, the same model");
        assert_eq!(foresight.news(&one, &plan, now + AGAIN), [expected]);
    }

    #[test]
    fn a_run_that_names_a_pool_needs_its_models_there() {
        let (foresight, plan, now) = (Foresight::default(), plan(), Instant::now());
        assert_eq!(foresight.news(&accepted(b"one", None), &plan, now), [expect("second", "heavy")]);
        let elsewhere = accepted(b"one", Some("own"));
        assert_eq!(foresight.news(&elsewhere, &plan, now), [expect("second", "own")]);
        assert_eq!(pool_of(&elsewhere, IO_POOL.into()).as_str(), IO_POOL);
    }

    #[test]
    fn of_many_models_those_are_told_that_are_needed_first() {
        let (foresight, now) = (Foresight::default(), Instant::now());
        let mut nodes = vec![json!({"id": "photo", "type": "image_input"})];
        let mut source = "$inputs.photo".to_owned();
        for number in 0..2 * MOST_AT_ONCE {
            let (find, cut) = (format!("find{number}"), format!("cut{number}"));
            nodes.push(json!({"id": find, "type": "detection", "inputs": {"image": source},
                "config": {"model_id": format!("m{number}")}}));
            nodes.push(json!({"id": cut, "type": "draw_boxes",
                "inputs": {"image": source, "detections": format!("$nodes.{find}.detections")}}));
            source = format!("$nodes.{cut}.image");
        }
        let plan = millrace_compiler::compile(&json!({"nodes": nodes})).unwrap();
        let told = foresight.news(&accepted(b"one", None), &plan, now);
        let expected = (1..=MOST_AT_ONCE).map(|number| expect(&format!("m{number}"), "fast"));
        assert_eq!(told, expected.collect::<Vec<_>>());
        let next = foresight.news(&accepted(b"other", None), &plan, now);
        assert_eq!(next.first(), Some(&expect(&format!("m{}", MOST_AT_ONCE + 1), "fast")));
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
