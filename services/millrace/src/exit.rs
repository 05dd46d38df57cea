//! Exit codes: 0 done, 1 failed, 2 misused, 130 ended by Ctrl-C.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0.
    Done,
    /// 1.
    Failed,
    /// 2: the command line, a file of the user's or the configuration is wrong.
    Misused,
    /// 130, as shells tell of SIGINT: ended by Ctrl-C before it was done.
    Interrupted,
    /// The reader of our output has gone (`millrace … | head`): 0, without a word.
    Quiet,
}

/// What the user asked for cannot be meant.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misuse(pub(crate) String);

impl Exit {
    /// How a command ended that returned `fault`.
    pub(crate) fn of(fault: &anyhow::Error) -> Self {
        let broken_pipe = |cause: &std::io::Error| cause.kind() == std::io::ErrorKind::BrokenPipe;
        if fault.downcast_ref::<std::io::Error>().is_some_and(broken_pipe) {
            return Self::Quiet;
        }
        if fault.is::<Misuse>() || fault.is::<millrace_config::ConfigError>() {
            return Self::Misused;
        }
        Self::Failed
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done | Exit::Quiet => Self::SUCCESS,
            Exit::Failed => Self::from(1),
            Exit::Misused => Self::from(2),
            Exit::Interrupted => Self::from(130),
        }
    }
}
