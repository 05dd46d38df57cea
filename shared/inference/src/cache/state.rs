//! What the cache holds, under its lock.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use millrace_contracts::{ModelId, Pool};
use tokio::sync::oneshot;

use super::remembered::Remembered;
use super::worth::Floor;
use super::{CacheSettings, Evicted, Inner, Lease, Pressure};
use crate::model::Core;
use crate::{InferenceError, Model};

pub(super) struct State {
    pub(super) entries: HashMap<ModelId, Entry>,
    /// Copies that were taken out while somebody used them.
    leaving: Vec<Leaving>,
    /// Loads that wait for the keeper. As many as there are entries that load, each once.
    pub(super) loads: VecDeque<ModelId>,
    pub(super) floor: Floor,
    pub(super) remembered: Remembered,
    pub(super) pressure: Pressure,
    pub(super) loaded: u64,
    pub(super) evicted: u64,
    pub(super) closed: bool,
    generations: u64,
}

pub(super) enum Entry {
    Loading(Loading),
    Ready(Ready),
}

/// Leases whose takers went away in the same moment. To be dropped outside the lock, which giving them back takes.
pub(super) type Refused = Vec<Model>;

/// A model on its way.
pub(super) struct Loading {
    /// As many as there are jobs in hand that want it.
    pub(super) waiters: Vec<Waiter>,
    /// Loaded though nobody may wait for it.
    pub(super) ahead: Ahead,
    pub(super) since: Instant,
    /// Another copy took its place meanwhile: what is being loaded is not kept.
    pub(super) stale: bool,
    /// Memory set aside for it, bytes.
    pub(super) reserved: u64,
}

/// Why a model is loaded that nobody may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ahead {
    /// It is not.
    No,
    /// It may be needed: worth what room there is, and nobody's place.
    Guessed,
    /// Somebody asked for it to be there.
    Asked,
}

/// Somebody who waits for a model.
pub(super) struct Waiter {
    pub(super) reply: oneshot::Sender<Result<Model, InferenceError>>,
    pub(super) pool: Option<Pool>,
}

/// A loaded model.
pub(super) struct Ready {
    pub(super) core: Arc<Core>,
    /// Memory it takes.
    pub(super) bytes: u64,
    /// What of it is not in the arenas of its sessions.
    pub(super) fixed_bytes: u64,
    pub(super) worth: f64,
    pub(super) uses: u64,
    pub(super) last_used: Instant,
    pub(super) leases: usize,
    pub(super) pinned: bool,
    /// Pools that used it.
    pub(super) pools: BTreeSet<Pool>,
    /// It makes way for another: no new leases; who asks waits here.
    pub(super) yields: Option<Vec<Waiter>>,
    pub(super) generation: u64,
}

/// A copy that is no entry any more: its memory is taken until its last user is done.
struct Leaving {
    core: Weak<Core>,
    bytes: u64,
}

impl Leaving {
    fn is_there(&self) -> bool {
        self.core.strong_count() > 0
    }
}

impl Loading {
    fn new(waiters: Vec<Waiter>, ahead: Ahead) -> Self {
        Self { waiters, ahead, since: Instant::now(), stale: false, reserved: 0 }
    }

    /// Whether anybody still wants it.
    pub(super) fn is_wanted(&self) -> bool {
        self.ahead != Ahead::No || self.is_awaited()
    }

    /// Whether it is wanted for a guess, and for nothing else.
    pub(super) fn is_mere_guess(&self) -> bool {
        self.ahead == Ahead::Guessed && !self.is_awaited()
    }

    fn is_awaited(&self) -> bool {
        self.waiters.iter().any(|waiter| !waiter.reply.is_closed())
    }
}

impl Ready {
    /// Least worth first; of equals the one that was used longest ago.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.worth.total_cmp(&other.worth).then(self.last_used.cmp(&other.last_used))
    }
}

impl State {
    pub(super) fn new(remembered: Remembered) -> Self {
        Self {
            entries: HashMap::new(),
            leaving: Vec::new(),
            loads: VecDeque::new(),
            floor: Floor::default(),
            remembered,
            pressure: Pressure::Low,
            loaded: 0,
            evicted: 0,
            closed: false,
            generations: 0,
        }
    }

    /// A lease on `id`, if it is there and stays.
    pub(super) fn lease(&mut self, cache: &Arc<Inner>, id: &ModelId, pool: Option<&Pool>) -> Option<Model> {
        let Some(Entry::Ready(ready)) = self.entries.get_mut(id) else { return None };
        if ready.yields.is_some() {
            return None;
        }
        ready.leases += 1;
        ready.uses += 1;
        ready.last_used = Instant::now();
        ready.worth = self.floor.worth(ready.core.info().load_time, ready.bytes);
        if let Some(pool) = pool.filter(|pool| !ready.pools.contains(*pool)) {
            ready.pools.insert(pool.clone());
        }
        let lease = Lease { cache: Arc::clone(cache), id: id.clone(), generation: ready.generation };
        Some(Model::leased(Arc::clone(&ready.core), lease))
    }

