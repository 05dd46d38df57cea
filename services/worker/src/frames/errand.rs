//! What is to be made of a picture as soon as it is decoded: by the thread that decodes it, while its caches hold the pixels, or,
//! when somebody else has decoded it, by whoever comes next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use millrace_vision::Frame;

use crate::cpu::{Panicked, message_of};

/// What it came to, and how long that took.
pub(super) type Done<T> = Result<(T, Duration), Panicked>;

enum State<W, T> {
    ToDo(W),
    Done(Done<T>),
    Gone,
}

impl<W, T> State<W, T> {
    /// The work, if it is still to be done.
    fn work(&mut self) -> Option<W> {
        if !matches!(self, Self::ToDo(_)) {
            return None;
        }
        match std::mem::replace(self, Self::Gone) {
            Self::ToDo(work) => Some(work),
            Self::Done(_) | Self::Gone => None,
        }
    }
}

/// Work that is done once, by whoever has the pixels first. All clones are the same errand.
pub(super) struct Errand<W, T>(Arc<Mutex<State<W, T>>>);

impl<W: FnOnce(&Frame) -> T, T> Errand<W, T> {
    pub(super) fn new(work: W) -> Self {
        Self(Arc::new(Mutex::new(State::ToDo(work))))
    }

    /// Does it, unless it was done.
    pub(super) fn run(&self, frame: &Frame) {
        let Some(work) = self.lock().work() else { return };
        let begun = Instant::now();
        // A fault of the work is that of who wants it, not of the others who wait for the pixels.
        let result = catch_unwind(AssertUnwindSafe(|| work(frame)));
        let result = result.map_err(|panic| Panicked(message_of(panic.as_ref())));
        *self.lock() = State::Done(result.map(|made| (made, begun.elapsed())));
    }

    /// Whether nobody did it yet.
    pub(super) fn is_to_do(&self) -> bool {
        matches!(*self.lock(), State::ToDo(_))
    }

    /// What it came to, once.
    pub(super) fn made(&self) -> Done<T> {
        match std::mem::replace(&mut *self.lock(), State::Gone) {
            State::Done(done) => done,
            State::ToDo(_) | State::Gone => Err(Panicked("a picture was not worked on".to_owned())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<W, T>> {
        // Each change is a single one: nothing under the lock can leave the state half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W, T> Clone for Errand<W, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_done_once_by_whoever_comes_first_and_its_fault_is_its_own() {
        let frame = Frame::filled(2, 1, [1, 2, 3]);
        let errand = Errand::new(|frame: &Frame| frame.width());
        let same = errand.clone();
        assert!(errand.is_to_do());
        same.run(&frame);
        errand.run(&frame);
        assert!(!errand.is_to_do());
        assert_eq!(errand.made().unwrap().0, 2);
        let bad = Errand::new(|frame: &Frame| assert!(frame.width() == 0, "on purpose"));
        bad.run(&frame);
        assert_eq!(bad.made(), Err(Panicked("on purpose".to_owned())));
    }
}
