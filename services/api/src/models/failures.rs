//! Why workers do not have a model that they were to load, as they say themselves.

use millrace_bus::WorkerRecord;
use millrace_contracts::model::LoadFailure;
use millrace_contracts::{ModelId, Pool, WorkerId};
use serde::Serialize;
use serde_json::Value;

use crate::problem::{Code, Problem};

/// What the workers say.
#[derive(Debug, Default)]
pub(crate) struct Failures(Vec<Failed>);

/// What one of them says of one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Failed {
    #[serde(flatten)]
    failure: LoadFailure,
    worker_id: WorkerId,
    #[serde(skip)]
    pools: Vec<Value>,
}

impl Failures {
    /// What these workers say of `id`.
    pub(crate) fn of(workers: &[WorkerRecord], id: &ModelId) -> Self {
        let said = |worker: &WorkerRecord| {
            let info: Value = serde_json::from_str(worker.info.as_deref()?).ok()?;
            let mut failures =
                info["failed"].as_array()?.iter().filter(|failed| failed["model_id"] == id.as_str());
            let failure = serde_json::from_value(failures.next()?.clone()).ok()?;
            let pools = info["pools"].as_array().cloned().unwrap_or_default();
            Some(Failed { failure, worker_id: worker.id.clone(), pools })
        };
        Self(workers.iter().filter_map(said).collect())
    }

    /// What was said last.
    pub(crate) fn latest(&self) -> Option<&Failed> {
        self.0.iter().max_by_key(|failed| failed.failure.at)
    }

    /// What a worker of `pool` says that it did not say `before`.
    pub(crate) fn news(&self, before: &Self, pool: &Pool) -> Option<&Failed> {
        let serves = |failed: &&Failed| failed.pools.iter().any(|served| served == pool.as_str());
        self.0.iter().filter(serves).find(|failed| !before.0.contains(failed))
    }
}

impl Failed {
    /// The same as an answer to who waits for the model.
    pub(crate) fn problem(&self) -> Problem {
        let LoadFailure { model_id, kind, message, .. } = &self.failure;
        let detail = format!("worker {} cannot load {model_id}: {message} ({kind})", self.worker_id);
        Problem::new(Code::ModelNotLoaded, detail)
    }
}

#[cfg(test)]
mod tests {
    use millrace_contracts::UnixMillis;
    use serde_json::json;

    use super::*;

    fn worker(id: &str, pool: &str, at: u64) -> WorkerRecord {
        let failed =
            json!({"model_id": "m", "kind": "MODEL_LOAD_ERROR", "message": "it is a picture", "at": at});
        let info = json!({"pools": [pool], "failed": [{"model_id": "other"}, failed]}).to_string();
        WorkerRecord { id: id.into(), last_seen: UnixMillis(0), info: Some(info) }
    }

    #[test]
    fn news_are_what_the_pools_workers_did_not_say_before() {
        let of = |workers: &[WorkerRecord]| Failures::of(workers, &"m".into());
        let before = of(&[worker("a", "fast", 1), worker("b", "heavy", 2)]);
        assert_eq!(before.latest().map(|failed| failed.worker_id.as_str()), Some("b"));
        assert!(before.news(&before, &"fast".into()).is_none());
        let now = of(&[worker("a", "fast", 1), worker("b", "heavy", 3)]);
        assert!(now.news(&before, &"fast".into()).is_none(), "another pool's worker");
        assert!(now.news(&before, &"heavy".into()).is_some());
        assert!(of(&[]).latest().is_none());
    }
}
