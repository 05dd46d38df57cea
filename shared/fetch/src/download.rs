//! A file from an address: bounded, resumed, checked, named last.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Response, StatusCode};
use sha2::{Digest, Sha256};

use crate::fetcher::{name_of, network, parse};
use crate::{FetchError, Fetcher};

/// Pause before a download is taken up again; doubled each time.
const PAUSE: Duration = Duration::from_millis(200);

/// What is to be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is.
    pub url: String,
    /// What its SHA-256 must be, hex; whatever it is when none.
    pub sha256: Option<String>,
    /// The largest it may be, bytes.
    pub max_bytes: u64,
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

impl Fetcher {
    /// Downloads `wanted` to `file`, unless it is there. What has been fetched of it stays beside it for the next try
    /// (`….part`), unless it is too large or not what was announced.
    ///
    /// # Errors
    /// Everything of [`FetchError`].
    pub async fn download(&self, wanted: &Wanted, file: &Path) -> Result<Downloaded, FetchError> {
        let paths = Paths::of(file);
        let _lock = lock(paths.lock.clone()).await?;
        if file.is_file() {
            let (sha256, bytes) = hashed(file.to_owned()).await?;
            return Ok(Downloaded { sha256, bytes, cached: true });
        }
        let mut pause = PAUSE;
        let mut tries = 0;
        loop {
            match self.attempt(wanted, &paths).await {
                Err(error) if error.is_retryable() && tries < self.settings.retries => {
                    tracing::debug!(%error, "a download broke off and is taken up again");
                    tries += 1;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => {
                    if matches!(error, FetchError::TooLarge { .. }) {
                        paths.discard();
                    }
                    return Err(error);
                }
                Ok(()) => break,
            }
        }
        let (sha256, bytes) = hashed(paths.part.clone()).await?;
        if let Some(wanted) = wanted.sha256.as_ref().filter(|wanted| !wanted.eq_ignore_ascii_case(&sha256)) {
            paths.discard();
            return Err(FetchError::Digest { wanted: wanted.clone(), found: sha256 });
        }
        fs::rename(&paths.part, file)?;
        paths.discard();
        Ok(Downloaded { sha256, bytes, cached: false })
    }

    /// Fetches what is missing of the part.
    async fn attempt(&self, wanted: &Wanted, paths: &Paths) -> Result<(), FetchError> {
        let have = fs::metadata(&paths.part).map_or(0, |metadata| metadata.len());
        let tag = fs::read_to_string(&paths.tag).ok().filter(|_| have > 0);
        let mut headers = HeaderMap::new();
        if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
            headers.insert(IF_RANGE, tag);
            headers
                .insert(RANGE, HeaderValue::try_from(format!("bytes={have}-")).expect("digits are a header"));
        }
        let answer = match self.get(&wanted.url, headers).await {
            // The part is all there is, or more: begin anew.
            Err(FetchError::Status { status: 416, .. }) => {
                paths.discard();
                self.get(&wanted.url, HeaderMap::new()).await?
            }
            other => other?,
        };
        let resumed = answer.status() == StatusCode::PARTIAL_CONTENT;
        let mut part = OpenOptions::new().create(true).write(true).truncate(false).open(&paths.part)?;
        let start = if resumed { have } else { 0 };
        part.set_len(start)?;
        part.seek(SeekFrom::Start(start))?;
        // A weak tag does not promise the same bytes (RFC 9110, 13.1.5), so it cannot be resumed by.
        match answer
            .headers()
            .get(ETAG)
            .and_then(|tag| tag.to_str().ok())
            .filter(|tag| !tag.starts_with("W/"))
        {
            Some(tag) => fs::write(&paths.tag, tag)?,
            None => drop(fs::remove_file(&paths.tag)),
        }
        copy(answer, part, start, wanted).await
    }
}

async fn copy(answer: Response, mut part: File, start: u64, wanted: &Wanted) -> Result<(), FetchError> {
    let host = name_of(&parse(&wanted.url)?);
    let too_large = FetchError::TooLarge { limit: wanted.max_bytes };
    if answer.content_length().is_some_and(|more| start.saturating_add(more) > wanted.max_bytes) {
        return Err(too_large);
    }
    let (mut total, mut chunks) = (start, answer.bytes_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| network(&host, error))?;
        total += chunk.len() as u64;
        if total > wanted.max_bytes {
            return Err(too_large);
        }
        // Written off the async threads, one chunk at a time: the disk sets the pace.
        part = tokio::task::spawn_blocking(move || part.write_all(&chunk).map(|()| part))
            .await
            .map_err(io::Error::other)??;
    }
    Ok(tokio::task::spawn_blocking(move || part.sync_all()).await.map_err(io::Error::other)??)
}

/// What stands beside a download.
struct Paths {
    part: PathBuf,
    tag: PathBuf,
    lock: PathBuf,
}

impl Paths {
    fn of(file: &Path) -> Self {
        let beside = |end: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        Self { part: beside(".part"), tag: beside(".tag"), lock: beside(".lock") }
    }

    fn discard(&self) {
        for path in [&self.part, &self.tag] {
            // Most often it is not there.
            drop(fs::remove_file(path));
        }
    }
}

/// Waits until nobody else, in this process or another, works on the file. Given back when dropped.
async fn lock(path: PathBuf) -> Result<File, FetchError> {
    let locked = tokio::task::spawn_blocking(move || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(path)?;
        file.lock()?;
        Ok::<File, io::Error>(file)
    });
    Ok(locked.await.map_err(io::Error::other)??)
}

async fn hashed(path: PathBuf) -> Result<(String, u64), FetchError> {
    let hashed = tokio::task::spawn_blocking(move || {
        let (mut file, mut hasher, mut bytes) = (File::open(path)?, Sha256::new(), 0);
        let mut chunk = vec![0; 1 << 20];
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                return Ok::<_, io::Error>((hex::encode(hasher.finalize()), bytes));
            }
            hasher.update(&chunk[..read]);
            bytes += read as u64;
        }
    });
    Ok(hashed.await.map_err(io::Error::other)??)
}
