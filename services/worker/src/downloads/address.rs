//! The model at an address: brought once, and asked for again, since its file may be another one by then. Rule: what came anew lies in
//! a folder of its own; who runs what came before is not disturbed, and what is here is used where its host says nothing.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use millrace_contracts::{JobError, ModelId};
use millrace_fetch::lock;
use millrace_inference::ModelCache;

use super::web::digest_of;
use super::{Brought, Downloads, WHOLE, is_whole, of_fetch, write};

/// What is about to be loaded is what its host had so long ago, or later.
const USUAL: Duration = Duration::from_secs(5 * 60);
/// The same where somebody else was given something else. So often a host is asked, however many jobs of runs that began before a
/// change fail.
const LITTLE: Duration = Duration::from_secs(10);
/// What stands beside a model's files: what a download has not brought to its end, and what it noted.
const UNFINISHED: [&str; 2] = [".part", ".tag"];
const NOTES: [&str; 4] = [".part", ".tag", ".stamp", ".lock"];

/// How far what is here is taken for what its host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is loaded: it is used as it is.
    Full,
    /// It is about to be loaded.
    Usual,
    /// Somebody else was given something else.
    Little,
}

impl Downloads {
    /// Brings the model at the address `id`, or what is there by now where what is here is not to be trusted so far.
    pub(crate) async fn by_url(&self, id: &ModelId, trust: Trust) -> Result<Brought, JobError> {
        let url = id.as_str();
        let folder = self.current(url).map_err(|error| of_fetch(&error.into()))?;
        if is_whole(&folder) && trust.suffices(url, &folder) {
            return Ok(Brought { folder, now: false });
        }
        let (this, url) = (self.clone(), url.to_owned());
        let place = self.shelf.place_of(&url);
        self.errands.once(&place, || async move { this.bring_address(&url, trust).await }).await
    }

    /// Whether the host is asked again when what is here is trusted no further than that.
    pub(crate) fn asks(&self, id: &ModelId, trust: Trust) -> bool {
        let folder = self.current(id.as_str());
        folder.is_ok_and(|folder| !(is_whole(&folder) && trust.suffices(id.as_str(), &folder)))
    }

    /// Puts what came last of the address `id` where the cache finds it. What was there before is given up for it, never the other
    /// way round.
    pub(crate) fn put_in_place(&self, models: &ModelCache, id: &ModelId) -> Result<(), JobError> {
        let _one_at_a_time = self.placing.lock();
        let folder = self.current(id.as_str()).map_err(|error| of_fetch(&error.into()))?;
        models.place(id, &folder);
        Ok(())
    }

    /// The folder that came last, held; where the first comes to if there is none.
    fn current(&self, url: &str) -> io::Result<PathBuf> {
        let latest = self.shelf.latest(url).filter(|folder| is_whole(folder));
        self.shelf.hold_folder(latest.unwrap_or_else(|| self.shelf.place_of(url)))
    }

    async fn bring_address(&self, url: &str, trust: Trust) -> Result<Brought, JobError> {
        // Whoever waited for another process finds what that was told.
        let asking = self.shelf.place_of(url).with_extension("asking");
        let _asking = lock(asking).await.map_err(|error| of_fetch(&error))?;
        let folder = self.current(url).map_err(|error| of_fetch(&error.into()))?;
        if !is_whole(&folder) {
            let fetched = self.fetch(url, &folder, None).await;
            self.shelf.tidy_up(&folder).await;
            fetched?;
            write(&folder.join(WHOLE), b"").await?;
            return Ok(Brought { folder, now: true });
        }
        if trust.suffices(url, &folder) {
            return Ok(Brought { folder, now: false });
        }
        match self.newer(url, &folder).await {
            Ok(Some(newer)) => return Ok(Brought { folder: newer, now: true }),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "the host of a model does not say what it has by now; what came before is used");
            }
        }
        // Told or not, it was asked. A mark that cannot be set costs a question more.
        drop(File::open(folder.join(WHOLE)).and_then(|mark| mark.set_modified(SystemTime::now())));
        Ok(Brought { folder, now: false })
    }

    /// What the host has by now, in a folder of its own; none where that is what is in `folder`.
    async fn newer(&self, url: &str, folder: &Path) -> Result<Option<PathBuf>, JobError> {
        let of_disk = |error: io::Error| of_fetch(&error.into());
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let next = self.shelf.hold(&format!("{url} after {name}")).map_err(of_disk)?;
        // Of what was begun long ago only that is taken which its host goes on with.
        blocking({
            let next = next.clone();
            move || leave_unfinished(&next)
        })
        .await?;
        // Whoever waits has something to go on with.
        let brisk = Self { fetcher: self.fetcher.at_once(), ..self.clone() };
        brisk.fetch(url, &next, Some(folder)).await?;
        let (before, now) = (folder.to_owned(), next.clone());
        let is_same = blocking(move || {
            let is_same = same(&before, &now)?;
            if is_same {
                fs::remove_dir_all(&now)?;
            }
            Ok(is_same)
        });
        if is_same.await? {
            return Ok(None);
        }
        write(&next.join(WHOLE), b"").await?;
        let name = next.file_name().unwrap_or_default().as_encoded_bytes();
        write(&self.shelf.latest_of(url), name).await?;
        self.shelf.tidy_up(&next).await;
        tracing::info!(folder = %next.display(), "the host of a model has another one by now");
        Ok(Some(next))
    }
}

