//! The writer between a real Redis and a real Postgres.

mod outages;
mod recording;
mod support;
