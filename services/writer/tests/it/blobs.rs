//! Blobs that nobody refers to are deleted, and no other.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use bytes::Bytes;
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_config::{Retention, Writer};
use millrace_contracts::values::ImageValue;
use millrace_contracts::{BlobId, ExecutionId};
use millrace_testkit::eventually;
use serde_json::{Value, json};

use crate::support::{DEADLINE, Fixture, settings};

const DAY: Duration = Duration::from_secs(86_400);

fn quick() -> Writer {
    Writer { upkeep_interval: Duration::from_millis(50), ..settings() }
}

fn two_days() -> Retention {
    Retention { blobs: 2 * DAY, ..Retention::default() }
}

impl Fixture {
    async fn blob(&self, text: &str) -> Result<BlobId> {
        Ok(self.blobs.put(Bytes::copy_from_slice(text.as_bytes())).await?)
    }

    /// Makes it so that these were last touched so long ago.
    fn age(&self, blobs: &[BlobId], age: Duration) -> Result<()> {
        for blob in blobs {
            std::fs::File::open(self.file(*blob))?.set_modified(SystemTime::now() - age)?;
        }
        Ok(())
    }

    fn file(&self, blob: BlobId) -> PathBuf {
        let hex = blob.to_string();
        self.folder.path().join("sha256").join(&hex[..2]).join(&hex[2..4]).join(&hex)
    }

    async fn is_there(&self, id: BlobId) -> Result<bool> {
        Ok(self.blobs.head(id).await?.is_some())
    }

    async fn gone(&self, id: BlobId) -> Result<()> {
        eventually(DEADLINE, "the blob is deleted", async || {
            anyhow::Ok((!self.is_there(id).await?).then_some(()))
        })
        .await
    }

    /// Runs with these inputs, whose nodes gave these outputs, recorded.
    async fn record_runs(&self, runs: &[(Value, Value)]) -> Result<Vec<ExecutionId>> {
        let writer = self.writer(settings());
        let mut told = Vec::new();
        for (input, output) in runs {
            told.push(self.tell_run(input, output).await?);
        }
        self.await_recorded(&told).await?;
        writer.stop().await?;
        Ok(told)
    }
}

fn image(id: BlobId) -> Value {
    ImageValue::root(id, 4, 3, "png").to_value()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_refers_to_stays_as_long_as_the_run_and_no_longer() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (input, output) = (fixture.blob("a picture").await?, fixture.blob("a crop").await?);
    // A list that was too large for an event, of pictures that only it names.
    let inner = fixture.blob("a tile").await?;
    let list = fixture.blob(&json!([image(inner)]).to_string()).await?;
    let outputs = json!({"image": image(output), "tiles": {"$value": list, "bytes": 100}});
    let runs = fixture.record_runs(&[(image(input), outputs)]).await?;
    let (nobodys, young) = (fixture.blob("nobody's").await?, fixture.blob("nobody's yet").await?);
    fixture.age(&[input, output, inner, list, nobodys], 3 * DAY)?;
    fixture.age(&[young], DAY)?;

    let writer = fixture.writer_that_keeps(quick(), two_days());
    fixture.gone(nobodys).await?;
    // Another round goes through all of them.
    let marker = fixture.blob("marker").await?;
    fixture.age(&[marker], 3 * DAY)?;
    fixture.gone(marker).await?;
    for kept in [input, output, inner, list, young] {
        assert!(fixture.is_there(kept).await?);
    }
    fixture.store.executions().delete(runs[0]).await?;
    for freed in [input, output, inner, list] {
        fixture.gone(freed).await?;
    }
    assert!(fixture.is_there(young).await?, "it was touched a day ago");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_share_a_blob_until_the_last_of_them_goes() -> Result<()> {
    let fixture = Fixture::start().await?;
    let shared = fixture.blob("shared").await?;
    let runs = [(image(shared), json!({})), (json!(null), json!({"image": image(shared)}))];
    let runs = fixture.record_runs(&runs).await?;
    fixture.store.executions().delete(runs[0]).await?;
    let marker = fixture.blob("marker").await?;
    fixture.age(&[shared, marker], 3 * DAY)?;

    let writer = fixture.writer_that_keeps(quick(), two_days());
    fixture.gone(marker).await?;
    assert!(fixture.is_there(shared).await?);
    fixture.store.executions().delete(runs[1]).await?;
    fixture.gone(shared).await?;
    writer.stop().await
}

/// A writer whose blob store was not mounted must not have spoilt the record by then.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_was_away_is_read_when_it_is_back() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (inner, marker) = (fixture.blob("a tile").await?, fixture.blob("marker").await?);
    // Put by another process: the writer's own memory must not help it.
    let elsewhere = Blobs::open(&BlobsSettings::new(fixture.folder.path().display().to_string()))?;
    let list = elsewhere.put(Bytes::from(json!([image(inner)]).to_string())).await?;
    let away = fixture.folder.path().join("away");
    std::fs::rename(fixture.file(list), &away)?;
    fixture.record_runs(&[(json!(null), json!({"tiles": {"$value": list, "bytes": 100}}))]).await?;
    fixture.age(&[marker], 3 * DAY)?;
    // A round that has found its way past the value ends.
    let writer = fixture.writer_that_keeps(quick(), two_days());
    fixture.gone(marker).await?;
    writer.stop().await?;

    std::fs::rename(&away, fixture.file(list))?;
    // In the last shard: once it is gone, a round has been through all of them.
    let mut texts = (0..).map(|number| format!("marker {number}"));
    let last = texts.find(|text| BlobId::of(text.as_bytes()).digest()[0] == u8::MAX);
    let marker = fixture.blob(&last.unwrap_or_default()).await?;
    fixture.age(&[inner, list, marker], 3 * DAY)?;
    let writer = fixture.writer_that_keeps(quick(), two_days());
    fixture.gone(marker).await?;
    writer.stop().await?;
    assert!(fixture.is_there(list).await? && fixture.is_there(inner).await?, "the run refers to them");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_left_half_written_is_cleared() -> Result<()> {
    let fixture = Fixture::start().await?;
    let whole = fixture.blob("whole").await?;
    let name = fixture.file(whole).display().to_string();
    let uploads = fixture.folder.path().join("tmp");
    std::fs::create_dir_all(&uploads)?;
    let [old, older, upload, young] = [
        format!("{name}#1").into(),
        format!("{name}#12").into(),
        uploads.join("upload"),
        format!("{name}#2").into(),
    ] as [PathBuf; 4];
    for (file, age) in [(&old, 2 * DAY), (&older, 9 * DAY), (&upload, 2 * DAY), (&young, DAY / 2)] {
        std::fs::write(file, "half")?;
        std::fs::File::open(file)?.set_modified(SystemTime::now() - age)?;
    }
    let writer = fixture.writer_that_keeps(quick(), two_days());
    eventually(DEADLINE, "what nobody goes on with is cleared", async || {
        let left = [&old, &older, &upload].into_iter().any(|file| file.exists());
        anyhow::Ok((!left).then_some(()))
    })
    .await?;
    writer.stop().await?;
    assert!(young.exists(), "somebody may be writing it");
    assert!(fixture.is_there(whole).await?);
    Ok(())
}