    /// Puts `waiter` where it will be answered, and asks for the load if nobody has.
    pub(super) fn wait_for(&mut self, id: &ModelId, waiter: Waiter) {
        match self.entries.get_mut(id) {
            Some(Entry::Loading(loading)) => loading.waiters.push(waiter),
            Some(Entry::Ready(ready)) => ready.yields.get_or_insert_default().push(waiter),
            None => self.load_for(id, vec![waiter], Ahead::No),
        }
    }

    /// Asks for the load of `id` for those who will ask, unless it is there. Whether that is a load more.
    pub(super) fn load_ahead(&mut self, id: &ModelId, ahead: Ahead) -> bool {
        match self.entries.get_mut(id) {
            Some(Entry::Loading(loading)) if ahead == Ahead::Asked => loading.ahead = ahead,
            Some(_) => {}
            None => {
                self.load_for(id, Vec::new(), ahead);
                return true;
            }
        }
        false
    }

    fn load_for(&mut self, id: &ModelId, waiters: Vec<Waiter>, ahead: Ahead) {
        self.entries.insert(id.clone(), Entry::Loading(Loading::new(waiters, ahead)));
        self.loads.push_back(id.clone());
    }

    /// The load that comes next: guesses after all others.
    pub(super) fn next_load(&mut self) -> Option<ModelId> {
        let at = self.loads.iter().position(|id| !self.is_mere_guess(id)).unwrap_or(0);
        self.loads.remove(at)
    }

    /// Whether `id` is to be loaded for a guess, and for nothing else.
    pub(super) fn is_mere_guess(&self, id: &ModelId) -> bool {
        matches!(self.entries.get(id), Some(Entry::Loading(loading)) if loading.is_mere_guess())
    }

    /// Whether somebody waits for the load under way to end, for the sake of another model.
    pub(super) fn holds_others_up(&self) -> bool {
        let waits = |id: &ModelId| match self.entries.get(id) {
            Some(Entry::Loading(loading)) => loading.is_wanted() && !loading.is_mere_guess(),
            _ => false,
        };
        let waits_to_return = |(_, ready): (&ModelId, &Ready)| {
            ready.yields.iter().flatten().any(|waiter| !waiter.reply.is_closed())
        };
        self.loads.iter().any(waits) || self.ready().any(waits_to_return)
    }

    /// Takes a loaded model out. Who waits for it to come back waits for its next load. What somebody still uses counts until it
    /// is gone.
    pub(super) fn remove(&mut self, id: &ModelId, why: Evicted) -> Option<Ready> {
        let Some(Entry::Ready(mut ready)) = self.entries.remove(id) else { return None };
        self.evicted += 1;
        if ready.leases > 0 {
            self.leaving.retain(Leaving::is_there);
            self.leaving.push(Leaving { core: Arc::downgrade(&ready.core), bytes: ready.bytes });
        }
        if why == Evicted::Room {
            self.floor.rise_to(ready.worth);
        }
        if let Some(waiters) = ready.yields.take().filter(|waiters| !waiters.is_empty()) {
            self.load_for(id, waiters, Ahead::No);
        }
        Some(ready)
    }

    /// Puts a loaded model in, with leases for all who waited. See [`Refused`].
    pub(super) fn settle(&mut self, cache: &Arc<Inner>, core: Core, bytes: u64) -> Refused {
        let id = core.info().id.clone();
        let Some(Entry::Loading(loading)) = self.entries.remove(&id) else { return Vec::new() };
        self.generations += 1;
        self.loaded += 1;
        let ready = Ready {
            worth: self.floor.worth(core.info().load_time, bytes),
            fixed_bytes: bytes.saturating_sub(core.arena_bytes()),
            core: Arc::new(core),
            bytes,
            uses: 0,
            last_used: Instant::now(),
            leases: 0,
            pinned: cache.settings.pinned.contains(&id),
            pools: BTreeSet::new(),
            yields: None,
            generation: self.generations,
        };
        self.entries.insert(id.clone(), Entry::Ready(ready));
        self.answer(cache, &id, loading.waiters)
    }

    /// Whether what was just loaded as `id` is not what it should be any more. It is loaded again then, for all who wait.
    pub(super) fn load_again(&mut self, id: &ModelId) -> bool {
        let Some(Entry::Loading(loading)) = self.entries.get_mut(id) else { return false };
        if !std::mem::take(&mut loading.stale) {
            return false;
        }
        loading.reserved = 0;
        self.loads.push_back(id.clone());
        true
    }

    /// Whoever was asked to make way need not any more. See [`Refused`].
    pub(super) fn stay(&mut self, cache: &Arc<Inner>) -> Refused {
        let yielding = |(id, entry): (&ModelId, &mut Entry)| match entry {
            Entry::Ready(ready) => ready.yields.take().map(|waiters| (id.clone(), waiters)),
            Entry::Loading(_) => None,
        };
        let freed: Vec<_> = self.entries.iter_mut().filter_map(yielding).collect();
        freed.into_iter().flat_map(|(id, waiters)| self.answer(cache, &id, waiters)).collect()
    }

