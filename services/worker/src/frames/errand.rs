//! What is to be made of a picture as soon as it is decoded: by the thread that decodes it, while its caches hold the pixels, or,
//! when somebody else has decoded it, by whoever comes next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millrace_vision::Frame;

use crate::cpu::{Panicked, caught};

/// Work that is done once, by whoever has the pixels first. All clones are the same errand.
pub(super) struct Errand<W, T>(Arc<Parts<W, T>>);

struct Parts<W, T> {
    /// Until somebody does it.
    work: Mutex<Option<W>>,
    /// From when it is done until that is asked for.
    done: Mutex<Option<Result<T, Panicked>>>,
}

impl<W: FnOnce(&Frame) -> T, T> Errand<W, T> {
    pub(super) fn new(work: W) -> Self {
        Self(Arc::new(Parts { work: Mutex::new(Some(work)), done: Mutex::new(None) }))
    }

    /// Does it, unless it was done.
    pub(super) fn run(&self, frame: &Frame) {
        let Some(work) = lock(&self.0.work).take() else { return };
        // A fault of the work is that of who wants it, not of the others who wait for the pixels.
        *lock(&self.0.done) = Some(caught(|| work(frame)));
    }

    /// Whether nobody did it yet.
    pub(super) fn is_to_do(&self) -> bool {
        lock(&self.0.work).is_some()
    }

    /// What it came to, once.
    pub(super) fn made(&self) -> Result<T, Panicked> {
        let done = lock(&self.0.done).take();
        done.unwrap_or_else(|| Err(Panicked("a picture was not worked on".to_owned())))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is a single one: nothing under the lock can leave what it guards half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert_eq!(errand.made().unwrap(), 2);
        let bad = Errand::new(|frame: &Frame| assert!(frame.width() == 0, "on purpose"));
        bad.run(&frame);
        assert_eq!(bad.made(), Err(Panicked("on purpose".to_owned())));
    }
}
