//! What is shown of a model: what is registered of it, and what the workers say.

use std::collections::{BTreeMap, BTreeSet};

use millrace_bus::WorkerRecord;
use millrace_contracts::model::{ModelDescription, is_address};
use millrace_contracts::{ModelDigest, ModelId, Pool, WorkerId};
use millrace_store::ModelRecord;
use serde_json::{Map, Value, json};

/// What is said of a model in the registry and not shown again by the fleet.
const TOLD_BY_WORKERS: [&str; 5] = ["family", "task", "embedding_dimension", "digest", "bytes"];

/// What the workers say of models, by model.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    models: BTreeMap<String, Places>,
    /// The pools that each worker serves that is alive and takes jobs.
    pools: BTreeMap<WorkerId, BTreeSet<String>>,
    /// Where the names stand of models that are too many for a worker to name.
    further: BTreeSet<String>,
}

/// Where a model is.
#[derive(Debug, Default)]
struct Places {
    /// Workers that have it loaded, and what each says of its copy.
    warm: BTreeMap<WorkerId, Map<String, Value>>,
    loading: BTreeSet<WorkerId>,
    /// Whether it is in the repository of some worker.
    in_repository: bool,
}

impl Fleet {
    /// What these workers say. One names a model by its id or describes it.
    pub(crate) fn of(workers: &[WorkerRecord]) -> Self {
        let mut fleet = Self::default();
        for worker in workers {
            let info: Value =
                worker.info.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
            let list = |name: &str| info[name].as_array().cloned().unwrap_or_default();
            for model in list("models").into_iter().chain(list("warm")) {
                let described = model.as_object().cloned().unwrap_or_default();
                let id = described.get("model_id").or_else(|| described.get("id")).unwrap_or(&model);
                if let Some(id) = id.as_str() {
                    fleet.places(id).warm.entry(worker.id.clone()).or_default().extend(described);
                }
            }
            let pools: BTreeSet<String> =
                list("pools").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            if worker.info.is_some() && info["state"] != "draining" {
                fleet.pools.insert(worker.id.clone(), pools);
            }
            for id in list("loading").iter().filter_map(Value::as_str) {
                fleet.places(id).loading.insert(worker.id.clone());
            }
            for id in list("inventory").iter().filter_map(Value::as_str) {
                fleet.places(id).in_repository = true;
            }
            fleet.further.extend(info["further_inventory"]["names"].as_str().map(str::to_owned));
        }
        fleet
    }

    /// Where further names of models in repositories stand.
    pub(crate) fn further(&self) -> &BTreeSet<String> {
        &self.further
    }

    /// Notes that this model is in the repository of some worker.
    pub(crate) fn note_in_repository(&mut self, id: &ModelId) {
        self.places(id.as_str()).in_repository = true;
    }

    /// Forgets its loaded copies: they are of what was registered before.
    pub(crate) fn forget_copies(&mut self, id: &ModelId) {
        if let Some(places) = self.models.get_mut(id.as_str()) {
            places.warm.clear();
        }
    }

    fn places(&mut self, id: &str) -> &mut Places {
        self.models.entry(id.to_owned()).or_default()
    }

    /// Every model that some worker names.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ModelId> {
        self.models.keys().map(|id| id.as_str().into())
    }

    /// Whether some worker names it.
    pub(crate) fn knows(&self, id: &ModelId) -> bool {
        self.models.contains_key(id.as_str())
    }

    /// Whether it is in the repository of some worker.
    pub(crate) fn has_in_repository(&self, id: &ModelId) -> bool {
        self.models.get(id.as_str()).is_some_and(|places| places.in_repository)
    }

    /// Which copy of it is loaded, as far as some worker that has it says.
    pub(crate) fn warm_copy(&self, id: &ModelId) -> Option<ModelDigest> {
        self.models.get(id.as_str())?.told("digest")?.as_str().map(Into::into)
    }

    /// The workers that have it loaded.
    pub(crate) fn warm(&self, id: &ModelId) -> Vec<&WorkerId> {
        self.models.get(id.as_str()).into_iter().flat_map(|places| places.warm.keys()).collect()
    }

    /// Those of them that serve `pool`.
    pub(crate) fn warm_in(&self, id: &ModelId, pool: &Pool) -> Vec<&WorkerId> {
        let serves =
            |worker: &&WorkerId| self.pools.get(*worker).is_some_and(|pools| pools.contains(pool.as_str()));
        self.warm(id).into_iter().filter(serves).collect()
    }

    /// The pools that some worker serves.
    pub(crate) fn pools(&self) -> BTreeSet<&str> {
        self.pools.values().flatten().map(String::as_str).collect()
    }
}

impl Places {
    /// What the first worker that says this of its loaded copy says.
    fn told(&self, name: &str) -> Option<&Value> {
        self.warm.values().find_map(|copy| copy.get(name))
    }
}

/// What is known of a model outside the fleet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    /// What is registered of it.
    pub(crate) record: Option<&'a ModelRecord>,
    /// What its files say, where it is in a worker's repository.
    pub(crate) description: Option<&'a ModelDescription>,
    /// What its loaded copy turned out to be.
    pub(crate) copy: Option<&'a ModelDescription>,
}

