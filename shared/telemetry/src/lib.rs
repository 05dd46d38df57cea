#![doc = include_str!("../README.md")]

pub mod catalogue;
mod health;
mod init;
mod metrics;
mod traceparent;

pub use health::{Health, serve_health};
pub use init::{Telemetry, TelemetryError, init};
pub use metrics::MetricsHandle;
pub use traceparent::{Traceparent, follow};
