//! The blob store on a real folder, and, in a file of its own, in a real bucket.

mod bucket;
mod large;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use millrace_blobs::{Blobs, BlobsError, BlobsSettings, LocalBlob};
use millrace_contracts::BlobId;
use millrace_contracts::values::{INLINE_LIMIT_BYTES, ValueRef};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

const MIB: usize = 1 << 20;

fn settings(folder: &TempDir) -> BlobsSettings {
    BlobsSettings { sync: false, ..BlobsSettings::new(folder.path().display().to_string()) }
}

fn open() -> (TempDir, Blobs) {
    let folder = TempDir::new().expect("a temporary folder");
    let blobs = Blobs::open(&settings(&folder)).expect("a folder can be opened");
    (folder, blobs)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn parts(bytes: &[u8], size: usize) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> + use<> {
    let parts: Vec<_> = bytes.chunks(size).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    stream::iter(parts)
}

#[tokio::test]
async fn bytes_come_back_and_the_same_content_is_stored_once() {
    let (folder, blobs) = open();
    let id = blobs.put(Bytes::from_static(b"pixels")).await.unwrap();
    assert_eq!(id, BlobId::of(b"pixels"));
    assert_eq!(blobs.put(Bytes::from_static(b"pixels")).await.unwrap(), id);
    assert_eq!(files(folder.path()).len(), 1);
    assert_eq!(blobs.head(id).await.unwrap(), Some(6));

    // Another process has none of it in memory.
    let other = Blobs::open(&settings(&folder)).unwrap();
    assert_eq!(other.get(id).await.unwrap(), "pixels");
    other.delete(id).await.unwrap();
    other.delete(id).await.unwrap();
    assert!(matches!(other.get(id).await, Err(BlobsError::NotFound(missing)) if missing == id));
    assert_eq!(other.head(id).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_in_memory_is_had_at_once_and_never_anything_else() {
    let (folder, blobs) = open();
    let id = blobs.put(Bytes::from_static(b"pixels")).await.unwrap();
    let at_once = |blobs: &Blobs, id| blobs.local(id).and_then(LocalBlob::bytes_at_once);
    assert_eq!(at_once(&blobs, id).unwrap(), "pixels", "just put there");
    // Another process has it only by its file; where the file system cannot tell, nobody asks again.
    let other = Blobs::open(&settings(&folder)).unwrap();
    match at_once(&other, id) {
        Some(bytes) => assert_eq!(bytes, "pixels"),
        None => assert!(other.local(id).is_none()),
    }
    let other = Blobs::open(&BlobsSettings { max_blob_bytes: 5, ..settings(&folder) }).unwrap();
    assert!(at_once(&other, id).is_none(), "larger than what is read");
    assert!(at_once(&other, BlobId::of(b"nothing")).is_none());
    assert!(other.local(id).is_some(), "whatever becomes of one of them");
}

#[tokio::test]
async fn many_may_put_the_same_content_at_once() {
    let (folder, blobs) = open();
    let content = Bytes::from(vec![7_u8; 3 * MIB]);
    let puts = (0..16).map(|number| {
        let (blobs, content) = (blobs.clone(), content.clone());
        async move {
            if number % 2 == 0 {
                blobs.put(content).await
            } else {
                blobs.put_stream(parts(&content, 100_000)).await
            }
        }
    });
    for id in futures::future::join_all(puts).await {
        assert_eq!(id.unwrap(), BlobId::of(&content));
    }
    assert_eq!(files(folder.path()).len(), 1);
    let other = Blobs::open(&settings(&folder)).unwrap();
    assert_eq!(other.get(BlobId::of(&content)).await.unwrap(), content);
}

#[tokio::test]
async fn streams_of_any_size_are_hashed_while_they_are_stored() {
    let (folder, blobs) = open();
    for size in [0, 1, MIB, MIB + 1, 12 * MIB + 3] {
        let content: Vec<u8> = (0..size).map(|index| u8::try_from(index % 251).unwrap()).collect();
        let id = blobs.put_stream(parts(&content, 65_537)).await.unwrap();
        assert_eq!(id, BlobId::of(&content), "{size} bytes");
        let other = Blobs::open(&settings(&folder)).unwrap();
        assert_eq!(other.get(id).await.unwrap(), content);
    }
    assert_eq!(files(folder.path()).len(), 5);
}

#[tokio::test]
async fn what_is_too_large_is_refused_early_and_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let limited = BlobsSettings { max_blob_bytes: 2 << 20, ..settings(&folder) };
    let blobs = Blobs::open(&limited).unwrap();
    let too_large = |result: Result<BlobId, BlobsError>| {
        assert!(matches!(result, Err(BlobsError::TooLarge { limit: 2_097_152, .. })), "{result:?}");
    };
    too_large(blobs.put(Bytes::from(vec![0; 2 * MIB + 1])).await);
    // Endless: only an early refusal ends it.
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![0; 65_536])));
    too_large(blobs.put_stream(endless).await);
    let breaks =
        parts(&vec![1; 3 * MIB / 2], 65_536).chain(stream::iter([Err(std::io::Error::other("gone"))]));
    assert!(matches!(blobs.put_stream(breaks).await, Err(BlobsError::Upload(_))));
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());

    let roomy = Blobs::open(&settings(&folder)).unwrap();
    let id = roomy.put(Bytes::from(vec![0; 3 * MIB])).await.unwrap();
    assert!(matches!(blobs.get(id).await, Err(BlobsError::TooLarge { .. })), "reads are bounded too");
    assert_eq!(blobs.get_range(id, 0..10).await.unwrap().len(), 10);
}

