//! The budget of memory: who makes way, who stays, what is refused, and what happens when memory is short.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use millrace_contracts::{ModelId, Pool};
use millrace_inference::{
    CacheObserver, CacheSettings, Evicted, InferenceError, MemoryMeter, ModelCache, ModelInfo, Pressure,
    Quiet, SessionSettings,
};
use millrace_onnx::{Element, Graph, Side};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{goldens_folder, loader_of, root};

/// Tells what it hears.
struct Teller(UnboundedSender<String>);

impl Teller {
    fn tell(&self, what: String) {
        // A test that heard enough is over.
        drop(self.0.send(what));
    }
}

impl CacheObserver for Teller {
    fn loading(&self, id: &ModelId) {
        self.tell(format!("loading {id}"));
    }
    fn loaded(&self, info: &ModelInfo, _: u64) {
        self.tell(format!("loaded {}", info.id));
    }
    fn evicted(&self, id: &ModelId, why: Evicted) {
        self.tell(format!("{} {id}", why.as_str()));
    }
    fn failed(&self, id: &ModelId, _: &InferenceError) {
        self.tell(format!("failed {id}"));
    }
    fn pressure(&self, pressure: Pressure) {
        self.tell(format!("pressure {pressure}"));
    }
}

/// A machine that is full when it is told to be, and where a load takes the same whatever else goes on.
#[derive(Default)]
struct Machine {
    full: AtomicBool,
    resident: AtomicU64,
}

/// What a load takes, bytes: much more than the runs of these models.
const LOAD: u64 = 16 << 20;

impl MemoryMeter for Machine {
    fn resident_bytes(&self) -> u64 {
        self.resident.fetch_add(LOAD, Ordering::Relaxed)
    }
    fn machine(&self) -> Option<f64> {
        Some(if self.full.load(Ordering::Relaxed) { 0.99 } else { 0.5 })
    }
}

/// A detector whose graph takes pictures of any size.
const FREE_SIDES: &str = "rtdetr-tiny";

struct House {
    cache: ModelCache,
    heard: UnboundedReceiver<String>,
    machine: Arc<Machine>,
}

impl House {
    /// Models `a`, `b` and `c`, alike, under `settings`. They are thought to take more than they do.
    fn open(folder: &Path, settings: CacheSettings) -> Self {
        for id in ["a", "b", "c"] {
            std::fs::create_dir_all(folder.join(id)).unwrap();
            let file = folder.join(id).join("model.onnx");
            std::fs::copy(root().join("models/shapes-detector/model.onnx"), file).unwrap();
        }
        let (tell, heard) = unbounded_channel();
        let machine = Arc::new(Machine::default());
        let memory_factor = settings.memory_factor.max(10.0);
        let settings = CacheSettings { meter: machine.clone(), memory_factor, ..settings };
        let loader = loader_of(folder.to_owned(), SessionSettings::default());
        Self { cache: ModelCache::new(loader, settings, Arc::new(Teller(tell))).unwrap(), heard, machine }
    }

    async fn use_once(&self, id: &str) {
        self.cache.get_for(&id.into(), Some(&Pool::from("fast"))).await.unwrap();
    }

    fn all_heard(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }

    async fn hear(&mut self, what: &str) {
        while self.heard.recv().await.unwrap() != what {}
    }
}

/// What one of the models is measured to take, bytes.
async fn measured() -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), CacheSettings::default());
    house.use_once("a").await;
    house.cache.bytes()
}

/// Sees nothing of what a load takes: what is left is what the runtime says of its arenas.
struct Blind;

impl MemoryMeter for Blind {
    fn resident_bytes(&self) -> u64 {
        0
    }
    fn machine(&self) -> Option<f64> {
        None
    }
}

#[tokio::test]
async fn what_a_model_took_with_more_sessions_is_not_held_against_it() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("facts.json");
    let open = |sessions: usize, max_bytes: u64| {
        let settings = CacheSettings {
            max_bytes,
            facts: Some(facts.clone()),
            meter: Arc::new(Blind),
            ..CacheSettings::default()
        };
        let loader =
            loader_of(root().join("models"), SessionSettings { sessions, ..SessionSettings::default() });
        ModelCache::new(loader, settings, Arc::new(Quiet)).unwrap()
    };
    let id = ModelId::from("shapes-detector");
    let many = open(4, 1 << 30);
    many.get(&id).await.unwrap();
    let taken = many.bytes();
    // Written after whoever waited was answered.
    while !facts.exists() {
        tokio::task::yield_now().await;
    }
    drop(many);
    let few = open(1, taken - 1);
    few.get(&id).await.unwrap();
    assert!(few.bytes() < taken, "{} with one, {taken} with four", few.bytes());
}

