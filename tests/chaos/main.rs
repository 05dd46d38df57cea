//! Things die while work goes on: the real binary, one process per role, a real Redis, a real Postgres. Every test kills
//! something with kill -9, or empties Redis, and then asks the record and the event streams whether anything was lost or done
//! twice. `MILLRACE_CHAOS=heavy` makes them large; `tests/README.md` has the commands.

#![allow(clippy::print_stderr, reason = "the figures are what these tests are for")]

mod abuse;
mod check;
#[path = "../e2e/support/client.rs"]
#[allow(dead_code, reason = "shared with the end-to-end tests, which use all of it")]
mod client;
#[path = "../e2e/support/events.rs"]
#[allow(dead_code, reason = "shared with the end-to-end tests, which use all of it")]
mod events;
mod flushed;
mod load;
mod orchestrator;
mod postgres;
mod roles;
mod worker;

/// `light` in CI, `heavy` when asked for.
fn size(light: usize, heavy: usize) -> usize {
    if std::env::var("MILLRACE_CHAOS").is_ok_and(|size| size == "heavy") { heavy } else { light }
}
