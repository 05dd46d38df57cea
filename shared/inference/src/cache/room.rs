//! Making room: the least worth models that nobody uses go first; if all that could go are in use, the least worth of
//! them makes way once it had its time, so that two models that do not fit together are served in turns and not job by
//! job.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use millrace_contracts::ModelId;

use super::keeper::TICK;
use super::state::{Ahead, Entry, Ready};
use super::{Evicted, Inner};
use crate::InferenceError;

/// What became of the wish for room.
#[derive(Debug)]
pub(super) enum Room {
    /// It is set aside.
    Made,
    /// Nobody wants the model any more.
    Unwanted,
    /// There is none to be had.
    None(InferenceError),
}

impl Inner {
    /// Sets memory aside for the load of `id`, whose files have so many bytes for all its sessions. Blocks until models in use are
    /// given back. Where even an empty cache has no room for it, nothing has to leave for that to be found out. For a guess nobody
    /// leaves at all.
    pub(super) fn make_room(self: &Arc<Self>, id: &ModelId, file_bytes: u64) -> Room {
        let mut state = self.lock();
        let Some(need) = state.sensible_need(id, file_bytes, &self.settings) else {
            return Room::None(self.no_room(&state, id, file_bytes));
        };
        let mut tended = Instant::now();
        loop {
            if state.closed || !self.wants(&state, id) {
                return Room::Unwanted;
            }
            if state.fits(need, &self.settings) {
                if let Some(Entry::Loading(loading)) = state.entries.get_mut(id) {
                    loading.reserved = need;
                }
                return Room::Made;
            }
            if state.is_mere_guess(id)
                && let Some(Entry::Loading(loading)) = state.entries.get_mut(id)
            {
                // Nobody wants it any more: else it would be asked for again and again.
                loading.ahead = Ahead::No;
                return Room::Unwanted;
            }
            if let Some(victim) = state.victim(None) {
                let forgotten = state.remove(&victim, Evicted::Room);
                drop(state);
                self.bury(&victim, forgotten, Evicted::Room);
                state = self.lock();
                continue;
            }
            let in_use = state.least_in_use();
            if in_use.is_none() && !state.is_leaving() {
                return Room::None(self.no_room(&state, id, file_bytes));
            }
            let waited = match state.entries.get(id) {
                Some(Entry::Loading(loading)) => loading.since.elapsed(),
                _ => return Room::Unwanted,
            };
            let left = self.settings.switch_after.saturating_sub(waited);
            if left.is_zero()
                && let Some(in_use) = in_use
                && let Some(Entry::Ready(ready)) = state.entries.get_mut(&in_use)
            {
                ready.yields.get_or_insert_default();
            }
            // A lease that ends rings; so does nothing when callers give up, hence never longer than a tick.
            let round = TICK.saturating_sub(tended.elapsed());
            let pause = if left.is_zero() { round } else { left.min(round) };
            state = self.bell.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
            // By the clock: others may ring without end.
            if tended.elapsed() >= TICK {
                drop(state);
                self.tend();
                tended = Instant::now();
                state = self.lock();
            }
        }
    }

    pub(super) fn no_room(&self, state: &super::State, id: &ModelId, file_bytes: u64) -> InferenceError {
        InferenceError::NoRoom {
            id: id.clone(),
            need_bytes: state.need_of(id, file_bytes, &self.settings),
            budget_bytes: self.settings.max_bytes,
            taken_bytes: state.bytes(),
        }
    }

    pub(super) fn wants(&self, state: &super::State, id: &ModelId) -> bool {
        matches!(state.entries.get(id), Some(Entry::Loading(loading)) if loading.is_wanted())
    }

    /// Unloads every model that nobody uses and that need not stay, `spare` left alone; answers how many.
    pub(super) fn unload_idle(&self, spare: Option<&ModelId>) -> usize {
        let mut unloaded = 0;
        loop {
            let mut state = self.lock();
            let Some(victim) = state.victim(spare) else { return unloaded };
            let forgotten = state.remove(&victim, Evicted::Emergency);
            drop(state);
            self.bury(&victim, forgotten, Evicted::Emergency);
            unloaded += 1;
        }
    }

    /// Unloads what nobody uses for a load or a run of `id` that found no memory; whether there was anything. For a guess nobody
    /// leaves here either.
    pub(super) fn make_way_for(&self, id: &ModelId) -> bool {
        let is_mere_guess = self.lock().is_mere_guess(id);
        !is_mere_guess && self.unload_idle(Some(id)) > 0
    }

    /// Ends a model that was taken out, and says so. Its memory is free afterwards, unless somebody still holds it.
    pub(super) fn bury(&self, id: &ModelId, forgotten: Option<Ready>, why: Evicted) {
        let Some(ready) = forgotten else { return };
        let idle_ms = Instant::now().saturating_duration_since(ready.last_used).as_millis();
        tracing::debug!(model.id = %id, why = why.as_str(), ready.bytes, idle_ms, "unloading a model");
        if let Some(core) = Arc::into_inner(ready.core) {
            core.end();
        }
        self.observer.evicted(id, why);
    }
}
