//! Servers, an api, and a client of it.

mod described;
mod pictures;
mod player;
mod reply;
mod sse;

use std::sync::{Once, OnceLock};
use std::time::Duration;

use anyhow::Context;
use millrace_api::{ApiError, Deps, run};
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_bus::{Bus, BusSettings};
use millrace_config::{Api, Auth, ByteSize, Collections};
use millrace_contracts::ExecutionId;
use millrace_store::{KeyHash, Store, StoreSettings};
use millrace_tasks::CancellationToken;
use millrace_telemetry::{Health, MetricsHandle};
use millrace_testkit::{TestPostgres, TestRedis, test_folder};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) use described::operations;
pub(crate) use pictures::{jpeg, png};
pub(crate) use player::Player;
pub(crate) use reply::Reply;
pub(crate) use sse::Follower;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// The largest file of a model.
pub(crate) const MAX_MODEL: ByteSize = ByteSize::mib(96);

/// What this process counts: all tests together, where they share one.
pub(crate) fn counted() -> MetricsHandle {
    static COUNTED: OnceLock<MetricsHandle> = OnceLock::new();
    COUNTED.get_or_init(|| MetricsHandle::install(&["api"]).expect("nobody else counts")).clone()
}

pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) redis: TestRedis,
    pub(crate) postgres: TestPostgres,
    pub(crate) base: String,
    pub(crate) client: Client,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), ApiError>>,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with(Api::default(), TestPostgres::start().await?).await
    }

    pub(crate) async fn start_with(settings: Api, postgres: TestPostgres) -> anyhow::Result<Self> {
        Self::start_guarded(settings, Auth::default(), postgres).await
    }

    /// With settings for who may call.
    pub(crate) async fn start_guarded(
        settings: Api,
        auth: Auth,
        postgres: TestPostgres,
    ) -> anyhow::Result<Self> {
        Self::start_as(settings, auth, (Collections::default(), None), postgres).await
    }

    /// With limits for collections, and a key for workers.
    pub(crate) async fn start_collecting(
        collections: Collections,
        worker_key: Option<KeyHash>,
    ) -> anyhow::Result<Self> {
        let postgres = TestPostgres::start().await?;
        Self::start_as(Api::default(), Auth::default(), (collections, worker_key), postgres).await
    }

    async fn start_as(
        settings: Api,
        auth: Auth,
        (collections, worker_key): (Collections, Option<KeyHash>),
        postgres: TestPostgres,
    ) -> anyhow::Result<Self> {
        let (redis, folder) = (TestRedis::start().await?, test_folder()?);
        let bus = Bus::connect(BusSettings { partitions: 4, ..BusSettings::new(redis.url()) }).await?;
        let store = Store::connect(&StoreSettings::new(postgres.url()))?;
        store.migrate().await?;
        let blobs = Blobs::open(&BlobsSettings::new(folder.path().display().to_string()))?;
        let listener = millrace_api::listen(([127, 0, 0, 1], 0).into())?;
        let base = format!("http://{}", listener.local_addr()?);
        let deps = Deps {
            settings,
            auth,
            collections,
            max_model: MAX_MODEL,
            worker_key,
            bus: bus.clone(),
            store: store.clone(),
            blobs: blobs.clone(),
            health: Health::new(None),
        };
        let shutdown = CancellationToken::new();
        // A test's own task: `stop` waits for it, and a failed test takes it along.
        let task = tokio::spawn(run(deps, listener, shutdown.clone()));
        let client = client()?;
        Ok(Self { bus, store, blobs, redis, postgres, base, client, shutdown, task, folder })
    }

    /// What another replica is given.
    pub(crate) fn deps(&self) -> Deps {
        Deps {
            settings: Api::default(),
            auth: Auth::default(),
            collections: Collections::default(),
            max_model: MAX_MODEL,
            worker_key: None,
            bus: self.bus.clone(),
            store: self.store.clone(),
            blobs: self.blobs.clone(),
            health: Health::new(None),
        }
    }

    /// Tells the api to end, and waits until it has.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        Ok(tokio::time::timeout(DEADLINE, self.task).await???)
    }

    /// Tells the api to end.
    pub(crate) fn shut_down(&self) {
        self.shutdown.cancel();
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        Reply::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        Reply::of(self.request(Method::POST, path).json(body)).await
    }

    /// The same, with an idempotency key.
    pub(crate) async fn post_keyed(&self, path: &str, body: &Value, key: &str) -> anyhow::Result<Reply> {
        Reply::of(self.request(Method::POST, path).header("idempotency-key", key).json(body)).await
    }

    /// Saves a workflow; its id.
    pub(crate) async fn save(&self, definition: &Value) -> anyhow::Result<String> {
        let saved = self.post("/api/v1/workflows", definition).await?;
        anyhow::ensure!(saved.status == 201, "{saved:?}");
        Ok(saved.body["id"].as_str().context("an id")?.to_owned())
    }

    /// Submits a run of a workflow without inputs; its id.
    pub(crate) async fn submit(&self) -> anyhow::Result<ExecutionId> {
        let accepted = self.post("/api/v1/executions", &json!({"workflow": constant()})).await?;
        anyhow::ensure!(accepted.status == 202, "{accepted:?}");
        Ok(accepted.body["execution_id"].as_str().context("an id")?.parse()?)
    }

    /// Submits a run and plays its orchestrator.
    pub(crate) async fn play(&self) -> anyhow::Result<Player> {
        Ok(Player::new(self.bus.clone(), self.submit().await?))
    }

    /// Follows a run's events.
    pub(crate) async fn follow(
        &self,
        run: ExecutionId,
        last_event_id: Option<&str>,
    ) -> anyhow::Result<Follower> {
        let mut request = self.request(Method::GET, &format!("/api/v1/executions/{run}/events"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        Follower::open(request).await
    }
}

fn client() -> anyhow::Result<Client> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Refused when there is one already, which will do.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
    Ok(Client::builder().no_proxy().build()?)
}

/// A workflow with a picture and a number as inputs.
pub(crate) fn show() -> Value {
    json!({"name": "show", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "min", "type": "parameter_input", "config": {"kind": "float", "default": 0.4, "min": 0, "max": 1}},
        {"id": "answer", "type": "json_output", "inputs": {"picture": "$inputs.photo", "min": "$inputs.min"}},
    ]})
}

/// A workflow that needs no input.
pub(crate) fn constant() -> Value {
    json!({"name": "constant", "nodes": [
        {"id": "min", "type": "parameter_input", "config": {"kind": "float", "default": 0.4}},
        {"id": "answer", "type": "json_output", "inputs": {"min": "$inputs.min"}},
    ]})
}