#[tokio::test]
async fn what_a_model_with_free_sides_needs_for_a_run_is_known_once_it_is_loaded() {
    let taken = async |sessions, warm_up_rows| {
        let settings = CacheSettings { warm_up_rows, meter: Arc::new(Blind), ..CacheSettings::default() };
        let loader = loader_of(goldens_folder(), SessionSettings { sessions, ..SessionSettings::default() });
        let cache = ModelCache::new(loader, settings, Arc::new(Quiet)).unwrap();
        cache.get(&FREE_SIDES.into()).await.unwrap();
        cache.bytes()
    };
    let (cold, warm) = (taken(1, 0).await, taken(1, 1).await);
    assert!(warm > cold + (1 << 20), "{warm} after a first run, {cold} without");
    let three = taken(3, 1).await;
    assert!(three >= 3 * warm, "{three} after a first run in each of three sessions, {warm} in one");
}

/// Loads that the best policy there is needs for this order where one model fits: one for every change.
fn least_loads(order: &[&str]) -> usize {
    1 + order.windows(2).filter(|two| two[0] != two[1]).count()
}

#[tokio::test]
async fn where_one_fits_two_are_served_with_no_more_loads_than_their_order_forces() {
    let budget = measured().await * 3 / 2;
    for order in [["a", "b", "a", "b", "a", "b"], ["a", "a", "a", "b", "b", "b"]] {
        let folder = tempfile::tempdir().unwrap();
        let mut house =
            House::open(folder.path(), CacheSettings { max_bytes: budget, ..CacheSettings::default() });
        for id in order {
            house.use_once(id).await;
            assert!(house.cache.bytes() <= budget);
        }
        let heard = house.all_heard();
        // A load that is done is told after whoever waited was answered.
        let count = |what: &str| heard.iter().filter(|heard| heard.starts_with(what)).count();
        assert_eq!(count("loading"), least_loads(&order), "{heard:?}");
        assert_eq!(count("room"), least_loads(&order) - 1, "{heard:?}");
        assert_eq!(house.cache.report().evicted, count("room") as u64);
    }
}

#[tokio::test]
async fn a_model_that_never_fits_takes_nobody_elses_place() {
    let folder = tempfile::tempdir().unwrap();
    let budget = measured().await * 5 / 2;
    let settings =
        CacheSettings { max_bytes: budget, switch_after: Duration::ZERO, ..CacheSettings::default() };
    let mut house = House::open(folder.path(), settings);
    let file = folder.path().join("c/model.onnx");
    std::fs::write(file.with_extension("onnx_data"), vec![0; usize::try_from(budget).unwrap()]).unwrap();
    house.use_once("a").await;
    let used = house.cache.get(&"b".into()).await.unwrap();
    // A load that is done is told after whoever waited was answered.
    house.hear("loaded b").await;
    for _ in 0..2 {
        let error = house.cache.get(&"c".into()).await.unwrap_err();
        assert!(matches!(error, InferenceError::NoRoom { need_bytes, .. } if need_bytes > budget), "{error}");
    }
    let mut heard = house.all_heard();
    heard.retain(|heard| !heard.starts_with("pressure"));
    assert_eq!(heard, ["failed c", "failed c"], "nobody had to leave");
    assert_eq!(house.cache.warm(), ["a".into(), "b".into()]);
    assert!(used.load_wait.is_some());
}

#[tokio::test]
async fn what_is_pinned_is_not_asked_to_leave_for_what_cannot_fit_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = CacheSettings {
        max_bytes: measured().await * 3 / 2,
        pinned: vec!["a".into()],
        ..CacheSettings::default()
    };
    let house = House::open(folder.path(), settings);
    house.use_once("a").await;
    let error = house.cache.get(&"b".into()).await.unwrap_err();
    assert!(matches!(error, InferenceError::NoRoom { .. }), "{error}");
    assert_eq!(house.cache.warm(), ["a".into()]);
}

#[tokio::test]
async fn a_guess_keeps_no_model_out_whose_files_fit() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        CacheSettings { max_bytes: measured().await, memory_factor: 1_000.0, ..CacheSettings::default() };
    let house = House::open(folder.path(), settings);
    house.use_once("a").await;
    house.use_once("b").await;
    assert_eq!(house.cache.warm(), ["b".into()]);
}

