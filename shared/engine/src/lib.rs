#![doc = include_str!("../README.md")]

mod begin;
mod bind;
mod chain;
mod content;
mod effects;
mod events;
mod execution;
mod finish;
mod given;
mod handlers;
mod load;
mod loops;
mod outside;
mod pin;
mod readiness;
mod record;
mod refuse;
mod rerun;
mod retry;
mod reuse;
mod settle;
mod snapshot;
mod standing;
mod start;

pub use content::ContentKey;
pub use effects::{Effects, Noop, ShellWork, ShellWorkKind};
pub use execution::{Execution, Input, RunKey, Settings, Worked};
pub use given::{Givers, outputs_apart};
pub use load::{LoadError, MissingItems};
pub use outside::pool_of;
pub use record::{Fields, Handled, Meta, NodeRecord};
pub use rerun::reusable;
pub use reuse::{Ask, Hit, Made, Reusable};
pub use snapshot::{SnapshotError, snapshot};
pub use standing::Standing;