impl Trust {
    /// Whether what is in `folder`, of `url`, is used without a question.
    fn suffices(self, url: &str, folder: &Path) -> bool {
        match self {
            _ if digest_of(url).is_some() => true,
            Self::Full => true,
            // A host that tells nothing would send all of it every time.
            Self::Usual => age(folder) < USUAL || !folder_has_stamp(folder),
            Self::Little => age(folder) < LITTLE,
        }
    }
}

/// How long ago the host was asked last. Of a time to come nothing is known.
fn age(folder: &Path) -> Duration {
    let asked = fs::metadata(folder.join(WHOLE)).and_then(|mark| mark.modified());
    asked.ok().and_then(|asked| asked.elapsed().ok()).unwrap_or(Duration::MAX)
}

fn folder_has_stamp(folder: &Path) -> bool {
    files_in(folder).is_ok_and(|files| files.iter().any(|file| ends_with(file, &[".stamp"])))
}

/// Removes what is whole, which may not belong to what comes now.
fn leave_unfinished(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    // First: without it the folder is no model.
    match fs::remove_file(folder.join(WHOLE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let files = files_in(folder)?;
    files
        .iter()
        .filter(|file| !ends_with(file, &UNFINISHED))
        .try_for_each(|file| fs::remove_file(folder.join(file)))
}

/// Whether two folders have the same files of a model, to the byte.
fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let files = |folder: &Path| {
        let mut files = files_in(folder)?;
        files.retain(|file| !ends_with(file, &NOTES) && file != Path::new(WHOLE));
        files.sort();
        Ok::<_, io::Error>(files)
    };
    let (files, others) = (files(one)?, files(other)?);
    if files != others {
        return Ok(false);
    }
    for file in files {
        if !same_bytes(&one.join(&file), &other.join(&file))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let (metadata, of_other) = (fs::metadata(one)?, fs::metadata(other)?);
    if (metadata.dev(), metadata.ino()) == (of_other.dev(), of_other.ino()) {
        return Ok(true);
    }
    let (mut left, mut right) = (File::open(one)?, File::open(other)?);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    loop {
        a.clear();
        b.clear();
        left.by_ref().take(PIECE).read_to_end(&mut a)?;
        right.by_ref().take(PIECE).read_to_end(&mut b)?;
        if a != b || a.is_empty() {
            return Ok(a == b);
        }
    }
}

/// Bytes that are compared at once.
const PIECE: u64 = 1 << 20;

/// The paths of all files in a folder, from there.
fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(inner) = open.pop() {
        for entry in fs::read_dir(folder.join(&inner))? {
            let entry = entry?;
            let list = if entry.file_type()?.is_dir() { &mut open } else { &mut files };
            list.push(inner.join(entry.file_name()));
        }
    }
    Ok(files)
}

fn ends_with(file: &Path, ends: &[&str]) -> bool {
    let name = file.as_os_str().as_encoded_bytes();
    ends.iter().any(|end| name.ends_with(end.as_bytes()))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, JobError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other).and_then(|done| done);
    done.map_err(|error| of_fetch(&error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        folder
    }

    #[test]
    fn the_same_model_is_told_by_its_files_and_their_bytes() {
        let large = vec![7; (PIECE + 1) as usize];
        let mut other = large.clone();
        other[PIECE as usize] = 8;
        let mine: &[(&str, &[u8])] = &[("onnx/model.onnx", &large), ("config.json", b"{}"), (WHOLE, b"")];
        let one = folder(mine);
        for (files, is_same) in [
            (
                &[("onnx/model.onnx", large.as_slice()), ("config.json", b"{}"), ("config.json.stamp", b"x")]
                    [..],
                true,
            ),
            (&[("onnx/model.onnx", other.as_slice()), ("config.json", b"{}")], false),
            (&[("onnx/model.onnx", &large[1..]), ("config.json", b"{}")], false),
            (&[("onnx/model.onnx", large.as_slice())], false),
        ] {
            assert_eq!(same(one.path(), folder(files).path()).unwrap(), is_same);
        }
    }

    #[test]
    fn only_what_is_not_whole_is_gone_on_with() {
        let folder = folder(&[
            (WHOLE, b""),
            ("model.onnx", b"old"),
            ("model.onnx.stamp", b"x"),
            ("model.onnx_data.part", b"begun"),
            ("model.onnx_data.tag", b"x"),
        ]);
        leave_unfinished(folder.path()).unwrap();
        let mut left = files_in(folder.path()).unwrap();
        left.sort();
        assert_eq!(left, ["model.onnx_data.part", "model.onnx_data.tag"].map(PathBuf::from));
        assert!(leave_unfinished(&folder.path().join("nothing")).is_ok());
    }
}
