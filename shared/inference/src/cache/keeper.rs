//! The cache's thread: loads what is asked for, one model after the other, and tends what is loaded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use millrace_contracts::ModelId;
use tokio::runtime::Runtime;

use super::room::Room;
use super::state::{Entry, Waiter};
use super::{CacheSettings, Emergency, Evicted, Inner, Pressure};
use crate::model::Core;
use crate::{Device, InferenceError};

/// Pause between rounds of tending.
pub(super) const TICK: Duration = Duration::from_millis(250);
/// What a model may seem to take beyond its files and arenas: others allocate while it loads.
const SLACK_BYTES: u64 = 16 << 20;

/// Starts the thread. It ends, with all models, once the cache is closed.
pub(super) fn start(cache: Arc<Inner>) -> Result<(), InferenceError> {
    let failed = |error: std::io::Error| InferenceError::Keeper { detail: error.to_string() };
    // Loads wait on each other's threads; nothing here needs sockets.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
    let thread = std::thread::Builder::new().name("models".to_owned()).spawn(move || cache.keep(&runtime));
    thread.map(drop).map_err(failed)
}

/// What the thread found to do.
enum Next {
    Load(ModelId),
    Tend,
    End,
}

impl Inner {
    fn keep(self: Arc<Self>, runtime: &Runtime) {
        let mut tended = Instant::now();
        loop {
            match self.next(tended) {
                Next::Load(id) => self.load(&id, runtime),
                Next::Tend => {
                    self.tend();
                    tended = Instant::now();
                }
                Next::End => break,
            }
        }
        let mut state = self.lock();
        // Who holds a model keeps it; who waits hears that nobody is there.
        let entries = std::mem::take(&mut state.entries);
        drop(state);
        drop(entries);
    }