#[tokio::test]
async fn when_the_machine_is_full_what_nobody_uses_leaves_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut house =
        House::open(folder.path(), CacheSettings { pinned: vec!["c".into()], ..CacheSettings::default() });
    for id in ["a", "c"] {
        house.use_once(id).await;
    }
    let used = house.cache.get(&"b".into()).await.unwrap();
    house.machine.full.store(true, Ordering::Relaxed);
    house.hear("pressure critical").await;
    house.hear("emergency a").await;
    assert_eq!(
        (house.cache.warm(), house.cache.pressure()),
        (vec!["b".into(), "c".into()], Pressure::Critical)
    );
    drop(used);
    house.hear("emergency b").await;
    house.machine.full.store(false, Ordering::Relaxed);
    house.hear("pressure low").await;
    assert_eq!(house.cache.warm(), ["c".into()]);
}

#[tokio::test]
async fn idle_models_leave_but_for_the_latest_of_their_pool() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        CacheSettings { idle_timeout: Duration::from_nanos(1), keep_warm: 1, ..CacheSettings::default() };
    let mut house = House::open(folder.path(), settings);
    house.use_once("a").await;
    house.use_once("b").await;
    house.hear("idle a").await;
    assert_eq!(house.cache.warm(), ["b".into()]);
}

#[tokio::test]
async fn a_copy_that_is_replaced_while_it_loads_is_not_what_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), CacheSettings::default());
    let id = ModelId::from("named");
    // Another digest: a file more has a say.
    std::fs::write(folder.path().join("b/millrace.toml"), "labels = [\"1\", \"2\", \"3\", \"4\"]").unwrap();
    house.cache.place(&id, &folder.path().join("a"));
    let first = house.cache.get(&id);
    tokio::pin!(first);
    assert!(futures::poll!(&mut first).is_pending());
    house.cache.place(&id, &folder.path().join("b"));
    first.await.unwrap();
    let now = house.cache.get(&id).await.unwrap().model.info().digest.clone();
    let digest_of = async |of: &str| house.cache.get(&of.into()).await.unwrap().model.info().digest.clone();
    assert_eq!(now, digest_of("b").await);
    assert_ne!(now, digest_of("a").await);
}

#[tokio::test]
async fn a_load_that_lasts_longer_than_who_asked_for_it_is_not_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path(), CacheSettings::default());
    let cache = house.cache.clone();
    let id = ModelId::from("a");
    let mut asked = Box::pin(cache.get(&id));
    assert!(futures::poll!(&mut asked).is_pending());
    house.hear("loading a").await;
    drop(asked);
    house.hear("loaded a").await;
    assert_eq!(house.cache.warm(), [id]);
}

/// Until nothing is to be loaded any more.
async fn settled(cache: &ModelCache) {
    while !cache.report().loading.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nobody_leaves_for_guesses_however_many_saw_the_same_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path(), CacheSettings { max_models: 2, ..CacheSettings::default() });
    house.use_once("a").await;
    for id in ["b", "c", "d"] {
        house.cache.prefetch_if_room(&id.into());
    }
    house.hear("loaded b").await;
    settled(&house.cache).await;
    assert_eq!((house.cache.warm(), house.cache.report().evicted), (vec!["a".into(), "b".into()], 0));
    // What somebody wants to be there is no guess.
    house.cache.prefetch(&"c".into());
    house.hear("loaded c").await;
    assert_eq!(house.cache.report().evicted, 1);
}

#[tokio::test]
async fn what_somebody_waits_for_is_loaded_before_guesses_and_a_guess_that_somebody_waits_for_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::open(folder.path(), CacheSettings { max_models: 1, ..CacheSettings::default() });
    let used = house.cache.get(&"a".into()).await.unwrap();
    let cache = house.cache.clone();
    let (b, c) = (ModelId::from("b"), ModelId::from("c"));
    // It waits for its room, and keeps the others waiting.
    let mut first = Box::pin(cache.get(&c));
    assert!(futures::poll!(&mut first).is_pending());
    cache.prefetch_if_room(&b);
    let mut second = Box::pin(cache.get(&b));
    assert!(futures::poll!(&mut second).is_pending());
    drop(used);
    drop(first.await.unwrap());
    drop(second.await.unwrap());
    house.hear("loaded b").await;
    assert_eq!(house.cache.warm(), [b]);
}

