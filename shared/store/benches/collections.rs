//! How long a search takes, by the index of pgvector where the server has it, and by looking at every point.
//!
//! `cargo bench -p millrace-store --bench collections [-- POINTS DIMENSION]` uses a private Postgres without fsync.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::time::{Duration, Instant};

use anyhow::Result;
use millrace_store::{
    CollectionLimits, Collections, Metric, Nearest, NewCollection, Point, Store, StoreSettings,
};
use millrace_testkit::TestPostgres;
use serde_json::{Map, json};

const LIMITS: CollectionLimits = CollectionLimits { points: u32::MAX, scanned: u64::MAX };
const BATCH: usize = 1_000;
const SEARCHES: u64 = 20;
const TOP_K: u32 = 10;

#[tokio::main]
async fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<u32>().ok());
    let (points, dimension) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(384));
    let server = TestPostgres::start().await?;
    let store = Store::connect(&StoreSettings::new(server.url()))?;
    store.migrate().await?;
    let collections = store.collections();
    let new = NewCollection { name: "bench".to_owned(), dimension, metric: Metric::Cosine };
    let (made, _) = collections.create(&new, 1).await?;
    let way = if made.indexed { "HNSW" } else { "exact" };
    println!("{points} points × {dimension}, {way}");
    fill(collections, points, dimension).await?;
    for (name, filter) in [
        ("plain", Map::new()),
        ("1 of 100 passes", json!({"part": 7}).as_object().cloned().unwrap_or_default()),
    ] {
        let mut times = Vec::new();
        for seed in 0..SEARCHES {
            let vector = vector(u64::from(points) + seed, dimension);
            let wanted = Nearest { vector, top_k: TOP_K, min_score: None, filter: filter.clone() };
            let begun = Instant::now();
            assert_eq!(collections.search("bench", &wanted).await?.len(), TOP_K as usize);
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let at = |share: f64| milliseconds(times[(share * (times.len() - 1) as f64) as usize]);
        println!("  {name}: p50 {:.2} ms, p95 {:.2} ms, max {:.2} ms", at(0.5), at(0.95), at(1.0));
    }
    Ok(())
}

async fn fill(collections: Collections<'_>, points: u32, dimension: u32) -> Result<()> {
    let begun = Instant::now();
    for first in (0..points).step_by(BATCH) {
        let some = first..points.min(first + BATCH as u32);
        let point = |id: u32| Point {
            id: id.to_string(),
            vector: vector(u64::from(id), dimension),
            payload: json!({"part": id % 100}).as_object().cloned().unwrap_or_default(),
        };
        collections.put_points("bench", &some.map(point).collect::<Vec<_>>(), &LIMITS).await?;
    }
    let took = begun.elapsed();
    println!(
        "  filled in {:.1} s, {:.0} points/s",
        took.as_secs_f64(),
        f64::from(points) / took.as_secs_f64()
    );
    Ok(())
}

/// Around one of a thousand centres, as embeddings of pictures lie: vectors without any order are hard on an index and are
/// nobody's.
fn vector(seed: u64, dimension: u32) -> Vec<f32> {
    let (mut centre, mut own) = (Noise(seed % 1_000 + 1), Noise(seed + 1_000_003));
    (0..dimension).map(|_| centre.next() + 0.5 * own.next()).collect()
}

/// splitmix64, as numbers from -1 to 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
