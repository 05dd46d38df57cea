//! Notes of jobs that were asked for by themselves.

use std::time::Duration;

use anyhow::Result;
use millrace_contracts::{ExecutionId, ItemPath, JobId};

use crate::support::Fixture;

#[tokio::test]
async fn a_job_is_found_by_its_id_until_its_note_expires() -> Result<()> {
    let fixture = Fixture::start().await?;
    let job = || JobId::of(ExecutionId::generate(), &"inference".into(), &ItemPath::root(), 1);
    let (one, other) = (job(), job());
    let life = Duration::from_secs(90);
    fixture.bus.note_job(one, r#"{"task":"detection@1"}"#, life).await?;
    assert_eq!(fixture.bus.noted_job(one).await?.as_deref(), Some(r#"{"task":"detection@1"}"#));
    assert_eq!(fixture.bus.noted_job(other).await?, None);
    let left: i64 = fixture.ask(&format!("PTTL mr:job:{one}")).await?;
    assert!((1..=90_000).contains(&left), "{left}");
    Ok(())
}
