//! The blob store in a bucket, by a real S3 server.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use millrace_blobs::{Blobs, BlobsError, BlobsSettings};
use millrace_contracts::BlobId;
use millrace_testkit::TestBucket;

use crate::{DAY, Fight, MIB, files, only_the_old_goes, parts};

fn settings(bucket: &TestBucket) -> BlobsSettings {
    // Nothing from memory: the bucket is what is asked.
    BlobsSettings { objects: bucket.objects(), cache_bytes: 0, ..BlobsSettings::new(bucket.url("blobs")) }
}

fn open() -> (TestBucket, Blobs) {
    let bucket = TestBucket::start().expect("an S3 server");
    let blobs = Blobs::open(&settings(&bucket)).expect("settings that make sense");
    (bucket, blobs)
}

/// The blobs there are, by their names.
fn stored(bucket: &TestBucket) -> Vec<PathBuf> {
    files(&bucket.folder().join("blobs/sha256"))
}

/// Makes everything in the bucket as old as if nobody had touched it for so long.
fn age(bucket: &TestBucket, by: Duration) {
    for file in files(&bucket.folder()) {
        File::open(file).and_then(|file| file.set_modified(SystemTime::now() - by)).expect("our own file");
    }
}

#[tokio::test]
async fn bytes_come_back_whole_and_in_part_and_the_same_content_is_stored_once() {
    let (bucket, blobs) = open();
    blobs.check().await.unwrap();
    assert_eq!(files(&bucket.folder()), Vec::<PathBuf>::new(), "a check leaves nothing");
    let id = blobs.put(Bytes::from_static(b"0123456789")).await.unwrap();
    assert_eq!(blobs.put(Bytes::from_static(b"0123456789")).await.unwrap(), id);
    let hex = id.to_string();
    assert_eq!(
        stored(&bucket),
        [bucket.folder().join(format!("blobs/sha256/{}/{}/{hex}", &hex[..2], &hex[2..4]))]
    );
    assert_eq!(
        (blobs.head(id).await.unwrap(), blobs.get(id).await.unwrap()),
        (Some(10), "0123456789".into())
    );
    assert_eq!(blobs.get_range(id, 2..5).await.unwrap(), "234");
    assert_eq!(blobs.get_range(id, 8..100).await.unwrap(), "89");
    assert!(matches!(blobs.get_range(id, 10..11).await, Err(BlobsError::Range { bytes: 10 })));
    blobs.delete(id).await.unwrap();
    blobs.delete(id).await.unwrap();
    assert!(matches!(blobs.get(id).await, Err(BlobsError::NotFound(missing)) if missing == id));
    assert!(matches!(blobs.get_range(id, 0..1).await, Err(BlobsError::NotFound(missing)) if missing == id));
    assert_eq!(blobs.head(id).await.unwrap(), None);
}

#[tokio::test]
async fn uploads_of_any_size_go_out_in_parts_and_leave_nothing_else() {
    let (bucket, blobs) = open();
    for size in [0, MIB, 5 * MIB + 1, 12 * MIB + 3] {
        let content: Vec<u8> = (0..size).map(|index| u8::try_from(index % 251).unwrap()).collect();
        let id = blobs.put_stream(parts(&content, 65_537)).await.unwrap();
        assert_eq!(id, BlobId::of(&content), "{size} bytes");
        assert_eq!(blobs.put_stream(parts(&content, 100_000)).await.unwrap(), id, "a second time");
        assert_eq!(blobs.get(id).await.unwrap(), content);
    }
    let small = BlobsSettings { max_blob_bytes: 6 << 20, ..settings(&bucket) };
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![0; 65_536])));
    let refused = Blobs::open(&small).unwrap().put_stream(endless).await;
    assert!(matches!(refused, Err(BlobsError::TooLarge { .. })), "{refused:?}");
    assert_eq!((stored(&bucket).len(), files(&bucket.folder()).len()), (4, 4));
}

