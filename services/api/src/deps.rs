//! What the api is given by whoever runs it.

use millrace_blobs::Blobs;
use millrace_bus::Bus;
use millrace_config::{Api, Auth, ByteSize, Collections};
use millrace_store::{KeyHash, Store};
use millrace_telemetry::Health;

/// What the api is given: its settings and the outside services, connected.
#[derive(Clone)]
pub struct Deps {
    /// The `[api]` settings.
    pub settings: Api,
    /// The `[auth]` settings.
    pub auth: Auth,
    /// The `[collections]` settings.
    pub collections: Collections,
    /// `models.max_file`: the largest file of a model that is stored.
    pub max_model: ByteSize,
    /// A key of the scope `read` that is in no table: that of workers this process has started. It makes no api guarded.
    pub worker_key: Option<KeyHash>,
    /// Redis: commands, live events, the logs of runs.
    pub bus: Bus,
    /// Postgres: the record. Its schema is migrated.
    pub store: Store,
    /// Images and other bytes.
    pub blobs: Blobs,
    /// What `/readyz` and `/metrics` answer beside the api's own checks: the metrics of the process, and the checks of
    /// other roles that live in it.
    pub health: Health,
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps").field("settings", &self.settings).finish_non_exhaustive()
    }
}
