//! A deterministic simulation of everything around the engine: Redis, the record, orchestrators, workers, the clock. A
//! seed decides the workflow and every turn of events: who goes next, who dies between which two operations, what is
//! delivered twice, when Redis is lost whole. At the end of each seed the invariants of the architecture hold.
//!
//! `MILLRACE_SIM_SEEDS` is the number of seeds (10,000 without it), `MILLRACE_SIM_SEED` plays one again, with its story.

#![allow(clippy::unwrap_used, reason = "a simulation is a test")]

#[path = "../support/lib.rs"]
#[allow(
    dead_code,
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "shared by tests that use parts of it"
)]
mod support;

mod record;
mod redis;
mod replica;
mod worker;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use world::{Flows, World};

const SEEDS: u64 = 10_000;

#[test]
fn every_seed_ends_well() {
    let flows = Flows::compile();
    if let Some(seed) = number("MILLRACE_SIM_SEED") {
        World::new(&flows, seed, true).play();
        return;
    }
    let (seeds, next, failed) =
        (number("MILLRACE_SIM_SEEDS").unwrap_or(SEEDS), AtomicU64::new(0), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while failed.load(Ordering::Relaxed) == 0 {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let played = catch_unwind(AssertUnwindSafe(|| World::new(&flows, seed, false).play()));
                    if played.is_err() {
                        failed.fetch_add(1, Ordering::Relaxed);
                        eprintln!(
                            "seed {seed} failed; play it again with\n    MILLRACE_SIM_SEED={seed} cargo test -p millrace-engine --test sim -- --nocapture"
                        );
                    }
                }
            });
        }
    });
    assert_eq!(failed.into_inner(), 0, "a seed failed: see above");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}
