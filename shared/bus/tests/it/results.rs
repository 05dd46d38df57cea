//! Results by content: found again, bounded, and never in the way.

use std::time::Duration;

use anyhow::Result;
use millrace_bus::{ResultBounds, ResultKey};

use crate::support::Fixture;

const BOUNDS: ResultBounds = ResultBounds { time_to_live: Duration::from_secs(60), max_entries: 160 };

fn key(number: u16) -> ResultKey {
    *millrace_contracts::BlobId::of(&number.to_le_bytes()).digest()
}

#[tokio::test]
async fn what_was_kept_is_found_in_the_order_of_the_keys() -> Result<()> {
    let fixture = Fixture::start().await?;
    let results: Vec<_> = (0..40).map(|number| (key(number), vec![number as u8; 3])).collect();
    let kept = fixture.bus.keep_results(&results, BOUNDS).await?;
    assert_eq!((kept.stored, kept.evicted, kept.refused), (40, 0, 0));
    assert_eq!(kept.entries.iter().map(|(_, entries)| entries).sum::<u64>(), 40);
    let found = fixture.bus.results(&[key(7), key(99), key(3)]).await?;
    assert_eq!(found, [Some(vec![7; 3]), None, Some(vec![3; 3])]);
    assert!(fixture.bus.results(&[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_oldest_make_room_and_everything_expires() -> Result<()> {
    let fixture = Fixture::start().await?;
    for number in 0..1_000 {
        fixture.bus.keep_results(&[(key(number), b"x".to_vec())], BOUNDS).await?;
    }
    let all: Vec<ResultKey> = (0..1_000).map(key).collect();
    let left = fixture.bus.results(&all).await?.iter().flatten().count();
    assert_eq!(left, 160, "ten in each of sixteen shards");
    let keys: Vec<String> = fixture.ask("KEYS *result*").await?;
    assert_eq!(keys.len(), 160 + 16, "results and indexes; nothing is left of those that made room");
    for key in keys {
        let ttl: i64 = fixture.ask(&format!("PTTL {key}")).await?;
        assert!((1..=60_000).contains(&ttl), "{key} expires");
    }
    Ok(())
}

#[tokio::test]
async fn a_redis_without_memory_refuses_and_that_is_all() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.bus.keep_results(&[(key(1), b"before".to_vec())], BOUNDS).await?;
    let _: String = fixture.ask("CONFIG SET maxmemory 1").await?;
    let kept = fixture.bus.keep_results(&[(key(2), b"after".to_vec())], BOUNDS).await?;
    assert_eq!((kept.stored, kept.refused), (0, 1));
    assert_eq!(fixture.bus.results(&[key(1), key(2)]).await?, [Some(b"before".to_vec()), None]);
    Ok(())
}
