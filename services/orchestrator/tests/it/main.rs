//! The orchestrator against a real Redis and Postgres; the test plays the worker. Each test has servers of its own.
#![allow(clippy::disallowed_methods, reason = "a test's own task, which the test ends")]

mod callbacks;
mod cancel;
mod fleet;
mod foresight;
mod line;
mod losses;
mod metrics;
mod reruns;
mod retries;
mod reuse;
mod runs;
mod schedules;
mod support;
mod takeover;
