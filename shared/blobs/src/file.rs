//! A blob's file, read in one go: one turn of a thread for what the object store's interface takes two, and none where the system
//! has it in memory and says so.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// What was found.
pub(crate) enum Found {
    Bytes(Vec<u8>),
    Nothing,
    /// It is larger than the limit, and was not read.
    TooLarge,
}

/// Reads a file of at most `limit` bytes. Blocks.
pub(crate) fn read(file: &Path, limit: u64) -> io::Result<Found> {
    let file = match File::open(file) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    if size > limit {
        return Ok(Found::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).map_err(io::Error::other)?);
    // Blobs never change, so it ends where its size says.
    file.take(size).read_to_end(&mut bytes)?;
    Ok(Found::Bytes(bytes))
}

/// The same where that does not wait for a disk: none where it would, for whatever is no ordinary case, and where the system
/// or the file system cannot tell. Opening the file may wait for its folders.
#[cfg(target_os = "linux")]
pub(crate) fn read_from_memory(file: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};

    let file = File::open(file)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > limit {
        return Ok(None);
    }
    let mut bytes = vec![0; usize::try_from(metadata.len()).map_err(io::Error::other)?];
    match preadv2(&file, &mut [io::IoSliceMut::new(&mut bytes)], 0, ReadWriteFlags::NOWAIT) {
        Ok(read) => Ok((read == bytes.len()).then_some(bytes)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Err(ErrorKind::Unsupported.into()),
        Err(error) => Err(error.into()),
    }
}

/// None: no other system can say whether a file is in memory.
#[cfg(not(target_os = "linux"))]
pub(crate) fn read_from_memory(_: &Path, _: u64) -> io::Result<Option<Vec<u8>>> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_just_written_is_in_memory_or_the_file_system_cannot_tell() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("blob");
        assert_eq!(read_from_memory(&file, 9).unwrap_err().kind(), ErrorKind::NotFound);
        std::fs::write(&file, b"123456789").unwrap();
        match read_from_memory(&file, 9) {
            Ok(found) => assert_eq!(found.unwrap(), b"123456789"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported),
        }
        assert!(read_from_memory(&file, 8).unwrap().is_none(), "larger than what may be read");
        assert!(read_from_memory(folder.path(), 1 << 20).unwrap().is_none(), "a folder is no blob");
    }

    #[test]
    fn it_is_there_or_not_or_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("blob");
        assert!(matches!(read(&file, 9).unwrap(), Found::Nothing));
        std::fs::write(&file, b"123456789").unwrap();
        assert!(matches!(read(&file, 9).unwrap(), Found::Bytes(bytes) if bytes == b"123456789"));
        assert!(matches!(read(&file, 8).unwrap(), Found::TooLarge));
        assert!(read(folder.path(), 1 << 20).is_err(), "a folder is no blob");
    }
}
