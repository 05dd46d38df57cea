//! The cache: single flight, bounds, and failures that are not remembered.

use std::sync::{Arc, Mutex};

use futures::future::join_all;
use millrace_contracts::{ModelDigest, ModelId};
use millrace_inference::{CacheObserver, Evicted, InferenceError, ModelInfo, SessionSettings, Tensor};

use crate::{cache, loader, loader_of, root};

/// Writes down what it hears.
#[derive(Default)]
struct Diary(Mutex<Vec<String>>);

impl Diary {
    fn note(&self, what: &str, id: &ModelId) {
        self.0.lock().unwrap().push(format!("{what} {id}"));
    }

    fn read(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl CacheObserver for Diary {
    fn loading(&self, id: &ModelId) {
        self.note("loading", id);
    }
    fn loaded(&self, info: &ModelInfo, _: u64) {
        self.note("loaded", &info.id);
    }
    fn evicted(&self, id: &ModelId, _: Evicted) {
        self.note("evicted", id);
    }
    fn failed(&self, id: &ModelId, _: &InferenceError) {
        self.note("failed", id);
    }
}

#[tokio::test]
async fn however_many_ask_a_model_is_loaded_once() {
    let diary = Arc::new(Diary::default());
    let cache = cache(loader(), 4, diary.clone());
    let id = ModelId::from("shapes-detector");
    let asked = join_all((0..8).map(|_| cache.get(&id))).await;
    let digests: Vec<ModelDigest> =
        asked.iter().map(|warm| warm.as_ref().unwrap().model.info().digest.clone()).collect();
    assert!(digests.iter().all(|digest| digest.as_str().len() == 64 && *digest == digests[0]));
    assert!(asked.iter().all(|warm| warm.as_ref().unwrap().load_wait.is_some()));
    // A load that is done is told after whoever waited was answered.
    while diary.read().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(diary.read(), ["loading shapes-detector", "loaded shapes-detector"]);
    assert!(cache.get(&id).await.unwrap().load_wait.is_none());
    assert_eq!(cache.warm(), std::slice::from_ref(&id));
    assert!(cache.bytes() > 1_000_000);
    cache.forget(&id, Evicted::Broken);
    assert!(cache.warm().is_empty());
}

#[tokio::test]
async fn a_broken_copy_is_given_up_and_not_the_one_that_took_its_place() {
    let cache = cache(loader(), 4, Arc::new(Diary::default()));
    let id = ModelId::from("shapes-detector");
    let broken = cache.get(&id).await.unwrap().model;
    cache.give_up_on(&broken);
    assert!(cache.warm().is_empty());
    let fresh = cache.get(&id).await.unwrap().model;
    cache.give_up_on(&broken);
    assert_eq!(cache.warm(), std::slice::from_ref(&id), "it was loaded since");
    cache.give_up_on(&fresh);
    assert!(cache.warm().is_empty());
}

#[tokio::test]
async fn what_nobody_uses_makes_room_and_what_is_used_stays() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b, c] = copies(folder.path(), ["a", "b", "c"]);
    let diary = Arc::new(Diary::default());
    let cache = cache(loader_of(folder.path().to_owned(), SessionSettings::default()), 2, diary.clone());
    let used = cache.get(&a).await.unwrap();
    cache.get(&b).await.unwrap();
    cache.get(&c).await.unwrap();
    assert_eq!(cache.warm(), [a.clone(), c.clone()]);
    assert!(diary.read().contains(&"evicted b".to_owned()));
    let both = cache.get(&c).await.unwrap();
    // Both are in use and one more is wanted: it waits for the first to be given back.
    let third = cache.get(&b);
    tokio::pin!(third);
    assert!(futures::poll!(&mut third).is_pending());
    assert!(used.model.infer(vec![input()]).await.is_ok());
    drop(used);
    third.await.unwrap();
    assert_eq!(cache.warm(), [b.clone(), c]);
    assert!(both.model.infer(vec![input()]).await.is_ok());
}

fn input() -> Tensor {
    Tensor::new(vec![1, 3, 320, 320], vec![0.0; 3 * 320 * 320]).unwrap()
}

/// Copies of the demo model under these names.
fn copies<const N: usize>(folder: &std::path::Path, ids: [&str; N]) -> [ModelId; N] {
    for id in ids {
        std::fs::create_dir(folder.join(id)).unwrap();
        std::fs::copy(root().join("models/shapes-detector/model.onnx"), folder.join(id).join("model.onnx"))
            .unwrap();
    }
    ids.map(ModelId::from)
}

#[tokio::test]
async fn a_failed_load_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("late");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("model.onnx"), b"not yet").unwrap();
    let diary = Arc::new(Diary::default());
    let cache = cache(loader_of(folder.path().to_owned(), SessionSettings::default()), 2, diary.clone());
    let id = ModelId::from("late");
    let both = tokio::join!(cache.get(&id), cache.get(&id));
    assert!(both.0.is_err() && both.1.is_err());
    assert_eq!(diary.read(), ["loading late", "failed late"]);
    std::fs::copy(root().join("models/shapes-detector/model.onnx"), place.join("model.onnx")).unwrap();
    assert!(cache.get(&id).await.is_ok());
}
