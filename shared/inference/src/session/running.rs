//! What a model's sessions run now, and the way to stop it. Rule: a run whose callers all went away is stopped; it would only keep
//! the session, and whoever waits for its end, for nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ort::session::RunOptions;

use super::Request;

/// One slot for each session of a model.
pub(super) struct Running(Vec<Mutex<Option<Run>>>);

struct Run {
    options: Arc<RunOptions>,
    /// Its callers; those that went away hold theirs no more.
    callers: Vec<Weak<()>>,
}

/// A session's slot.
pub(super) struct Slot {
    running: Arc<Running>,
    session: usize,
}

impl Running {
    pub(super) fn new(sessions: usize) -> Self {
        Self((0..sessions).map(|_| Mutex::new(None)).collect())
    }

    /// Stops the runs that nobody waits for. The runtime looks at that between operators.
    pub(super) fn stop_abandoned(&self) {
        for slot in &self.0 {
            let run = lock(slot);
            if let Some(run) = run.as_ref().filter(|run| run.is_abandoned())
                && let Err(error) = run.options.terminate()
            {
                tracing::warn!(%error, "a run that nobody waits for could not be stopped");
            }
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("sessions", &self.0.len()).finish_non_exhaustive()
    }
}

impl Run {
    fn is_abandoned(&self) -> bool {
        self.callers.iter().all(|caller| caller.strong_count() == 0)
    }
}

impl Slot {
    pub(super) fn new(running: &Arc<Running>, session: usize) -> Self {
        Self { running: Arc::clone(running), session }
    }

    /// Does `run` for `requests`, with the options by which it can be stopped.
    pub(super) fn with<T, E: From<ort::Error>>(
        &self,
        requests: &[Request],
        run: impl FnOnce(&RunOptions) -> Result<T, E>,
    ) -> Result<T, E> {
        let options = Arc::new(RunOptions::new()?);
        let callers = requests.iter().map(|request| request.caller.clone()).collect();
        let _end = End(self);
        // Looked at once it is there: whoever goes away later is found by whoever stops abandoned runs.
        let abandoned = self.lock().insert(Run { options: Arc::clone(&options), callers }).is_abandoned();
        if abandoned {
            options.terminate()?;
        }
        run(&options)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Run>> {
        lock(&self.running.0[self.session])
    }
}

/// Empties the slot, also when the run panics.
struct End<'a>(&'a Slot);

impl Drop for End<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

fn lock(slot: &Mutex<Option<Run>>) -> MutexGuard<'_, Option<Run>> {
    // Replaced whole: nothing can be left half changed.
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