#[tokio::test]
async fn ranges_stop_at_the_end() {
    let (folder, blobs) = open();
    let id = blobs.put(Bytes::from_static(b"0123456789")).await.unwrap();
    for blobs in [blobs, Blobs::open(&settings(&folder)).unwrap()] {
        assert_eq!(blobs.get_range(id, 2..5).await.unwrap(), "234");
        assert_eq!(blobs.get_range(id, 8..100).await.unwrap(), "89");
        assert!(matches!(blobs.get_range(id, 10..11).await, Err(BlobsError::Range { bytes: 10 })));
    }
}

#[tokio::test]
async fn only_folders_and_buckets_are_supported_and_the_message_says_so() {
    let error = Blobs::open(&BlobsSettings::new("gs://bucket/prefix")).unwrap_err();
    assert!(error.to_string().contains("gs:// is not supported"), "{error}");
    let folder = TempDir::new().unwrap();
    let url = format!("file://{}/new/folder", folder.path().display());
    Blobs::open(&BlobsSettings::new(url)).unwrap();
    assert!(folder.path().join("new/folder").is_dir());
}

#[tokio::test]
async fn only_large_values_are_stored_and_references_resolve_at_any_depth() {
    let (folder, blobs) = open();
    let small = json!({"count": 3});
    assert_eq!(blobs.claim_check(small.clone()).await.unwrap(), small);
    assert!(files(folder.path()).is_empty());

    let large = json!("x".repeat(INLINE_LIMIT_BYTES));
    let reference = blobs.claim_check(large.clone()).await.unwrap();
    assert!(ValueRef::from_value(&reference).is_some());
    let nested = blobs.put_value(&json!({"inner": reference, "n": 1})).await.unwrap().to_value();
    let value = json!({"a": [nested.clone(), {"b": reference}], "c": nested});
    let inner = json!({"inner": large, "n": 1});
    assert_eq!(blobs.resolve(&value).await.unwrap(), json!({"a": [inner, {"b": large}], "c": inner}));
    assert_eq!(blobs.resolve_one(&nested).await.unwrap(), json!({"inner": reference, "n": 1}));
}

#[tokio::test]
async fn a_few_small_blobs_cannot_unfold_into_gigabytes() {
    let folder = TempDir::new().unwrap();
    let limited = BlobsSettings { max_value_bytes: 1 << 20, ..settings(&folder) };
    let blobs = Blobs::open(&limited).unwrap();
    let mut value = json!("x".repeat(1000));
    for _ in 0..6 {
        let reference = blobs.put_value(&value).await.unwrap().to_value();
        value = Value::Array(vec![reference; 10]);
    }
    assert!(matches!(blobs.resolve(&value).await, Err(BlobsError::TooLarge { what: "the value", .. })));

    let mut deep = json!(1);
    for _ in 0..9 {
        deep = json!([blobs.put_value(&deep).await.unwrap().to_value()]);
    }
    assert!(matches!(blobs.resolve(&deep).await, Err(BlobsError::TooDeep { .. })));
}

