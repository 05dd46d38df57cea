#![doc = include_str!("../README.md")]

mod backoff;
mod courtesy;
mod error;
mod kind;
mod niceness;
mod signal;
mod supervisor;
mod within;

pub use backoff::{Backoff, backoff};
pub use courtesy::{Cores, Courtesy, Waiting};
pub use error::TaskError;
pub use kind::{OnCancel, OnError, TaskKind};
pub use niceness::{give_way, give_way_to_all};
pub use signal::shutdown_signal;
pub use supervisor::Supervisor;
pub use tokio_util::sync::CancellationToken;
pub use within::within;
