//! What the other workers have loaded, or are loading, and for which pools, as they say themselves on the live channels: whom to
//! leave a job to.
//! A hint: what is missed is said again with the next sign of life, and who is silent is forgotten.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use millrace_bus::{Bus, BusError, LiveItem};
use millrace_contracts::{Event, EventType, ModelId, Pool, WorkerId};
use serde::Deserialize;

/// Without a word for so long a worker's models count for nothing.
const SILENT: Duration = Duration::from_secs(15);
const CHANNELS: [&str; 2] = ["worker:*", "model:*"];

/// The other workers' models. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Neighbours {
    own: WorkerId,
    workers: Arc<Mutex<HashMap<WorkerId, Neighbour>>>,
}

struct Neighbour {
    /// Those it takes jobs from; none as long as only its models were heard of.
    pools: Option<HashSet<Pool>>,
    models: HashSet<ModelId>,
    heard: Instant,
}

/// What is read of an event or a registration.
#[derive(Deserialize)]
struct Said {
    worker_id: WorkerId,
    #[serde(default)]
    pools: Option<HashSet<Pool>>,
    #[serde(default)]
    model_id: Option<ModelId>,
    #[serde(default)]
    models: Vec<ModelId>,
    #[serde(default)]
    loading: Vec<ModelId>,
}

impl Neighbours {
    pub(crate) fn new(own: WorkerId) -> Self {
        Self { own, workers: Arc::default() }
    }

    /// Whether another worker that takes jobs from `pool` has `model`, or will have it soon. What one of other pools has is of no
    /// use to such a job.
    pub(crate) fn have(&self, pool: &Pool, model: &ModelId) -> bool {
        let takes = |worker: &Neighbour| worker.pools.as_ref().is_none_or(|pools| pools.contains(pool));
        let has = |worker: &Neighbour| worker.heard.elapsed() < SILENT && worker.models.contains(model);
        self.lock().values().any(|worker| has(worker) && takes(worker))
    }

    /// Listens for as long as it is polled, from what is registered now.
    pub(crate) async fn listen(self, bus: Bus) -> Result<(), Infallible> {
        let mut feed = bus.subscribe_patiently(&CHANNELS).await;
        self.catch_up(&bus).await;
        while let Some(item) = feed.next().await {
            match item {
                LiveItem::Event(event) => match serde_json::from_str::<Event>(&event.payload) {
                    Ok(event) => self.hear(event),
                    Err(error) => {
                        tracing::debug!(%error, "a live event could not be read and was passed over")
                    }
                },
                // What was said meanwhile is in the registrations.
                LiveItem::Reconnected => self.catch_up(&bus).await,
            }
        }
        Ok(())
    }

    /// Learns what is registered now, if Redis tells.
    async fn catch_up(&self, bus: &Bus) {
        if let Err(error) = self.ask(bus).await {
            tracing::debug!(%error, "the other workers' models are learned from their next signs of life");
        }
    }

    /// Learns what is registered now.
    pub(crate) async fn ask(&self, bus: &Bus) -> Result<(), BusError> {
        for worker in bus.workers().await? {
            if let Some(said) = worker.info.and_then(|info| serde_json::from_str(&info).ok()) {
                self.note(EventType::WorkerHeartbeat, said);
            }
        }
        Ok(())
    }

    fn hear(&self, event: Event) {
        if let Ok(said) = Said::deserialize(event.data) {
            self.note(event.kind, said);
        }
    }

