//! End to end: the real binary, a real Redis, a real Postgres, a real ONNX Runtime. One file per promise.

mod bad_input;
mod boundaries;
mod buckets;
mod callbacks;
mod calls;
mod chains;
mod channels;
mod concurrent;
mod demo;
mod examples;
mod fairness;
mod interrupted;
mod keys;
mod large_models;
mod loops;
mod outside;
mod reuse;
mod saved_runs;
mod schedules;
mod size;
mod support;
mod workers;
mod workflows;
