//! The api against a real Redis and Postgres. The tree of tests is the tree of addresses; the test itself plays the
//! orchestrator. Each test has servers of its own.
#![allow(clippy::disallowed_methods, reason = "a test's own task, which the test ends")]

mod abuse;
mod admission;
mod audit;
mod auth;
mod blobs;
mod blocks;
mod collections;
mod dead_letters;
mod edge;
mod events;
mod executions;
mod fleet;
mod health;
mod inference;
mod models;
mod openapi;
mod outages;
mod schedules;
mod stats;
mod support;
mod workflows;
