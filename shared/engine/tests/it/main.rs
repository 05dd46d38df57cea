//! The engine's rules, a file per topic; and its invariants, on random workflows in a random world.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "all of it is tests, and json! gives values"
)]

#[path = "../support/lib.rs"]
#[allow(
    dead_code,
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "shared by tests that use parts of it"
)]
mod support;

mod branches;
mod calls;
mod cancel;
mod chains;
mod delays;
mod errors;
mod history;
mod item_errors;
mod limits;
mod loading;
mod loops;
mod models;
mod outputs;
mod pictures;
mod properties;
mod reports;
mod reruns;
mod retries;
mod reuse;
mod settings;
mod shell;
mod snapshots;
mod timeouts;
