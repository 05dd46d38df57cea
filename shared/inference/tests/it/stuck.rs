//! Runs that do not end by themselves, and models that cannot be thought of: nobody else waits for them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use millrace_contracts::ModelId;
use millrace_inference::{
    CacheObserver, CacheSettings, Evicted, InferenceError, MemoryMeter, ModelCache, ModelInfo, Pressure,
    Quiet, SessionSettings, Tensor,
};
use millrace_tasks::Courtesy;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::{goldens_folder, loader_of, root};

/// Ends for black pictures only.
const ENDLESS: &str = "endless";
/// Ends for white ones only; the first run of a load is of zeros.
const ENDLESS_FIRST: &str = "endless-black";

/// The demo detector, and classifiers that loop.
fn models(folder: &Path) {
    let copy = |from: std::path::PathBuf, id: &str| {
        std::fs::create_dir_all(folder.join(id)).unwrap();
        std::fs::copy(from.join("model.onnx"), folder.join(id).join("model.onnx")).unwrap();
    };
    copy(root().join("models/shapes-detector"), "detector");
    for id in [ENDLESS, ENDLESS_FIRST] {
        copy(goldens_folder().join("tiny").join(id), id);
    }
}

fn cache(folder: &Path, settings: CacheSettings) -> ModelCache {
    ModelCache::new(loader_of(folder.to_owned(), SessionSettings::default()), settings, Arc::new(Quiet))
        .unwrap()
}

fn picture(level: f32) -> Vec<Tensor> {
    vec![Tensor::new(vec![1, 3, 64, 64], vec![level; 3 * 64 * 64]).unwrap()]
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    models(folder.path());
    let cache = cache(folder.path(), CacheSettings::default());
    let endless = cache.get(&ENDLESS.into()).await.unwrap().model;
    let given_up = tokio::time::timeout(Duration::from_millis(50), endless.infer(picture(1.0))).await;
    assert!(given_up.is_err(), "it ended by itself");
    // Behind it on the same session.
    let outputs = endless.infer(picture(0.0)).await.unwrap().outputs;
    assert_eq!(outputs[0].data(), [0.1, 0.7, 0.2]);
}

#[tokio::test]
async fn the_run_of_a_copy_that_was_given_up_ends_with_its_last_user() {
    let folder = tempfile::tempdir().unwrap();
    models(folder.path());
    // While somebody waits alone, all others share one core: whether a run has it can be seen.
    let courtesy = Courtesy::new(2, Duration::from_nanos(1));
    let _alone = courtesy.wait_alone("somebody");
    let loader = loader_of(folder.path().to_owned(), SessionSettings::default());
    let loader = loader.with_courtesy(courtesy.clone());
    let cache = ModelCache::new(loader, CacheSettings::default(), Arc::new(Quiet)).unwrap();
    let until = async |running: bool| {
        while courtesy.core_now("another").is_none() != running {
            tokio::task::yield_now().await;
        }
    };
    let id = ModelId::from(ENDLESS);
    let endless = cache.get(&id).await.unwrap().model;
    // The first run of the load.
    until(false).await;
    let mut run = Box::pin(endless.infer(picture(1.0)));
    assert!(futures::poll!(&mut run).is_pending());
    until(true).await;
    cache.forget(&id, Evicted::Replaced);
    drop(run);
    drop(endless);
    until(false).await;
}

#[tokio::test]
async fn a_model_whose_run_does_not_end_makes_room_for_others() {
    let folder = tempfile::tempdir().unwrap();
    models(folder.path());
    let cache = cache(folder.path(), CacheSettings { max_models: 1, ..CacheSettings::default() });
    let endless = cache.get(&ENDLESS.into()).await.unwrap().model;
    let given_up = tokio::time::timeout(Duration::from_millis(50), endless.infer(picture(1.0))).await;
    assert!(given_up.is_err(), "it ended by itself");
    drop(endless);
    assert!(cache.get(&"detector".into()).await.is_ok());
}