/// Where a model comes from that is not registered.
pub(crate) fn unregistered(id: &ModelId) -> &'static str {
    if is_address(id.as_str()) { "url" } else { "pretrained" }
}

/// A model's page. What is registered has the say, then the loaded copy, then the files.
pub(crate) fn page(id: &ModelId, known: Known<'_>, fleet: &Fleet) -> Value {
    let Known { record, description, copy } = known;
    let mut page = Map::from_iter([("model_id".to_owned(), json!(id))]);
    let places = fleet.models.get(id.as_str());
    let mut say = |name: &str, value: Value| {
        if !value.is_null() {
            page.insert(name.to_owned(), value);
        }
    };
    say("source", json!(record.map_or(unregistered(id), |record| &record.source)));
    say("file_bytes", json!(record.and_then(|record| record.size_bytes)));
    for told in [description, copy].into_iter().flatten() {
        let ModelDescription { family, task, labels, embedding_dimension, .. } = told;
        say("family", json!(family));
        say("task", json!(task));
        say("labels", if labels.is_empty() { Value::Null } else { json!(labels) });
        say("embedding_dimension", json!(embedding_dimension));
        say("input_size", json!(told.input_size));
        say("file_bytes", json!(told.file_bytes));
        say("digest", json!(told.digest));
    }
    for name in TOLD_BY_WORKERS {
        let told = places.and_then(|places| places.told(name));
        say(name, told.cloned().unwrap_or_default());
    }
    if let Some(record) = record {
        say("task", json!(record.task));
        say("family", json!(record.family));
        say("labels", if record.labels.is_empty() { Value::Null } else { json!(record.labels) });
        say("checkpoint", json!(record.location));
        say("sha256", json!(record.digest));
        for name in ["files", "preprocess", "image"] {
            say(name, record.metadata.get(name).cloned().unwrap_or_default());
        }
        say("created_at", json!(record.created_at));
        say("updated_at", json!(record.updated_at));
    }
    // Who makes a collection for a model reads it in any case.
    page.entry("embedding_dimension").or_insert(Value::Null);
    page.insert("workers".to_owned(), json!(fleet.warm(id)));
    page.insert("loading".to_owned(), places.map_or_else(|| json!([]), |places| json!(places.loading)));
    page.insert("in_repository".to_owned(), json!(fleet.has_in_repository(id)));
    Value::Object(page)
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
        let fleet = Fleet::of(&[
            worker(
                "a",
                Some(json!({
                    "models": ["shapes"], "inventory": ["shapes", "cold"], "loading": ["big"],
                    "warm": [{"model_id": "vectors", "embedding_dimension": 384}],
                })),
            ),
            worker(
                "b",
                Some(json!({"models": ["shapes"], "warm": [{"model_id": "shapes", "task": "detection"}]})),
            ),
            worker("lost", None),
        ]);
        assert_eq!(
            fleet.ids().map(|id| id.to_string()).collect::<Vec<_>>(),
            ["big", "cold", "shapes", "vectors"]
        );
        assert_eq!(
            page(&"shapes".into(), Known::default(), &fleet),
            json!({
                "model_id": "shapes", "source": "pretrained", "task": "detection", "embedding_dimension": null,
                "workers": ["a", "b"], "loading": [], "in_repository": true,
            })
        );
        assert_eq!(page(&"big".into(), Known::default(), &fleet)["loading"], json!(["a"]));
        assert!(fleet.has_in_repository(&"cold".into()) && !fleet.has_in_repository(&"vectors".into()));
        let description = ModelDescription {
            id: "cold".into(),
            family: "ultralytics-detect".into(),
            task: "detection".into(),
            labels: vec!["bolt".into()],
            embedding_dimension: Some(768),
            input_size: Some([640, 384]),
            file_bytes: Some(12),
            digest: None,
        };
        let told =
            page(&"cold".into(), Known { description: Some(&description), ..Known::default() }, &fleet);
        assert_eq!((&told["input_size"], &told["file_bytes"]), (&json!([640, 384]), &json!(12)));
        let address = page(&"https://models.example/a.onnx".into(), Known::default(), &fleet);
        assert_eq!(address["source"], "url");
        assert_eq!(
            (&told["family"], &told["task"], &told["labels"], &told["embedding_dimension"]),
            (&json!("ultralytics-detect"), &json!("detection"), &json!(["bolt"]), &json!(768))
        );
        assert_eq!(
            page(&"vectors".into(), Known::default(), &fleet)["embedding_dimension"],
            384,
            "a loaded copy says so"
        );
        assert!(!fleet.knows(&"other".into()) && fleet.warm(&"cold".into()).is_empty());
        let mut fleet = fleet;
        fleet.forget_copies(&"vectors".into());
        let replaced = page(&"vectors".into(), Known::default(), &fleet);
        assert_eq!((&replaced["embedding_dimension"], &replaced["workers"]), (&Value::Null, &json!([])));
    }
}