#[tokio::test]
async fn what_nobody_touched_for_long_is_found_and_removed_and_nothing_else() {
    let (bucket, blobs) = open();
    let before = SystemTime::now() - 2 * DAY;
    let [old, used] = only_the_old_goes(&blobs, before, || age(&bucket, 3 * DAY)).await.unwrap();
    assert_eq!((blobs.head(old).await.unwrap(), stored(&bucket).len()), (None, 3));
    assert_eq!(files(&bucket.folder().join("blobs/leaving")), Vec::<PathBuf>::new());

    // A touch that is old itself spares nothing, and goes with its blob.
    age(&bucket, 3 * DAY);
    assert!(blobs.remove_stale(used, before).await.unwrap());
    assert_eq!(files(&bucket.folder().join("blobs/touched")).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_blob_that_is_used_while_it_is_removed_is_there_or_said_to_be_gone() {
    let (bucket, blobs) = open();
    let mut fight = Fight::default();
    for round in 0..60 {
        let id = blobs.put(Fight::over()).await.unwrap();
        age(&bucket, 3 * DAY);
        let before = SystemTime::now() - DAY;
        let removes = blobs.remove_stale(id, before);
        let using = async {
            // Now sooner, now later than the removal, which takes a few calls.
            for _ in 0..round % 12 {
                blobs.head(id).await.unwrap();
            }
            Fight::uses(&blobs, id, round % 2 == 0).await
        };
        let (gone, used) = tokio::join!(removes, using);
        fight.ended(&blobs, id, (gone.unwrap(), used.unwrap())).await.unwrap();
    }
    fight.went_both_ways();
}

#[tokio::test]
async fn what_ended_before_its_time_is_cleared_after_a_day() {
    let (bucket, blobs) = open();
    for left in ["tmp/upload", "leaving/removal"] {
        let file = bucket.folder().join("blobs").join(left);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "left").unwrap();
    }
    blobs.clear_abandoned().await.unwrap();
    assert_eq!(files(&bucket.folder()).len(), 2, "somebody may be at work");
    age(&bucket, 2 * DAY);
    let kept = blobs.put(Bytes::from_static(b"kept")).await.unwrap();
    blobs.clear_abandoned().await.unwrap();
    assert_eq!(files(&bucket.folder()), stored(&bucket));
    assert!(blobs.head(kept).await.unwrap().is_some());
}

#[tokio::test]
async fn a_bucket_that_is_away_missing_or_closed_says_so_and_what_to_do_and_tells_no_key() {
    let (mut bucket, blobs) = open();
    let id = blobs.put(Bytes::from_static(b"kept")).await.unwrap();
    let told = |result: Result<_, BlobsError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, BlobsError::Storage(_)) && error.is_retryable(), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("a secret that nobody may see"), "{error:?}");
        error.to_string()
    };
    let elsewhere = |change: fn(&mut BlobsSettings)| {
        let mut other = settings(&bucket);
        change(&mut other);
        Blobs::open(&other).unwrap()
    };
    let missing = elsewhere(|other| other.url = "s3://no-such-bucket/blobs".to_owned());
    let said = told(missing.check().await);
    assert!(said.contains("s3://no-such-bucket/blobs") && said.contains("make it"), "{said}");
    let stranger = elsewhere(|other| other.objects.access_key_id = Some("stranger".to_owned()));
    let said = told(stranger.check().await);
    assert!(said.contains("refuses") && said.contains("key is right"), "{said}");

    bucket.stop();
    let begun = std::time::Instant::now();
    let said = told(blobs.get(id).await.map(drop));
    assert!(
        said.contains("s3://test-bucket/blobs cannot be reached") && said.contains("objects.endpoint"),
        "{said}"
    );
    told(blobs.put(Bytes::from_static(b"new")).await.map(drop));
    assert!(begun.elapsed() < Duration::from_secs(10), "it was tried for {:?}", begun.elapsed());
    bucket.start_again().unwrap();
    assert_eq!(blobs.get(id).await.unwrap(), "kept", "it recovers by itself");
    let debug = format!("{:?}", settings(&bucket));
    assert!(!debug.contains("a secret that nobody may see"), "{debug}");
}
