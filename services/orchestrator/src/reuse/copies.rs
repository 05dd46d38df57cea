//! Which copies of models the live workers have loaded: what a model's results are known by.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use millrace_bus::LiveItem;
use millrace_contracts::model::ModelWish;
use millrace_contracts::{ModelDigest, ModelId};
use serde_json::Value;

use crate::held::Held;
use crate::role::Shared;

/// How often the fleet is asked.
const PAUSE: Duration = Duration::from_secs(2);
/// For so long after a model changed, what is said of its copies may be of before.
const DOUBT: Duration = Duration::from_secs(6);

type Loaded = BTreeMap<ModelId, BTreeSet<ModelDigest>>;

/// The copies, as workers said last. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Copies(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    loaded: Loaded,
    /// Models that changed or are gone, and until when nothing that is said of them counts.
    doubted: BTreeMap<ModelId, Instant>,
}

impl Copies {
    /// The copy, if all workers that have the model agree on it.
    pub(super) fn of(&self, model: &ModelId) -> Option<ModelDigest> {
        let known = self.lock();
        let copies = known.loaded.get(model).filter(|_| !known.doubts(model))?;
        if copies.len() == 1 { copies.first().cloned() } else { None }
    }

    /// Learns from a result, until the fleet is asked again.
    pub(crate) fn note(&self, held: &Held) {
        if held.run.meta().models.is_empty() {
            return;
        }
        let mut known = self.lock();
        for (model, digest) in &held.run.meta().models {
            known.loaded.entry(model.clone()).or_insert_with(|| BTreeSet::from([digest.clone()]));
        }
    }

    /// Notes that these are other models from now on, or gone.
    fn doubt(&self, models: impl IntoIterator<Item = ModelId>) {
        let until = Instant::now() + DOUBT;
        self.lock().doubted.extend(models.into_iter().map(|model| (model, until)));
    }

    /// The same of all that anything is known of.
    fn doubt_all(&self) {
        let models: Vec<_> = self.lock().loaded.keys().cloned().collect();
        self.doubt(models);
    }

    fn replace(&self, loaded: Loaded) {
        let (mut known, now) = (self.lock(), Instant::now());
        known.loaded = loaded;
        known.doubted.retain(|_, until| *until > now);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Replaced or added to whole: nothing can be left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn doubts(&self, model: &ModelId) -> bool {
        self.doubted.get(model).is_some_and(|until| *until > Instant::now())
    }
}

/// Asks the fleet which copies it has, again and again, and hears of models that change in between.
pub(crate) async fn watch(shared: Shared) -> Result<(), Infallible> {
    tokio::join!(ask(&shared), listen(&shared));
    Ok(())
}

async fn ask(shared: &Shared) {
    loop {
        match shared.bus.workers().await {
            Ok(workers) => {
                shared.copies.replace(copies_in(workers.iter().filter_map(|worker| worker.info.as_deref())));
            }
            Err(error) => tracing::debug!(%error, "the fleet could not be asked for its models"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen(shared: &Shared) {
    let mut wishes = shared.bus.subscribe_patiently(&[&shared.bus.model_wishes_channel()]).await;
    while let Some(item) = wishes.next().await {
        match item {
            LiveItem::Event(event) => {
                // Others are no business of this.
                if let Ok(ModelWish::Forget { id }) = serde_json::from_str(&event.payload) {
                    shared.copies.doubt([id]);
                }
            }
            // What changed meanwhile was not heard.
            LiveItem::Reconnected => shared.copies.doubt_all(),
        }
    }
}

fn copies_in<'a>(infos: impl Iterator<Item = &'a str>) -> Loaded {
    let mut copies = Loaded::new();
    for info in infos {
        let info: Value = serde_json::from_str(info).unwrap_or_default();
        for warm in info["warm"].as_array().into_iter().flatten() {
            if let (Some(model), Some(digest)) = (warm["model_id"].as_str(), warm["digest"].as_str()) {
                copies.entry(model.into()).or_default().insert(digest.into());
            }
        }
    }
    copies
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(infos: &[String]) -> Copies {
        let copies = Copies::default();
        copies.replace(copies_in(infos.iter().map(String::as_str)));
        copies
    }

    fn info(digest: &str) -> String {
        format!(r#"{{"warm": [{{"model_id": "m", "digest": "{digest}"}}]}}"#)
    }

    #[test]
    fn workers_that_disagree_give_no_copy() {
        let of = |infos: &[String]| said(infos).of(&"m".into()).map(|digest| digest.to_string());
        assert_eq!(of(&[info("one"), info("one")]).as_deref(), Some("one"));
        assert_eq!(of(&[info("one"), info("two")]), None);
        assert_eq!(of(&["nonsense".to_owned()]), None);
    }

    #[test]
    fn what_is_said_of_a_model_that_changed_does_not_count_for_a_while() {
        let copies = said(&[info("one")]);
        copies.doubt(["other".into()]);
        assert!(copies.of(&"m".into()).is_some());
        copies.doubt_all();
        copies.replace(copies_in([info("one").as_str()].into_iter()));
        assert!(copies.of(&"m".into()).is_none(), "a worker that has not heard of it yet");
        copies.lock().doubted.insert("m".into(), Instant::now());
        assert!(copies.of(&"m".into()).is_some(), "until the time is over");
    }
}