#[tokio::test]
async fn values_that_do_not_fit_together_are_not_even_read() {
    let folder = TempDir::new().unwrap();
    let limited = BlobsSettings { max_value_bytes: 3_000, ..settings(&folder) };
    let blobs = Blobs::open(&limited).unwrap();
    let mut fields = Vec::new();
    for name in ["one", "two", "three"] {
        // Who read one of them would see that it is no JSON.
        let blob = blobs.put(Bytes::from(name.repeat(500))).await.unwrap();
        fields.push(ValueRef { blob, bytes: 9 }.to_value());
    }
    let all = Value::Array(fields);
    assert!(matches!(blobs.resolve(&all).await, Err(BlobsError::TooLarge { limit: 3_000, .. })));
}

#[tokio::test]
async fn field_by_field_what_can_be_had_is_resolved_within_one_limit() {
    let folder = TempDir::new().unwrap();
    let limited = BlobsSettings { max_value_bytes: 3_000, ..settings(&folder) };
    let blobs = Blobs::open(&limited).unwrap();
    let large = json!("x".repeat(1_200));
    let reference = blobs.put_value(&large).await.unwrap().to_value();
    let nothing = ValueRef { blob: BlobId::of(b"nothing"), bytes: 7 }.to_value();
    let fields = json!({"a": [reference], "b": nothing, "c": reference, "d": {"deep": reference}, "e": 1});
    let mut shown = fields.as_object().unwrap().clone();
    let failed = blobs.resolve_each(&mut shown).await;
    assert_eq!((&shown["a"], &shown["c"]), (&json!([large]), &large));
    assert_eq!((&shown["b"], &shown["d"], &shown["e"]), (&fields["b"], &fields["d"], &fields["e"]));
    assert!(
        matches!(&failed[..], [(b, BlobsError::NotFound(_)), (d, BlobsError::TooLarge { .. })] if b == "b" && d == "d"),
        "{failed:?}"
    );

    let mut asked = fields.as_object().unwrap().clone();
    let failed = blobs.resolve_each_within(&mut asked, 1_000).await;
    assert!(matches!(&failed[..], [(a, BlobsError::TooLarge { limit: 1_000, .. }), _, _, _] if a == "a"));
    let mut asked = fields.as_object().unwrap().clone();
    let failed = blobs.resolve_each_within(&mut asked, 9_000).await;
    assert!(matches!(&failed[..], [_, (d, BlobsError::TooLarge { limit: 3_000, .. })] if d == "d"));
}

