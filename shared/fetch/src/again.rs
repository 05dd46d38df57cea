//! A file that came before, taken for what would come now, where it is still the same. Rule: the source says so, or the file's digest;
//! in doubt it comes anew.

use std::path::{Path, PathBuf};

use tokio::fs;

use crate::keep::{Downloaded, Expected, Source, beside, hashed, is_file};

/// What the source said of a file when it came stands here.
pub(crate) fn stamp_of(file: &Path) -> PathBuf {
    beside(file, ".stamp")
}

/// Puts `before` in the place of `file`, if it is what `source` has now, or what is expected to the byte; none where it is not, or
/// cannot be had.
pub(crate) async fn taken(
    source: &dyn Source,
    expected: &Expected,
    file: &Path,
    before: &Path,
) -> Option<Downloaded> {
    let stamp = fs::read_to_string(stamp_of(before)).await.ok();
    let is_same = match (&expected.sha256, &stamp) {
        // Which bytes they are is checked below.
        (Some(_), _) => true,
        (None, Some(stamp)) => is_file(before).await && source.still_has(stamp).await,
        (None, None) => false,
    };
    if !is_same {
        return None;
    }
    // It may be removed at any moment: then there is nothing to take.
    let (sha256, bytes) = hashed(before.to_owned()).await.ok()?;
    if bytes > expected.max_bytes || expected.check(&sha256, bytes).is_err() {
        return None;
    }
    if let Some(stamp) = stamp {
        fs::write(stamp_of(file), stamp).await.ok()?;
    }
    // The same bytes on the disk. Where there can be no second name, they come anew.
    fs::hard_link(before, file).await.ok()?;
    Some(Downloaded { sha256, bytes, cached: true })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use bytes::Bytes;
    use futures::future::BoxFuture;
    use futures::{FutureExt, StreamExt, stream};

    use super::*;
    use crate::FetchError;
    use crate::keep::{Opened, keep, keep_after};

    /// Gives one text, under a stamp.
    struct Fixed {
        text: &'static str,
        stamp: Option<&'static str>,
        opened: AtomicUsize,
        asked: AtomicUsize,
    }

    impl Fixed {
        fn new(text: &'static str, stamp: Option<&'static str>) -> Self {
            Self { text, stamp, opened: AtomicUsize::new(0), asked: AtomicUsize::new(0) }
        }

        fn counts(&self) -> [usize; 2] {
            [&self.opened, &self.asked].map(|count| count.load(Ordering::SeqCst))
        }
    }

    impl Source for Fixed {
        fn open(&self, _: Option<(u64, String)>) -> BoxFuture<'_, Result<Opened, FetchError>> {
            self.opened.fetch_add(1, Ordering::SeqCst);
            let chunks = stream::iter([Ok(Bytes::from_static(self.text.as_bytes()))]).boxed();
            let stamp = self.stamp.map(str::to_owned);
            async { Ok(Opened { resumed: false, tag: None, bytes: None, stamp, chunks }) }.boxed()
        }

        fn still_has<'a>(&'a self, stamp: &'a str) -> BoxFuture<'a, bool> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            async move { self.stamp == Some(stamp) }.boxed()
        }
    }

    fn expected(sha256: Option<&str>) -> Expected {
        Expected { sha256: sha256.map(str::to_owned), max_bytes: 10, ..Expected::default() }
    }

    /// Brings a file, and then, in its place, what there is by then; the text, and how often it was opened and asked for.
    async fn twice(then: &Fixed, sha256: Option<&str>) -> (String, [usize; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let [before, file] = ["a", "b"].map(|name| folder.path().join(name));
        keep(&Fixed::new("old", Some("1")), &expected(None), &before).await.unwrap();
        let expected = expected(sha256);
        let all = (0..8).map(|_| keep_after(then, &expected, &file, Some(&before)));
        for done in futures::future::join_all(all).await {
            assert_eq!(done.unwrap().bytes, 3);
        }
        (fs::read_to_string(&file).unwrap(), then.counts())
    }

    #[tokio::test]
    async fn what_is_still_there_does_not_come_again_however_many_ask() {
        assert_eq!(twice(&Fixed::new("new", Some("1")), None).await, ("old".to_owned(), [0, 1]));
    }

    #[tokio::test]
    async fn what_changed_or_cannot_be_told_comes_anew_once() {
        assert_eq!(twice(&Fixed::new("new", Some("2")), None).await, ("new".to_owned(), [1, 1]));
        assert_eq!(twice(&Fixed::new("new", None), None).await, ("new".to_owned(), [1, 1]));
    }

    /// The runtime of this test has one thread.
    #[tokio::test]
    async fn a_slow_disk_holds_up_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let [before, file] = ["a", "b"].map(|name| folder.path().join(name));
        fs::write(&before, "old").unwrap();
        // Whoever reads it waits until somebody writes.
        let slow = stamp_of(&before);
        assert!(Command::new("mkfifo").arg(&slow).status().unwrap().success());
        let (tell, told) = mpsc::channel();
        let disk = thread::spawn(move || {
            let others_go_on = told.recv_timeout(Duration::from_secs(10)).is_ok();
            fs::write(slow, "1").unwrap();
            others_go_on
        });
        let (source, expected) = (Fixed::new("new", Some("1")), expected(None));
        let asked = taken(&source, &expected, &file, &before);
        let (taken, ()) = tokio::join!(asked, async { tell.send(()).unwrap() });
        assert!(disk.join().unwrap(), "the thread of the others waited for the disk");
        assert!(taken.is_some());
    }

    #[tokio::test]
    async fn nobody_is_asked_for_what_is_known_by_its_digest() {
        let old = hex::encode(<sha2::Sha256 as sha2::Digest>::digest("old"));
        assert_eq!(twice(&Fixed::new("new", Some("2")), Some(&old)).await, ("old".to_owned(), [0, 0]));
        let new = hex::encode(<sha2::Sha256 as sha2::Digest>::digest("new"));
        assert_eq!(twice(&Fixed::new("new", Some("1")), Some(&new)).await, ("new".to_owned(), [1, 0]));
    }

    #[tokio::test]
    async fn a_file_that_was_taken_can_be_taken_once_more() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a", "b", "c"].map(|name| folder.path().join(name));
        let source = Fixed::new("old", Some("1"));
        keep(&source, &expected(None), &files[0]).await.unwrap();
        keep_after(&source, &expected(None), &files[1], Some(&files[0])).await.unwrap();
        keep_after(&source, &expected(None), &files[2], Some(&files[1])).await.unwrap();
        assert_eq!(source.counts(), [1, 2]);
        // What came without a stamp is not asked for.
        fs::remove_file(stamp_of(&files[2])).unwrap();
        let last = folder.path().join("d");
        keep_after(&source, &expected(None), &last, Some(&files[2])).await.unwrap();
        assert_eq!(source.counts(), [2, 2]);
    }
}