    fn note(&self, kind: EventType, said: Said) {
        if said.worker_id == self.own {
            return;
        }
        let mut workers = self.lock();
        workers.retain(|_, worker| worker.heard.elapsed() < SILENT);
        let fresh = || Neighbour { pools: None, models: HashSet::new(), heard: Instant::now() };
        match kind {
            EventType::WorkerRegistered | EventType::WorkerHeartbeat => {
                let models = said.models.into_iter().chain(said.loading).collect();
                let neighbour = Neighbour { pools: said.pools, models, heard: Instant::now() };
                workers.insert(said.worker_id, neighbour);
            }
            // It takes nothing more.
            EventType::WorkerDraining | EventType::WorkerLost => drop(workers.remove(&said.worker_id)),
            EventType::ModelLoading | EventType::ModelLoaded => {
                let models = &mut workers.entry(said.worker_id).or_insert_with(fresh).models;
                models.extend(said.model_id);
            }
            EventType::ModelEvicted | EventType::ModelFailed => {
                if let (Some(worker), Some(model)) = (workers.get_mut(&said.worker_id), said.model_id) {
                    worker.models.remove(&model);
                }
            }
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<WorkerId, Neighbour>> {
        // One insertion or removal at a time: nothing can be left half changed.
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use millrace_bus::BusSettings;
    use millrace_contracts::UnixMillis;
    use millrace_contracts::event::Source;
    use millrace_testkit::{TestRedis, eventually};
    use serde_json::json;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn say(neighbours: &Neighbours, kind: EventType, data: serde_json::Value) {
        neighbours.note(kind, serde_json::from_value(data).unwrap());
    }

    #[test]
    fn what_others_say_is_known_and_forgotten_with_them() {
        let others = Neighbours::new("own".into());
        let (pool, a, b) = (Pool::from("fast"), ModelId::from("a"), ModelId::from("b"));
        say(&others, EventType::WorkerHeartbeat, json!({"worker_id": "own", "models": ["a"]}));
        assert!(!others.have(&pool, &a), "what we have ourselves is not a neighbour's");
        say(
            &others,
            EventType::WorkerHeartbeat,
            json!({"worker_id": "w", "models": ["a"], "loading": ["b"]}),
        );
        assert!(others.have(&pool, &a) && others.have(&pool, &b));
        say(&others, EventType::ModelEvicted, json!({"worker_id": "w", "model_id": "a"}));
        assert!(!others.have(&pool, &a));
        say(&others, EventType::ModelLoading, json!({"worker_id": "x", "model_id": "a"}));
        assert!(others.have(&pool, &a), "of which pools it is will be said");
        say(&others, EventType::WorkerDraining, json!({"worker_id": "w", "models": ["b"]}));
        say(&others, EventType::WorkerLost, json!({"worker_id": "x"}));
        assert!(!others.have(&pool, &a) && !others.have(&pool, &b));
    }

    #[test]
    fn who_takes_no_jobs_of_a_pool_has_no_model_for_it() {
        let others = Neighbours::new("own".into());
        let (fast, heavy, a, b) =
            (Pool::from("fast"), Pool::from("heavy"), ModelId::from("a"), ModelId::from("b"));
        let sign = json!({"worker_id": "w", "pools": ["heavy", "cpu"], "models": ["a"]});
        say(&others, EventType::WorkerRegistered, sign);
        assert!(others.have(&heavy, &a) && !others.have(&fast, &a));
        // What it loads meanwhile says nothing of pools.
        say(&others, EventType::ModelLoading, json!({"worker_id": "w", "model_id": "b"}));
        assert!(others.have(&heavy, &b) && !others.have(&fast, &b));
        say(
            &others,
            EventType::WorkerHeartbeat,
            json!({"worker_id": "v", "pools": ["fast"], "models": ["a"]}),
        );
        assert!(others.have(&fast, &a) && !others.have(&fast, &b));
    }

    #[tokio::test]
    async fn what_others_say_is_heard_though_redis_would_not_answer_at_first() {
        let redis = TestRedis::start().await.unwrap();
        let bus = Bus::connect(BusSettings::new(redis.url())).await.unwrap();
        let (others, pool, model) = (Neighbours::new("own".into()), Pool::from("fast"), ModelId::from("a"));
        redis.close_its_eyes().await.unwrap();
        let said = async {
            let asked = async || {
                let counters = bus.server_counters().await?;
                Ok::<_, BusError>(counters.commands.contains_key("zrange").then_some(()))
            };
            eventually(PATIENCE, "the question", asked).await.unwrap();
            redis.open_its_eyes().await.unwrap();
            let sign = json!({"worker_id": "w", "models": ["a"]});
            let kind = EventType::WorkerHeartbeat;
            let sign = Event::new(kind, Source::Worker, "1".to_owned(), UnixMillis::now(), sign);
            let heard = async || {
                bus.publish(&sign).await?;
                Ok::<_, BusError>(others.have(&pool, &model).then_some(()))
            };
            eventually(PATIENCE, "a neighbour", heard).await.unwrap();
        };
        tokio::select! {
            ended = others.clone().listen(bus.clone()) => panic!("it listens no more: {ended:?}"),
            () = said => {}
        }
    }
}