#[tokio::test]
async fn references_to_nothing_and_to_pictures_are_errors() {
    let (_folder, blobs) = open();
    let nothing = ValueRef { blob: BlobId::of(b"nothing"), bytes: 7 }.to_value();
    assert!(matches!(blobs.resolve(&json!([nothing])).await, Err(BlobsError::NotFound(_))));
    let picture = blobs.put(Bytes::from_static(b"\xff\xd8\xff")).await.unwrap();
    let picture = ValueRef { blob: picture, bytes: 3 }.to_value();
    assert!(matches!(blobs.resolve(&picture).await, Err(BlobsError::NotJson { .. })));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("JSON has no infinities", |number| {
            serde_json::Number::from_f64(number).map(Value::Number)
        }),
        any::<f32>()
            .prop_filter("JSON has no infinities", |number| number.is_finite())
            .prop_map(|number| json!(number)),
        ".{0,40}".prop_map(Value::from),
        (0..3 * INLINE_LIMIT_BYTES).prop_map(|length| Value::from("é\"".repeat(length / 3))),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,8}", inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_put_can_be_got(content in prop::collection::vec(any::<u8>(), 0..50_000), chunk in 1_usize..9000) {
        runtime().block_on(async {
            let (folder, blobs) = open();
            let id = blobs.put(Bytes::from(content.clone())).await.unwrap();
            prop_assert_eq!(id, BlobId::of(&content));
            prop_assert_eq!(blobs.put_stream(parts(&content, chunk)).await.unwrap(), id);
            let other = Blobs::open(&settings(&folder)).unwrap();
            prop_assert_eq!(&other.get(id).await.unwrap()[..], &content[..]);
            Ok(())
        })?;
    }

    #[test]
    fn resolving_undoes_the_claim_check(value in values()) {
        runtime().block_on(async {
            let (folder, blobs) = open();
            let checked = blobs.claim_check(value.clone()).await.unwrap();
            prop_assert!(serde_json::to_vec(&checked).unwrap().len() <= INLINE_LIMIT_BYTES);
            let other = Blobs::open(&settings(&folder)).unwrap();
            prop_assert_eq!(other.resolve(&checked).await.unwrap(), value.clone());
            prop_assert_eq!(other.resolve_one(&checked).await.unwrap(), value);
            Ok(())
        })?;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

const DAY: Duration = Duration::from_secs(86_400);

/// Makes a blob as old as if nobody had touched it for so long.
fn age(folder: &Path, by: Duration) {
    for file in files(folder) {
        File::open(file).and_then(|file| file.set_modified(SystemTime::now() - by)).expect("our own file");
    }
}

/// Of a store's blobs the one that nobody touched `before` that time is found and removed, and no other; `age` makes what is there
/// old. The one that went, and one that was touched and stays.
async fn only_the_old_goes(
    blobs: &Blobs,
    before: SystemTime,
    age: impl FnOnce(),
) -> Result<[BlobId; 2], BlobsError> {
    let old = blobs.put(Bytes::from_static(b"old")).await?;
    let used = blobs.put(Bytes::from_static(b"used")).await?;
    let put_again = blobs.put(Bytes::from_static(b"put again")).await?;
    age();
    let young = blobs.put(Bytes::from_static(b"young")).await?;
    assert_eq!(blobs.touch(used).await?, Some(4));
    blobs.put(Bytes::from_static(b"put again")).await?;
    let nobody = BlobId::of(b"nobody's");
    assert_eq!(blobs.touch(nobody).await?, None);

    let mut stale = Vec::new();
    for shard in 0..=u8::MAX {
        stale.extend(blobs.stale(shard, before).try_collect::<Vec<_>>().await?);
    }
    assert_eq!(stale, [old]);
    assert!(blobs.remove_stale(old, before).await?);
    assert!(!blobs.remove_stale(old, before).await?, "once is enough");
    for kept in [used, put_again, young, nobody] {
        assert!(!blobs.remove_stale(kept, before).await?, "{kept}");
    }
    Ok([old, used])
}

#[tokio::test]
async fn what_nobody_touched_for_long_is_found_and_removed_and_nothing_else() {
    let (folder, blobs) = open();
    let before = SystemTime::now() - 2 * DAY;
    let [old, _] = only_the_old_goes(&blobs, before, || age(folder.path(), 3 * DAY)).await.unwrap();
    assert_eq!(blobs.head(old).await.unwrap(), None);
    assert!(matches!(blobs.get(old).await, Err(BlobsError::NotFound(_))), "not from memory either");
    assert_eq!(files(folder.path()).len(), 3, "nothing is left aside");
}

/// Of those who use a blob and those who remove it at the same time: how often which had it.
#[derive(Default)]
struct Fight {
    spared: u32,
    removed: u32,
}

impl Fight {
    fn over() -> Bytes {
        Bytes::from_static(b"fought over")
    }

    /// Uses the blob, by uploading it or by a touch; whether it was there for that.
    async fn uses(blobs: &Blobs, id: BlobId, uploads: bool) -> Result<bool, BlobsError> {
        if uploads {
            return blobs.put(Self::over()).await.map(|_| true);
        }
        blobs.touch(id).await.map(|found| found.is_some())
    }

    /// Who used it has it, and who does not have it was told so.
    async fn ended(
        &mut self,
        blobs: &Blobs,
        id: BlobId,
        (gone, used): (bool, bool),
    ) -> Result<(), BlobsError> {
        let (round, there) = (self.spared + self.removed, blobs.head(id).await?.is_some());
        assert!(!used || there, "round {round}: it was used, and is not there (removed: {gone})");
        assert!(used || gone, "round {round}: it is said to be gone, and nobody removed it");
        if gone {
            self.removed += 1
        } else {
            self.spared += 1
        }
        Ok(())
    }

    fn went_both_ways(&self) {
        let Self { spared, removed } = self;
        assert!(*spared > 0 && *removed > 0, "{spared} spared, {removed} removed: the two must meet");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_blob_that_is_used_while_it_is_removed_is_there_or_said_to_be_gone() {
    let (folder, blobs) = open();
    let mut fight = Fight::default();
    for round in 0..400 {
        let id = blobs.put(Fight::over()).await.unwrap();
        age(folder.path(), 3 * DAY);
        let before = SystemTime::now() - DAY;
        let (removes, using) = (blobs.remove_stale(id, before), Fight::uses(&blobs, id, round % 2 == 0));
        // Now the one first, now the other.
        let (gone, used) = if round % 4 < 2 {
            tokio::join!(removes, using)
        } else {
            let (used, gone) = tokio::join!(using, removes);
            (gone, used)
        };
        fight.ended(&blobs, id, (gone.unwrap(), used.unwrap())).await.unwrap();
    }
    fight.went_both_ways();
}
