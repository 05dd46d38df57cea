//! A random password per data folder, in a file that only its owner can read.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::LocalError;

/// The password in `path`; a new random one when there is none yet.
pub(crate) fn read_or_create(path: &Path) -> Result<String, LocalError> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(LocalError::Io { action: "read", path: path.to_owned(), source }),
    }
    let mut random = [0u8; 24];
    let source = Path::new("/dev/urandom");
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut random))
        .map_err(LocalError::io("read", source))?;
    let password = hex::encode(random);
    write_private(path, &password)?;
    Ok(password)
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), LocalError> {
    File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(LocalError::io("write", path))
}