    fn next(&self, tended: Instant) -> Next {
        let mut state = self.lock();
        loop {
            if state.closed {
                return Next::End;
            }
            if let Some(id) = state.next_load() {
                return Next::Load(id);
            }
            let left = TICK.saturating_sub(tended.elapsed());
            if left.is_zero() {
                return Next::Tend;
            }
            state = self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn load(self: &Arc<Self>, id: &ModelId, runtime: &Runtime) {
        // A model that cannot be thought of must not keep all others from being loaded.
        let loading = catch_unwind(AssertUnwindSafe(|| self.load_measured(id, runtime)));
        let panicked = || InferenceError::Load { id: id.clone(), detail: "loading it panicked".to_owned() };
        let failed = match loading.unwrap_or_else(|_| Err(panicked())) {
            Ok(Some((core, _))) if self.lock().load_again(id) => {
                core.end();
                None
            }
            Ok(Some((core, bytes))) => {
                let info = core.info().clone();
                let refused = self.lock().settle(self, core, bytes);
                drop(refused);
                self.observer.loaded(&info, bytes);
                None
            }
            Ok(None) => {
                // Who would hear of it went away.
                drop(self.give_up(id, false));
                None
            }
            Err(error) => Some(error),
        };
        if let Some(error) = failed {
            self.observer.failed(id, &error);
            for waiter in self.give_up(id, true) {
                // Who went away in the meantime has no use for it.
                drop(waiter.reply.send(Err(error.clone())));
            }
        }
        let refused = self.lock().stay(self);
        drop(refused);
        self.tend();
    }

    /// Takes a load that came to nothing out, and answers those who waited for it. A load that nobody wanted any more,
    /// but that somebody asked for in the same moment, is asked for again.
    fn give_up(&self, id: &ModelId, failed: bool) -> Vec<Waiter> {
        let mut state = self.lock();
        let over = failed || state.closed;
        if let Some(Entry::Loading(loading)) = state.entries.get_mut(id).filter(|_| !over)
            && loading.is_wanted()
        {
            // It must find room beside itself.
            loading.reserved = 0;
            state.loads.push_back(id.clone());
            return Vec::new();
        }
        match state.entries.remove(id) {
            Some(Entry::Loading(loading)) => loading.waiters,
            _ => Vec::new(),
        }
    }

    /// The model and the memory it takes; none when nobody wants it any more.
    fn load_measured(
        self: &Arc<Self>,
        id: &ModelId,
        runtime: &Runtime,
    ) -> Result<Option<(Core, u64)>, InferenceError> {
        let files = self.loader.repository().find(id).inspect_err(|_| self.observer.loading(id))?;
        self.loader.check_size(&files)?;
        // A folder that does not read is told of by the load.
        let read_bytes = self.loader.read_bytes(&files).unwrap_or(files.bytes);
        match self.make_room(id, read_bytes) {
            Room::Made => {}
            Room::Unwanted => return Ok(None),
            Room::None(error) => return Err(error),
        }
        self.observer.loading(id);
        let load = || {
            let before = self.settings.meter.resident_bytes();
            let relief = Arc::new(Emergency(Arc::downgrade(self)));
            let core = runtime.block_on(self.attending(self.loader.load_core(id, relief)))?;
            Ok((core, before))
        };
        let (core, before) = match load() {
            // There is less than the budget says: others share the machine, or its card.
            Err(error @ InferenceError::OutOfMemory { .. }) if self.make_way_for(id) => {
                tracing::warn!(model.id = %id, %error, "a load found no memory; idle models were unloaded, trying again");
                load()?
            }
            loaded => loaded?,
        };
        if !self.warm_up(&core, runtime)? {
            core.end();
            return Ok(None);
        }
        let grown = self.settings.meter.resident_bytes().saturating_sub(before);
        let arenas = core.arena_bytes();
        let least = arenas.max(read_bytes / 2);
        let bytes = match self.loader.device() {
            // Others allocate, and give back, while it loads: within what is known for sure, what the process grew by counts.
            Device::Cpu => grown.clamp(least, arenas + 2 * read_bytes + SLACK_BYTES),
            // A GPU's memory is not the process's: what counts is what the runtime took there, weights included.
            Device::Cuda(_) | Device::TensorRt(_) => least,
        };
        let no_room = {
            let mut state = self.lock();
            state.remembered.note(id, read_bytes, bytes);
            let fits = bytes <= state.most_bytes(&self.settings);
            (!fits).then(|| self.no_room(&state, id, read_bytes))
        };
        if let Some(no_room) = no_room {
            core.end();
            return Err(no_room);
        }
        Ok(Some((core, bytes)))
    }

    /// The run that ends a load; not to its end where others would wait for what nobody wants any more, which is what false
    /// says.
    fn warm_up(self: &Arc<Self>, core: &Core, runtime: &Runtime) -> Result<bool, InferenceError> {
        let CacheSettings { warm_up_rows, warm_up_limit, .. } = self.settings;
        if warm_up_rows == 0 {
            return Ok(true);
        }
        let id = &core.info().id;
        let ended = runtime.block_on(async {
            let run = tokio::time::timeout(warm_up_limit, core.warm_up(warm_up_rows));
            tokio::select! {
                ended = self.attending(run) => Some(ended.is_ok()),
                () = self.unwanted(id) => None,
            }
        });
        if ended != Some(true) {
            core.stop_abandoned();
        }
        let detail = format!("its first run did not end within {warm_up_limit:?}");
        match ended {
            Some(false) => Err(InferenceError::Load { id: id.clone(), detail }),
            ended => Ok(ended.is_some()),
        }
    }

    /// The end of `work`, during which what is loaded is tended as ever.
    async fn attending<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut rounds = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = rounds.tick() => self.tend(),
            }
        }
    }

    /// Until nobody waits for the load of `id` any more, and somebody for another. Where nobody is held up it goes on: a model
    /// that takes longer than its job may last is there for the next one.
    async fn unwanted(&self, id: &ModelId) {
        let mut rounds = tokio::time::interval(TICK);
        loop {
            rounds.tick().await;
            let state = self.lock();
            if state.closed || (!self.wants(&state, id) && state.holds_others_up()) {
                return;
            }
        }
    }

    /// Looks at what models take by now, stops runs that nobody waits for, forgets idle ones and those that are too
    /// much, and says how short memory is.
    pub(super) fn tend(self: &Arc<Self>) {
        let (save, leaving) = {
            let mut state = self.lock();
            self.measure(&mut state);
            state.ready().for_each(|(_, ready)| ready.core.stop_abandoned());
            (state.remembered.unsaved(), state.leaving().collect::<Vec<_>>())
        };
        leaving.iter().for_each(|core| core.stop_abandoned());
        drop(leaving);
        if let Some(save) = save {
            save.write();
        }
        if !self.settings.idle_timeout.is_zero() {
            let idle = self.lock().idle(self.settings.idle_timeout, self.settings.keep_warm);
            idle.iter().for_each(|id| self.forget_idle(id, Evicted::Idle));
        }
        // Models that grew, or took more than was thought, go over the budget: back below it with what nobody uses.
        loop {
            let state = self.lock();
            let over = state.bytes() > self.settings.max_bytes
                || state.ready().count() > self.settings.max_models.max(1);
            let Some(victim) = state.victim(None).filter(|_| over) else { break };
            drop(state);
            self.forget_idle(&victim, Evicted::Room);
        }
        if self.judge() == Pressure::Critical {
            let unloaded = self.unload_idle(None);
            if unloaded > 0 {
                tracing::warn!(models = unloaded, "memory is critically short: idle models were unloaded");
            }
            self.judge();
        }
    }

    fn forget_idle(&self, id: &ModelId, why: Evicted) {
        let mut state = self.lock();
        // Somebody may have taken it meanwhile.
        if matches!(state.entries.get(id), Some(Entry::Ready(ready)) if ready.leases == 0) {
            let forgotten = state.remove(id, why);
            drop(state);
            self.bury(id, forgotten, why);
        }
    }

    /// Arenas grow with the batches they see; the most a model ever took is what it takes.
    fn measure(&self, state: &mut super::State) {
        // What a large batch took beyond the budget must not keep the model out for ever: it is loaded without that.
        let most = state.most_bytes(&self.settings);
        let super::State { entries, remembered, .. } = state;
        for (id, entry) in entries.iter_mut() {
            let Entry::Ready(ready) = entry else { continue };
            let bytes = ready.fixed_bytes + ready.core.arena_bytes();
            if bytes > ready.bytes {
                ready.bytes = bytes;
                remembered.note(id, ready.core.read_bytes(), bytes.min(most));
            }
        }
    }

    /// How short memory is now; a change is told.
    fn judge(&self) -> Pressure {
        let machine = self.settings.meter.machine();
        let mut state = self.lock();
        let budget = state.bytes() as f64 / (self.settings.max_bytes.max(1)) as f64;
        let pressure = Pressure::of(budget, machine);
        let before = std::mem::replace(&mut state.pressure, pressure);
        drop(state);
        if pressure != before {
            self.observer.pressure(pressure);
        }
        pressure
    }
}
