#![doc = include_str!("../README.md")]

mod alarms;
mod batch;
mod callbacks;
mod ends;
mod error;
mod fetch;
mod fleet;
mod foresight;
mod held;
mod lane;
mod line;
mod membership;
mod outbox;
mod oversize;
mod plans;
mod resend;
mod reuse;
mod role;
mod schedules;
mod settled;
mod shell_work;
mod step;
mod sweeper;
mod walk;

pub use error::OrchestratorError;
pub use role::{Deps, run};
