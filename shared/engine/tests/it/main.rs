//! The engine's rules, a file per topic; and its invariants, on random workflows in a random world.

#[path = "../support/lib.rs"]
#[allow(dead_code, reason = "the simulation uses another part of it")]
mod support;

mod branches;
mod cancel;
mod delays;
mod errors;
mod history;
mod item_errors;
mod limits;
mod loading;
mod loops;
mod outputs;
mod properties;
mod reports;
mod retries;
mod shell;
mod snapshots;
mod timeouts;
