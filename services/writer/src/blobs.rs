//! Blobs that nobody refers to go: a shard at a time, the rows that describe them with the files. What a blob is spared by: a row
//! of who refers to it, which is recorded together with what refers to it; and a touch, which whoever is about to refer to it
//! has made. So nothing is deleted while events wait for long to be recorded, or values whose own references nobody has read.

use std::time::{Duration, SystemTime};

use futures::TryStreamExt;
use metrics::{counter, gauge};
use millrace_blobs::BlobsError;
use millrace_contracts::{BlobId, UnixMillis};
use millrace_store::UnreadValue;
use serde_json::Value;

use crate::WriterError;
use crate::role::Shared;

/// Values read in one step.
const VALUES: u32 = 200;
/// Blobs asked about in one step.
const CHUNK: usize = 500;
/// Pause between steps: the writer and the api come first.
const BREATH: Duration = Duration::from_millis(20);

/// Deletes what has not been touched for as long as the settings say and that nobody refers to.
pub(crate) async fn sweep(shared: &Shared, now: UnixMillis) -> Result<(), WriterError> {
    let kept = shared.retention.blobs;
    if kept.is_zero() {
        return Ok(());
    }
    shared.blobs.clear_abandoned().await?;
    read_values(shared).await?;
    let lag = shared.bus.recorder_lag().await?;
    if lag.oldest.is_some_and(|oldest| Duration::from_millis(now.since(oldest)) > kept / 2) {
        tracing::warn!("events wait for long to be recorded; until they are, no blob is deleted");
        return Ok(());
    }
    let before = SystemTime::now().checked_sub(kept).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut deleted = 0;
    for shard in 0..=u8::MAX {
        let mut stale = std::pin::pin!(shared.blobs.stale(shard, before).try_chunks(CHUNK));
        while let Some(chunk) = stale.try_next().await.map_err(|broken| broken.1)? {
            deleted += delete(shared, &chunk, before).await?;
        }
        tokio::time::sleep(BREATH).await;
    }
    if deleted > 0 {
        tracing::info!(deleted, "blobs that nobody refers to are deleted");
    }
    Ok(())
}

/// Deletes those of `stale` that nobody refers to; says how many.
async fn delete(shared: &Shared, stale: &[BlobId], before: SystemTime) -> Result<u64, WriterError> {
    let used = shared.store.blob_uses().in_use(stale).await?;
    let (mut removed, mut ended) = (Vec::new(), Ok(()));
    for blob in stale.iter().filter(|blob| !used.contains(blob)) {
        match shared.blobs.remove_stale(*blob, before).await {
            Ok(true) => removed.push(*blob),
            Ok(false) => {}
            Err(error) => {
                ended = Err(error);
                break;
            }
        }
    }
    // Whatever comes next: no sweep finds those again whose files are gone.
    shared.store.blobs().forget(&removed).await?;
    counter!("millrace_writer_deleted_blobs_total").increment(removed.len() as u64);
    ended?;
    tokio::time::sleep(BREATH).await;
    Ok(removed.len() as u64)
}

/// Reads the values that somebody refers to, and records what they refer to themselves, until all are read that there are. One
/// that is not there stays unread, and is looked for once in every round for as long as whoever refers to it is recorded: were the
/// blob store a wrong one, or not mounted, what the value refers to would be deleted once the right one is back.
async fn read_values(shared: &Shared) -> Result<(), WriterError> {
    let (mut last, mut missing) = (None, 0_u64);
    loop {
        let values = shared.store.blob_uses().unread(last, VALUES).await?;
        if values.is_empty() {
            break;
        }
        for value in values {
            last = Some(value);
            match content(shared, value).await? {
                Some(content) => shared.store.blob_uses().read(value, &content).await?,
                None => missing += 1,
            }
        }
        tokio::time::sleep(BREATH).await;
    }
    gauge!("millrace_writer_missing_values").set(missing as f64);
    if missing > 0 {
        tracing::warn!(
            missing,
            "the blob store lacks values that runs refer to; is it the one that the other roles use?"
        );
    }
    Ok(())
}

/// What a value says; null when it is no JSON and so refers to nothing, none when it is not there.
async fn content(shared: &Shared, value: UnreadValue) -> Result<Option<Value>, WriterError> {
    match shared.blobs.get_once(value.blob).await {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).unwrap_or_default())),
        Err(BlobsError::NotFound(_)) => Ok(None),
        Err(BlobsError::TooLarge { .. }) => Ok(Some(Value::Null)),
        Err(error) => Err(error.into()),
    }
}
