//! The Unix sockets of private servers: who runs beside a server goes by its socket, since a round trip by loopback TCP costs the
//! kernel more. The port stays for people and their programs.

use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use tokio::net::UnixStream;

use crate::LocalError;

/// The longest path of a socket, bytes: `sun_path` of unix(7) without the zero at its end.
const LONGEST: usize = 107;

/// The path, where a socket can be there and configurations and URLs can name it without quoting.
pub(crate) fn usable(path: PathBuf) -> Option<PathBuf> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let bytes = path.as_os_str().as_encoded_bytes();
    (bytes.len() <= LONGEST && bytes.iter().all(is_plain)).then_some(path)
}

/// Whether a socket can be made there: not every file system has any. What a server that is gone has left there is taken away.
pub(crate) fn can_be(path: &Path) -> bool {
    let is_gone = |path: &Path| std::fs::remove_file(path).is_ok() || !path.exists();
    is_gone(path) && UnixListener::bind(path).is_ok() && is_gone(path)
}

/// Whether somebody listens there: a server that an earlier version has left running may have none.
pub(crate) async fn is_open(path: &Path) -> bool {
    UnixStream::connect(path).await.is_ok()
}

/// Refuses a server that was started again and is not where it was said to be: whoever goes by its socket would look for it in vain.
pub(crate) async fn still_open(path: Option<PathBuf>, server: &'static str) -> Result<(), LocalError> {
    match path {
        Some(socket) if !is_open(&socket).await => Err(LocalError::NoSocket { server, socket }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_or_has_to_be_quoted_is_no_place_for_a_socket() {
        let longest = format!("/{}", "x".repeat(LONGEST - 1));
        for path in ["/tmp/.millrace/redis/redis.sock", &longest] {
            assert_eq!(usable(path.into()), Some(path.into()));
        }
        for path in ["/tmp/my data/redis.sock", "/tmp/a,b", "/tmp/ü", "/tmp/a\"b", &format!("{longest}x")] {
            assert_eq!(usable(path.into()), None, "{path}");
        }
    }

    #[tokio::test]
    async fn a_socket_can_be_where_one_was_left_and_nowhere_without_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redis.sock");
        let former = UnixListener::bind(&path).unwrap();
        assert!(is_open(&path).await);
        drop(former);
        assert!(path.exists() && !is_open(&path).await);
        assert!(can_be(&path) && !path.exists());
        assert!(!can_be(&folder.path().join("nowhere/redis.sock")));
    }
}
