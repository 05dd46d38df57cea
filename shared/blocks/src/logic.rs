//! Decisions, loops and lists: run by the orchestrator.

pub mod collect;
pub mod condition;
pub mod delay;
pub mod filter;
pub mod first_of;
pub mod for_each;
pub mod map;
pub mod sub_workflow;
pub mod switch;