#[tokio::test]
async fn what_is_loaded_is_tended_though_somebody_rings_all_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let settings = CacheSettings {
        max_models: 2,
        pinned: vec!["a".into()],
        switch_after: Duration::from_secs(3600),
        ..CacheSettings::default()
    };
    let mut house = House::open(folder.path(), settings);
    house.use_once("a").await;
    let used = house.cache.get(&"b".into()).await.unwrap();
    let cache = house.cache.clone();
    let c = ModelId::from("c");
    let mut waiting = Box::pin(cache.get(&c));
    assert!(futures::poll!(&mut waiting).is_pending());
    house.machine.full.store(true, Ordering::Relaxed);
    while !house.all_heard().contains(&"pressure critical".to_owned()) {
        // Each end of a lease rings.
        house.use_once("a").await;
        tokio::task::yield_now().await;
    }
    drop(used);
    assert!(waiting.await.is_ok());
}

#[tokio::test]
async fn a_copy_that_was_given_up_counts_until_its_last_user_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let budget = measured().await * 3 / 2;
    let mut house =
        House::open(folder.path(), CacheSettings { max_bytes: budget, ..CacheSettings::default() });
    let (cache, id) = (house.cache.clone(), ModelId::from("a"));
    let used = cache.get(&id).await.unwrap();
    house.hear("loaded a").await;
    let bytes = cache.bytes();
    cache.forget(&id, Evicted::Replaced);
    assert_eq!((cache.bytes(), cache.warm()), (bytes, Vec::new()), "it still takes what it takes");
    let mut again = Box::pin(cache.get(&id));
    assert!(futures::poll!(&mut again).is_pending());
    house.hear("replaced a").await;
    // The keeper tends while it waits for room.
    house.machine.full.store(true, Ordering::Relaxed);
    loop {
        let heard = house.heard.recv().await.unwrap();
        assert_ne!(heard, "loading a", "there is no room for two");
        if heard == "pressure critical" {
            break;
        }
    }
    drop(used);
    let fresh = again.await.unwrap();
    assert!(cache.bytes() <= budget);
    drop(fresh);
}

/// Puts a sound model in the place of one that finds no memory, once another leaves.
struct Mender {
    sound: std::path::PathBuf,
    place: std::path::PathBuf,
    heard: UnboundedSender<String>,
}

impl CacheObserver for Mender {
    fn loading(&self, _: &ModelId) {}
    fn loaded(&self, _: &ModelInfo, _: u64) {}
    fn evicted(&self, id: &ModelId, why: Evicted) {
        std::fs::copy(&self.sound, &self.place).unwrap();
        drop(self.heard.send(format!("{} {id}", why.as_str())));
    }
    fn failed(&self, id: &ModelId, _: &InferenceError) {
        drop(self.heard.send(format!("failed {id}")));
    }
}

/// A sound model `a`, and a model `b` that finds no memory until another leaves; and what is heard of them.
fn short_of_memory(folder: &Path) -> (ModelCache, UnboundedReceiver<String>) {
    let sound = root().join("models/shapes-detector/model.onnx");
    let place = folder.join("b/model.onnx");
    for id in ["a", "b"] {
        std::fs::create_dir_all(folder.join(id)).unwrap();
        std::fs::copy(&sound, folder.join(id).join("model.onnx")).unwrap();
    }
    // The runtime has no code for a lack of memory: it is told by its words, the name of an operator among them.
    let mut short = Graph::new("short");
    short.input("x", Element::F32, &[Side::Fixed(1)]).output("y", Element::F32, &[Side::Fixed(1)]);
    short.node("org.example::out of memory", &["x"], "y", &[]);
    std::fs::write(&place, short.encode()).unwrap();
    let (tell, heard) = unbounded_channel();
    let observer = Arc::new(Mender { sound, place, heard: tell });
    let loader = loader_of(folder.to_owned(), SessionSettings::default());
    (ModelCache::new(loader, CacheSettings::default(), observer).unwrap(), heard)
}

#[tokio::test]
async fn a_load_that_finds_no_memory_is_tried_again_once_others_have_left() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, mut heard) = short_of_memory(folder.path());
    // Nobody can leave: the only one there is in use.
    let used = cache.get(&"a".into()).await.unwrap();
    let refused = cache.get(&"b".into()).await.unwrap_err();
    assert!(matches!(refused, InferenceError::OutOfMemory { .. }), "{refused}");
    drop(used);
    assert!(cache.get(&"b".into()).await.is_ok());
    assert_eq!([(); 2].map(|()| heard.try_recv().unwrap()), ["failed b", "emergency a"]);
}

#[tokio::test]
async fn nobody_leaves_for_a_guess_that_finds_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, mut heard) = short_of_memory(folder.path());
    drop(cache.get(&"a".into()).await.unwrap());
    cache.prefetch_if_room(&"b".into());
    assert_eq!(heard.recv().await.unwrap(), "failed b");
    settled(&cache).await;
    assert_eq!((cache.warm(), cache.report().evicted), (vec!["a".into()], 0));
}