    fn answer(&mut self, cache: &Arc<Inner>, id: &ModelId, waiters: Vec<Waiter>) -> Refused {
        let mut refused = Vec::new();
        for waiter in waiters.into_iter().filter(|waiter| !waiter.reply.is_closed()) {
            let Some(model) = self.lease(cache, id, waiter.pool.as_ref()) else { break };
            if let Err(Ok(model)) = waiter.reply.send(Ok(model)) {
                refused.push(model);
            }
        }
        refused
    }

    /// Everything that is loaded.
    pub(super) fn ready(&self) -> impl Iterator<Item = (&ModelId, &Ready)> {
        self.entries.iter().filter_map(|(id, entry)| match entry {
            Entry::Ready(ready) => Some((id, ready)),
            Entry::Loading(_) => None,
        })
    }

    /// Memory that loaded models take, bytes, with copies that were taken out and are still in use.
    pub(super) fn bytes(&self) -> u64 {
        let leaving = self.leaving.iter().filter(|leaving| leaving.is_there());
        self.ready().map(|(_, ready)| ready.bytes).chain(leaving.map(|leaving| leaving.bytes)).sum()
    }

    /// Copies that were taken out and are still in use.
    pub(super) fn leaving(&self) -> impl Iterator<Item = Arc<Core>> {
        self.leaving.iter().filter_map(|leaving| leaving.core.upgrade())
    }

    /// Whether there is any.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.iter().any(Leaving::is_there)
    }

    /// Memory set aside for loads, bytes.
    pub(super) fn reserved(&self) -> u64 {
        let reserved = |entry: &Entry| match entry {
            Entry::Loading(loading) => loading.reserved,
            Entry::Ready(_) => 0,
        };
        self.entries.values().map(reserved).sum()
    }

    /// Memory that `id` will take as far as one knows, bytes.
    pub(super) fn need_of(&self, id: &ModelId, file_bytes: u64, settings: &CacheSettings) -> u64 {
        let guess = || (file_bytes as f64 * settings.memory_factor.max(1.0)) as u64;
        self.remembered.memory_bytes(id, file_bytes).unwrap_or_else(guess)
    }

    /// The same, if there is so much once all but pinned models have left; else none. What is only guessed is not held against a
    /// model whose files fit: it is tried with all there is, and measured.
    pub(super) fn sensible_need(
        &self,
        id: &ModelId,
        file_bytes: u64,
        settings: &CacheSettings,
    ) -> Option<u64> {
        let most = self.most_bytes(settings);
        let measured = self.remembered.memory_bytes(id, file_bytes);
        let need =
            measured.unwrap_or_else(|| self.need_of(id, file_bytes, settings).min(most.max(file_bytes)));
        (need <= most && self.pinned().count() < settings.max_models.max(1)).then_some(need)
    }

    /// What a model may take beside those that never leave, bytes.
    pub(super) fn most_bytes(&self, settings: &CacheSettings) -> u64 {
        settings.max_bytes.saturating_sub(self.pinned().map(|(_, ready)| ready.bytes).sum())
    }

    fn pinned(&self) -> impl Iterator<Item = (&ModelId, &Ready)> {
        self.ready().filter(|(_, ready)| ready.pinned)
    }

    /// Whether `need` bytes more are within the bounds.
    pub(super) fn fits(&self, need: u64, settings: &CacheSettings) -> bool {
        let loading = |entry: &&Entry| matches!(entry, Entry::Loading(loading) if loading.reserved > 0);
        let held = self.ready().count() + self.entries.values().filter(loading).count();
        held < settings.max_models.max(1)
            && self.bytes().saturating_add(self.reserved()).saturating_add(need) <= settings.max_bytes
    }

    /// The least worth model that nobody uses and that need not stay.
    pub(super) fn victim(&self, spare: Option<&ModelId>) -> Option<ModelId> {
        let idle =
            self.ready().filter(|(id, ready)| !ready.pinned && ready.leases == 0 && Some(*id) != spare);
        idle.min_by(|(_, a), (_, b)| a.order(b)).map(|(id, _)| id.clone())
    }

    /// The least worth model that is in use and could make way.
    pub(super) fn least_in_use(&self) -> Option<ModelId> {
        let used = self.ready().filter(|(_, ready)| !ready.pinned && ready.leases > 0);
        used.min_by(|(_, a), (_, b)| a.order(b)).map(|(id, _)| id.clone())
    }

    /// Models nobody has used for `timeout`, but for the latest `keep` of each pool.
    pub(super) fn idle(&self, timeout: Duration, keep: usize) -> Vec<ModelId> {
        let mut by_use: Vec<(&ModelId, &Ready)> = self.ready().collect();
        by_use.sort_by_key(|(_, ready)| std::cmp::Reverse(ready.last_used));
        let mut kept: HashMap<&Pool, usize> = HashMap::new();
        let mut idle = Vec::new();
        for (id, ready) in by_use {
            let mut stays = ready.pinned || ready.leases > 0 || ready.last_used.elapsed() < timeout;
            for pool in &ready.pools {
                let count = kept.entry(pool).or_default();
                stays |= *count < keep;
                *count += 1;
            }
            if !stays {
                idle.push(id.clone());
            }
        }
        idle
    }
}
