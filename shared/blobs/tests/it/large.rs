//! Blobs that are larger than what is read at once: they go in by a limit of their own, and come back in pieces.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use millrace_blobs::{Blobs, BlobsError, BlobsSettings};
use millrace_contracts::BlobId;
use millrace_testkit::{TestBucket, eventually};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

use crate::{MIB, files, parts, settings};

/// Nothing here takes this long unless it never happens.
const DEADLINE: Duration = Duration::from_secs(20);

fn counted(size: usize) -> Vec<u8> {
    (0..size).map(|index| u8::try_from(index % 251).expect("less than 251")).collect()
}

/// What is put into `usual`, of which no blob has more than 2 MiB otherwise.
async fn comes_back_in_pieces(usual: BlobsSettings, stored: &Path) {
    let blobs = Blobs::open(&BlobsSettings { max_blob_bytes: 2 << 20, cache_bytes: 0, ..usual })
        .expect("a store that works");
    let content = counted(20 * MIB + 3);
    let id = blobs.put_stream_within(parts(&content, 65_537), 21 << 20).await.expect("a store that works");
    assert_eq!(
        (id, blobs.head(id).await.expect("a store that works")),
        (BlobId::of(&content), Some(content.len() as u64))
    );
    assert!(matches!(blobs.get(id).await, Err(BlobsError::TooLarge { limit: 2_097_152, .. })));
    for range in [0..content.len(), 3 * MIB - 1..9 * MIB + 1, 7..7] {
        let asked = range.start as u64..range.end as u64;
        let pieces: Vec<Bytes> = blobs.pieces(id, asked).try_collect().await.expect("a store that works");
        assert!(pieces.iter().all(|piece| piece.len() <= 2 * MIB), "each as large as a blob at most");
        assert!(pieces.concat() == content[range.clone()], "{range:?}");
    }
    let gone = blobs.pieces(BlobId::of(b"nobody's"), 0..9).try_collect::<Vec<_>>().await;
    assert!(matches!(gone, Err(BlobsError::NotFound(_))), "{gone:?}");

    // What has a small limit of its own is held to it, and leaves nothing.
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![0; 65_536])));
    let refused = blobs.put_stream_within(endless, 6 << 20).await;
    assert!(matches!(refused, Err(BlobsError::TooLarge { limit: 6_291_456, .. })), "{refused:?}");
    let breaks = parts(&content[..7 * MIB], 65_536).chain(stream::iter([Err(std::io::Error::other("gone"))]));
    assert!(matches!(blobs.put_stream_within(breaks, 21 << 20).await, Err(BlobsError::Upload(_))));
    assert_eq!(files(stored).len(), 1);
}

#[tokio::test]
async fn a_folder_takes_what_is_larger_than_it_reads_at_once() {
    let folder = TempDir::new().unwrap();
    comes_back_in_pieces(settings(&folder), folder.path()).await;
}

#[tokio::test]
async fn a_bucket_takes_what_is_larger_than_it_reads_at_once() {
    let bucket = TestBucket::start().expect("an S3 server");
    let usual = BlobsSettings { objects: bucket.objects(), ..BlobsSettings::new(bucket.url("blobs")) };
    comes_back_in_pieces(usual, &bucket.folder()).await;
    assert_eq!(bucket.unfinished(".upload"), 0);
}

/// As when the time of a request is over, or its server ends.
#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing_in_a_folder() {
    let folder = TempDir::new().unwrap();
    let blobs = Blobs::open(&settings(&folder)).unwrap();
    let stalls = parts(&counted(12 * MIB), 65_536).chain(stream::pending());
    let mut upload = Box::pin(blobs.put_stream_within(stalls, 1 << 30));
    let begun = async || Ok::<_, std::io::Error>((!files(folder.path()).is_empty()).then_some(()));
    tokio::select! {
        ended = &mut upload => panic!("it goes on: {ended:?}"),
        begun = eventually(DEADLINE, "a file that grows", begun) => begun.unwrap(),
    }
    drop(upload);
    let gone = async || Ok::<_, std::io::Error>(files(folder.path()).is_empty().then_some(()));
    eventually(DEADLINE, "nothing of it", gone).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing_in_a_bucket() {
    let bucket = TestBucket::start().expect("an S3 server");
    let usual = BlobsSettings { objects: bucket.objects(), ..BlobsSettings::new(bucket.url("blobs")) };
    let blobs = Blobs::open(&usual).unwrap();
    let given_up = async || {
        let stalls = parts(&counted(12 * MIB), 65_536).chain(stream::pending());
        let mut upload = Box::pin(blobs.put_stream_within(stalls, 1 << 30));
        let begun = async || Ok::<_, std::io::Error>((bucket.unfinished(".upload_id-") == 2).then_some(()));
        tokio::select! {
            ended = &mut upload => panic!("it goes on: {ended:?}"),
            begun = eventually(DEADLINE, "two parts in the bucket", begun) => begun.unwrap(),
        }
    };
    let gone = async || Ok::<_, std::io::Error>((bucket.unfinished(".upload") == 0).then_some(()));
    let working = async {
        // A second task is not held up by the one that does it.
        blobs.end_given_up(std::future::ready(())).await;
        given_up().await;
        eventually(DEADLINE, "nothing of it", gone).await.unwrap();
    };
    tokio::select! {
        biased;
        () = blobs.end_given_up(std::future::pending()) => panic!("nobody told it to stop"),
        () = working => {}
    }
    // What waits when the process is told to end is ended first.
    given_up().await;
    assert_eq!(bucket.unfinished(".upload_id-"), 2);
    blobs.end_given_up(std::future::ready(())).await;
    assert_eq!(bucket.unfinished(".upload"), 0);
    assert_eq!(files(&bucket.folder()).len(), 0);
}
