//! The worker against a real Redis and the real ONNX Runtime: a job in, a report out, whatever happens in between.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test's own task, which the test ends")]

mod addresses;
mod aggregation;
mod blocks;
mod bucket;
mod chains;
mod changed;
mod desk;
mod device_loss;
mod downloads;
mod expected;
mod last_chance;
mod lifecycle;
mod model_blocks;
mod outside;
mod pinned;
mod reduced;
mod refusals;
mod registered;
mod registered_again;
mod routing;
mod similarity_search;
mod slow;
mod sweep;
mod takeovers;
mod transforms;
mod webhook;
mod weights;

use std::path::PathBuf;

fn goldens() -> PathBuf {
    // Tests run in the folder of their package.
    PathBuf::from("../../tests/goldens")
}

fn models() -> PathBuf {
    PathBuf::from("../../models")
}

fn scene(name: &str) -> Vec<u8> {
    std::fs::read(goldens().join("shapes-detector/scenes").join(name)).unwrap()
}
