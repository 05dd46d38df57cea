//! The built-in load scenarios. Each file below `bench/` owns one scenario or one thing that all of them need.
//!
//! Rule: every figure stands beside the physical limits of the same servers, measured in the same run, and beside the CPU
//! it took, summed over all processes of the system.

mod api;
mod chain;
mod cpu;
mod dag;
mod definitions;
mod detect;
mod ends;
mod fairness;
pub(crate) mod inference;
mod instance;
mod limits;
mod load;
mod machine;
mod meter;
mod phase;
mod published;
mod push;
mod report;
mod stage;
mod stats;
mod streams;
mod submit;
mod worker;

pub(crate) use self::instance::{Instance, Place, Private};
pub(crate) use self::load::Bounds;
pub(crate) use self::report::Report;
pub(crate) use self::stage::{Scenario, Stage};
