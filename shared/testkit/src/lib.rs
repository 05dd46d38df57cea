#![doc = include_str!("../README.md")]

mod bucket;
mod eventually;
mod folder;
mod ort;
mod postgres;
mod processes;
mod program;
mod redis;
mod story;

pub use bucket::TestBucket;
pub use eventually::eventually;
pub use folder::test_folder;
pub use ort::ort_library;
pub use postgres::TestPostgres;
pub use processes::processes_naming;
pub use program::program;
pub use redis::TestRedis;
pub use story::{accepted_run, interleaved_events};
