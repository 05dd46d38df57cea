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

use world::{Flows, World};

const SEEDS: u64 = 10_000;

/// Test runners run tests side by side; so each of these takes its share of the seeds.
const SHARES: u64 = 4;

#[test]
fn every_seed_ends_well_1() {
    play(0);
}

#[test]
fn every_seed_ends_well_2() {
    play(1);
}

#[test]
fn every_seed_ends_well_3() {
    play(2);
}

#[test]
fn every_seed_ends_well_4() {
    play(3);
}

fn play(share: u64) {
    let only = number("MILLRACE_SIM_SEED");
    if only.is_some_and(|seed| seed % SHARES != share) {
        return;
    }
    let flows = Flows::compile();
    if let Some(seed) = only {
        World::new(&flows, seed, true).play();
        return;
    }
    let seeds = number("MILLRACE_SIM_SEEDS").unwrap_or(SEEDS);
    for seed in (share..seeds).step_by(SHARES as usize) {
        let played = catch_unwind(AssertUnwindSafe(|| World::new(&flows, seed, false).play()));
        assert!(
            played.is_ok(),
            "seed {seed} failed, see above; play it again with\n    MILLRACE_SIM_SEED={seed} cargo test -p millrace-engine --test sim -- --nocapture"
        );
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}
