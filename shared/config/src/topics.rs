//! One struct per topic. Each field's comment stands again in `millrace.default.toml`.

mod api;
mod auth;
mod blobs;
mod collections;
mod cost;
mod database;
mod io;
mod models;
mod objects;
mod orchestrator;
mod redis;
mod retention;
mod telemetry;
mod worker;
mod writer;

pub use api::Api;
pub use auth::Auth;
pub use blobs::Blobs;
pub use collections::Collections;
pub use cost::Cost;
pub use database::Database;
pub use io::Io;
pub use models::{Models, Serving};
pub use objects::Objects;
pub use orchestrator::Orchestrator;
pub use redis::Redis;
pub use retention::Retention;
pub use telemetry::Telemetry;
pub use worker::Worker;
pub use writer::Writer;
