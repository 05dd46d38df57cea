//! The writer between a real Redis and a real Postgres.
#![allow(clippy::disallowed_methods, reason = "a test's own task, which the test ends")]

mod blobs;
mod fleet;
mod outages;
mod recording;
mod retention;
mod support;
