#![doc = include_str!("../README.md")]

mod base_url;
mod device;
mod error;
mod export;
mod layers;
mod load;
mod location;
mod places;
mod run_url;
mod secret;
mod settings;
mod size;
mod span;
mod topics;
mod validate;

pub use base_url::BaseUrl;
pub use device::Device;
pub use error::{ConfigError, ConfigFault};
pub use layers::variables_of;
pub use load::{LoadArgs, Loaded, Origin};
pub use location::{BucketUrl, Location};
pub use places::{ORT_VERSION, Places};
pub use run_url::RunUrl;
pub use secret::{Secret, SecretUrl};
pub use settings::Settings;
pub use size::ByteSize;
pub use topics::{
    Api, Auth, Blobs, Collections, Cost, Database, Io, Models, Objects, Orchestrator, Redis, Retention,
    Serving, Telemetry, Worker, Writer,
};

/// The commented file that lists every key with its default.
pub const DEFAULT_FILE: &str = include_str!("../millrace.default.toml");