/// What `settings` in the `millrace.toml` of a model leads to, and that the cache goes on afterwards.
async fn refused(toml: &str) -> InferenceError {
    let folder = tempfile::tempdir().unwrap();
    models(folder.path());
    std::fs::write(folder.path().join(ENDLESS).join("millrace.toml"), toml).unwrap();
    let cache = cache(folder.path(), CacheSettings::default());
    let id = ModelId::from(ENDLESS);
    let (one, other) = tokio::join!(cache.get(&id), cache.get(&id));
    let (error, same) = (one.unwrap_err(), other.unwrap_err());
    assert_eq!(error.to_string(), same.to_string(), "all who wait hear of it");
    assert!(cache.get(&"detector".into()).await.is_ok());
    assert_eq!(cache.report().reserved_bytes, 0);
    error
}

#[tokio::test]
async fn settings_that_nobody_can_mean_keep_no_other_model_from_being_loaded() {
    for toml in
        ["[serving]\nsessions = 9223372036854775807", "[serving]\nmax_batch_delay = \"300000000000years\""]
    {
        let error = refused(toml).await;
        assert!(error.to_string().contains("serving."), "{error}");
    }
}

/// Says when memory is short, which it is from the first load on.
struct Full(UnboundedSender<Pressure>, AtomicBool);

impl CacheObserver for Full {
    fn loading(&self, _: &ModelId) {
        self.1.store(true, Ordering::Relaxed);
    }
    fn loaded(&self, _: &ModelInfo, _: u64) {}
    fn evicted(&self, _: &ModelId, _: Evicted) {}
    fn failed(&self, _: &ModelId, _: &InferenceError) {}
    fn pressure(&self, pressure: Pressure) {
        self.0.send(pressure).unwrap_or_default();
    }
}

impl MemoryMeter for Full {
    fn resident_bytes(&self) -> u64 {
        0
    }
    fn machine(&self) -> Option<f64> {
        Some(if self.1.load(Ordering::Relaxed) { 0.99 } else { 0.5 })
    }
}

#[tokio::test]
async fn what_is_loaded_is_tended_while_a_load_lasts_and_a_load_that_nobody_wants_ends() {
    let folder = tempfile::tempdir().unwrap();
    models(folder.path());
    let (tell, mut told) = unbounded_channel();
    let full = Arc::new(Full(tell, AtomicBool::new(false)));
    let settings = CacheSettings {
        warm_up_limit: Duration::from_secs(3600),
        meter: full.clone(),
        ..CacheSettings::default()
    };
    let loader = loader_of(folder.path().to_owned(), SessionSettings::default());
    let cache = ModelCache::new(loader, settings, full).unwrap();
    let endless = ENDLESS_FIRST.into();
    let mut load = Box::pin(cache.get(&endless));
    assert!(futures::poll!(&mut load).is_pending());
    while told.recv().await != Some(Pressure::Critical) {}
    assert!(futures::poll!(&mut load).is_pending(), "its first run goes on for ever");
    drop(load);
    // Loads come one after the other.
    assert!(cache.get(&"detector".into()).await.is_ok());
}

#[tokio::test]
async fn a_first_run_that_does_not_end_is_a_failed_load() {
    let folder = tempfile::tempdir().unwrap();
    models(folder.path());
    // Long enough for a detector on a machine that has much else to do.
    let settings = CacheSettings { warm_up_limit: Duration::from_secs(3), ..CacheSettings::default() };
    let cache = cache(folder.path(), settings);
    let error = cache.get(&ENDLESS_FIRST.into()).await.map(|_| ()).unwrap_err();
    assert!(
        matches!(&error, InferenceError::Load { .. }) && error.to_string().contains("first run"),
        "{error}"
    );
    assert!(cache.get(&"detector".into()).await.is_ok());
}
