//! What a task declares about itself before it may run.

/// A task's name and its two promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskKind {
    /// Unique within its role, for logs.
    pub name: &'static str,
    /// What its failure means.
    pub on_error: OnError,
    /// How it ends when the role is told to stop.
    pub on_cancel: OnCancel,
}

impl TaskKind {
    /// A task of this name with these promises.
    #[must_use]
    pub const fn new(name: &'static str, on_error: OnError, on_cancel: OnCancel) -> Self {
        Self { name, on_error, on_cancel }
    }
}

/// What a task's failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// The role ends with the task's error.
    Stop,
    /// The error is logged and the role goes on.
    Log,
}

/// How a task ends when the role is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCancel {
    /// It watches the token itself and is waited for, as long as the grace period lasts.
    Wait,
    /// It holds nothing worth finishing and is dropped at its next await.
    Abort,
}
