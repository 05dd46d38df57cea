//! A blob's file, read in one go: one turn of a thread for what the object store's interface takes two.

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

#[cfg(test)]
mod tests {
    use super::*;

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
