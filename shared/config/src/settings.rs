//! Everything that can be set, one field per topic.

use serde::{Deserialize, Serialize};

use crate::topics::{
    Api, Auth, Blobs, Collections, Cost, Database, Io, Models, Objects, Orchestrator, Redis, Retention,
    Telemetry, Worker, Writer,
};

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The REST api.
    pub api: Api,
    /// Who may call the api.
    pub auth: Auth,
    /// The bus.
    pub redis: Redis,
    /// The record.
    pub database: Database,
    /// Images, tensors, artifacts.
    pub blobs: Blobs,
    /// Object stores.
    pub objects: Objects,
    /// Vectors to search among.
    pub collections: Collections,
    /// Models and the inference library.
    pub models: Models,
    /// The role that walks the workflows.
    pub orchestrator: Orchestrator,
    /// The role that runs jobs.
    pub worker: Worker,
    /// The world outside.
    pub io: Io,
    /// The role that records events.
    pub writer: Writer,
    /// How long things are kept.
    pub retention: Retention,
    /// What the fleet costs.
    pub cost: Cost,
    /// Logs, traces, metrics.
    pub telemetry: Telemetry,
}
