//! A file from wherever its bytes come from: bounded, resumed, checked, named last.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use sha2::{Digest, Sha256};

use crate::FetchError;
use crate::again;

/// Pause before a download is taken up again; doubled each time.
const PAUSE: Duration = Duration::from_millis(200);

/// Where the bytes of a file come from.
pub trait Source: Send + Sync {
    /// Opens it: from the byte `have.0` on if it is still what `have.1` names, else from its beginning.
    fn open<'a>(&'a self, have: Option<(u64, String)>) -> BoxFuture<'a, Result<Opened, FetchError>>;

    /// Whether it still has the bytes that came under this [`Opened::stamp`]; not so where that cannot be told.
    fn still_has<'a>(&'a self, _: &'a str) -> BoxFuture<'a, bool> {
        async { false }.boxed()
    }
}

/// A source, opened.
pub struct Opened {
    /// Whether it begins where the caller has got to; at its beginning otherwise.
    pub resumed: bool,
    /// What names these very bytes; none where nothing does, so that it cannot be resumed.
    pub tag: Option<String>,
    /// How many bytes will come, if that is known.
    pub bytes: Option<u64>,
    /// By what it tells later whether it has these bytes still; none where nothing tells.
    pub stamp: Option<String>,
    /// The bytes.
    pub chunks: BoxStream<'static, Result<Bytes, FetchError>>,
}

/// What must come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its SHA-256, hex; whatever it is when none.
    pub sha256: Option<String>,
    /// Its size, bytes; whatever it is when none.
    pub bytes: Option<u64>,
    /// The largest it may be, bytes.
    pub max_bytes: u64,
    /// How often it is taken up again when it breaks off.
    pub retries: u32,
}

/// A file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// Its SHA-256, hex.
    pub sha256: String,
    /// Its size, bytes.
    pub bytes: u64,
    /// Whether it was there already.
    pub cached: bool,
}

/// Writes what `source` gives to `file`, unless it is there. What has come of it stays beside it for the next try (`….part`),
/// unless it is too large or not what was expected. One process at a time works on a file; whoever waited finds it done.
///
/// # Errors
/// Those of the source; `TooLarge`, `Size`, `Digest`, `Disk`.
pub async fn keep(source: &dyn Source, expected: &Expected, file: &Path) -> Result<Downloaded, FetchError> {
    keep_after(source, expected, file, None).await
}

