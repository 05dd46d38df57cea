//! The files of one Postgres, and what its pid file tells.

use std::path::PathBuf;

use crate::LocalError;
use crate::process::Process;
use crate::socket;

/// The files of one server, below a folder that its user can reach.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) home: PathBuf,
}

/// What `postmaster.pid` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) pid: u32,
    pub(super) port: u16,
    /// Whether connections are accepted.
    pub(super) ready: bool,
    /// Whether it comes up: it may replay its log.
    pub(super) starting: bool,
}

impl Files {
    /// The server's own data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub(super) fn password(&self) -> PathBuf {
        self.home.join("password")
    }

    /// The folder of its socket: one that only the server's user can enter. None where no socket can be.
    pub(super) fn sockets(&self) -> Option<PathBuf> {
        // The name of its lock is the longest there: with five digits of a port.
        socket::usable(self.data().join(".s.PGSQL.65535.lock")).map(|_| self.data())
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    fn port_file(&self) -> PathBuf {
        self.home.join("port")
    }

    /// The port it was last started on.
    pub(super) fn port(&self) -> Option<u16> {
        std::fs::read_to_string(self.port_file()).ok()?.trim().parse().ok()
    }

    pub(super) fn remember_port(&self, port: u16) -> Result<(), LocalError> {
        let path = self.port_file();
        std::fs::write(&path, port.to_string()).map_err(LocalError::io("write", &path))
    }

    pub(super) fn status(&self) -> Option<Status> {
        parse(&std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?)
    }

    /// The process that the pid file names, if it is a postmaster of this folder.
    pub(super) fn running(&self, status: &Status) -> Option<Process> {
        Process::adopt(status.pid, &["postgres", &format!("-D {} ", self.data().display())])
    }
}

fn parse(text: &str) -> Option<Status> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let says = |what: &str| lines.get(7).is_some_and(|word| *word == what);
    Some(Status {
        pid: lines.first()?.parse().ok()?,
        port: lines.get(3)?.parse().ok()?,
        ready: says("ready"),
        starting: says("starting"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_file_is_understood_at_every_stage() {
        let starting = "123\n/data\n1700000000\n5433\n\n127.0.0.1\n  55 66\nstarting\n";
        assert_eq!(parse(starting), Some(Status { pid: 123, port: 5433, ready: false, starting: true }));
        let later = |word: &str| parse(&starting.replace("starting", word)).unwrap();
        assert!(later("ready   ").ready && !later("ready   ").starting);
        assert!(!later("stopping").ready && !later("stopping").starting);
        assert_eq!(parse("123\n/data\n"), None);
        assert_eq!(parse(""), None);
    }
}