/// The same, with what came of the source `before`: that is taken, if it is what would come now.
pub(crate) async fn keep_after(
    source: &dyn Source,
    expected: &Expected,
    file: &Path,
    before: Option<&Path>,
) -> Result<Downloaded, FetchError> {
    let paths = Paths::of(file);
    let _lock = lock(paths.lock.clone()).await?;
    if is_file(file).await {
        let (sha256, bytes) = hashed(file.to_owned()).await?;
        return Ok(Downloaded { sha256, bytes, cached: true });
    }
    if let Some(before) = before
        && let Some(taken) = again::taken(source, expected, file, before).await
    {
        return Ok(taken);
    }
    let mut pause = PAUSE;
    let mut tries = 0;
    loop {
        match attempt(source, expected, &paths).await {
            Err(error) if error.is_retryable() && tries < expected.retries => {
                tracing::debug!(%error, "a download broke off and is taken up again");
                tries += 1;
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => {
                if matches!(error, FetchError::TooLarge { .. }) {
                    paths.discard().await;
                }
                return Err(error);
            }
            Ok(()) => break,
        }
    }
    let (sha256, bytes) = hashed(paths.part.clone()).await?;
    if let Err(error) = expected.check(&sha256, bytes) {
        paths.discard().await;
        return Err(error);
    }
    tokio::fs::rename(&paths.part, file).await?;
    // Most often it is not there.
    drop(tokio::fs::remove_file(&paths.tag).await);
    Ok(Downloaded { sha256, bytes, cached: false })
}

impl Expected {
    pub(crate) fn check(&self, sha256: &str, bytes: u64) -> Result<(), FetchError> {
        if let Some(wanted) = self.bytes.filter(|wanted| *wanted != bytes) {
            return Err(FetchError::Size { wanted, found: bytes });
        }
        match self.sha256.as_ref().filter(|wanted| !wanted.eq_ignore_ascii_case(sha256)) {
            Some(wanted) => Err(FetchError::Digest { wanted: wanted.clone(), found: sha256.to_owned() }),
            None => Ok(()),
        }
    }
}

/// Fetches what is missing of the part.
async fn attempt(source: &dyn Source, expected: &Expected, paths: &Paths) -> Result<(), FetchError> {
    let have = tokio::fs::metadata(&paths.part).await.map_or(0, |metadata| metadata.len());
    let tag = tokio::fs::read_to_string(&paths.tag).await.ok().filter(|_| have > 0);
    let opened = source.open(tag.map(|tag| (have, tag))).await?;
    let start = if opened.resumed { have } else { 0 };
    let (beside, tag, stamp) = (paths.clone(), opened.tag.clone(), opened.stamp.clone());
    let part = off_thread(move || beside.begin(start, tag, stamp)).await?;
    copy(opened, part, start, expected.max_bytes).await
}

async fn copy(opened: Opened, mut part: File, start: u64, max_bytes: u64) -> Result<(), FetchError> {
    let Opened { bytes, mut chunks, .. } = opened;
    let too_large = FetchError::TooLarge { limit: max_bytes };
    if bytes.is_some_and(|more| start.saturating_add(more) > max_bytes) {
        return Err(too_large);
    }
    let mut total = start;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        total += chunk.len() as u64;
        if total > max_bytes {
            return Err(too_large);
        }
        // Written off the async threads, one chunk at a time: the disk sets the pace.
        part = off_thread(move || part.write_all(&chunk).map(|()| part)).await?;
    }
    off_thread(move || part.sync_all()).await
}

/// What stands beside a download.
#[derive(Clone)]
struct Paths {
    part: PathBuf,
    tag: PathBuf,
    lock: PathBuf,
    stamp: PathBuf,
}

impl Paths {
    fn of(file: &Path) -> Self {
        let [part, tag, lock] = [".part", ".tag", ".lock"].map(|end| beside(file, end));
        Self { part, tag, lock, stamp: again::stamp_of(file) }
    }

    /// The part, to be written from its byte `start` on, with what is noted of its source. Blocks.
    fn begin(&self, start: u64, tag: Option<String>, stamp: Option<String>) -> io::Result<File> {
        let mut part = OpenOptions::new().create(true).write(true).truncate(false).open(&self.part)?;
        part.set_len(start)?;
        part.seek(SeekFrom::Start(start))?;
        for (path, said) in [(&self.tag, tag), (&self.stamp, stamp)] {
            match said {
                Some(said) => fs::write(path, said)?,
                None => drop(fs::remove_file(path)),
            }
        }
        Ok(part)
    }

    async fn discard(&self) {
        for path in [&self.part, &self.tag, &self.stamp] {
            // Most often it is not there.
            drop(tokio::fs::remove_file(path).await);
        }
    }
}

/// Does what blocks on a thread for that.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, FetchError> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(io::Error::other)??)
}

pub(crate) async fn is_file(path: &Path) -> bool {
    tokio::fs::metadata(path).await.is_ok_and(|metadata| metadata.is_file())
}

/// The file of the same name with something behind it.
pub(crate) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Waits until nobody else, in this process or another, has the lock at `path`. Given back when dropped.
///
/// # Errors
/// `Disk`.
pub async fn lock(path: PathBuf) -> Result<File, FetchError> {
    off_thread(move || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(path)?;
        file.lock()?;
        Ok(file)
    })
    .await
}

pub(crate) async fn hashed(path: PathBuf) -> Result<(String, u64), FetchError> {
    off_thread(move || {
        let (mut file, mut hasher, mut bytes) = (File::open(path)?, Sha256::new(), 0);
        let mut chunk = vec![0; 1 << 20];
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                return Ok((hex::encode(hasher.finalize()), bytes));
            }
            hasher.update(&chunk[..read]);
            bytes += read as u64;
        }
    })
    .await
}
