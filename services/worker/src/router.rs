//! Which queues this worker takes from now. It takes jobs of models it has at once; of a model that another worker of their pool
//! has, it leaves them to that one for a while; and it does not throw out a model that still has work for one that has not
//! waited long: jobs of one model are run together instead of loading two in turns.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_bus::{Bus, BusError, JobQueues};
use millrace_contracts::{ModelId, Pool};
use millrace_inference::{ModelCache, Prospect};
use tokio::sync::Notify;

use crate::cpu::{Caller, CpuPool};
use crate::held::Held;
use crate::neighbours::Neighbours;
use crate::role::Shared;

/// Looks at the queues that are left alone at most so often.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Models a look goes through at most; the others come with the next.
const MOST_AT_ONCE: usize = 64;
/// How long a model's own settings and size are believed.
const BELIEVED: Duration = Duration::from_secs(10);

/// The router.
pub(crate) struct Router {
    models: ModelCache,
    held: Held,
    neighbours: Neighbours,
    cpu: CpuPool,
    pools: Vec<Pool>,
    steal_after: Duration,
    switch_after: Duration,
    /// What is to be expected of each model, and when that was found out.
    prospects: HashMap<ModelId, (Prospect, Instant)>,
    /// Queues whose jobs have waited long enough for others, as of the last look.
    let_through: HashSet<(Pool, ModelId)>,
    looked: Option<Instant>,
    /// With which of the queues that are left alone the next look begins.
    turn: usize,
    bell: Arc<Notify>,
}

impl Router {
    pub(crate) fn new(
        shared: &Shared,
        pools: &[Pool],
        neighbours: Neighbours,
        (steal_after, switch_after): (Duration, Duration),
    ) -> Self {
        Self {
            models: shared.models.clone(),
            held: shared.held.clone(),
            neighbours,
            cpu: shared.cpu.clone(),
            pools: pools.to_vec(),
            steal_after,
            switch_after,
            prospects: HashMap::new(),
            let_through: HashSet::new(),
            looked: None,
            turn: 0,
            bell: Arc::default(),
        }
    }

    /// Rings when there is room again for jobs of a model that were not wanted for want of it.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// Decides anew. Answers how soon it wants to be asked again.
    pub(crate) async fn decide(&mut self, bus: &Bus, queues: &mut JobQueues) -> Result<Duration, BusError> {
        let known = queues.model_queues(&self.pools).await?;
        self.look_ahead(&known).await;
        let busy = self.held.models();
        let mut cold: Vec<((Pool, ModelId), Duration)> = Vec::new();
        for (pool, model) in known {
            if let Some(patience) = self.patience((&pool, &model), &busy) {
                cold.push(((pool, model), patience));
            }
        }
        if cold.is_empty() {
            self.let_through.clear();
            return Ok(Duration::MAX);
        }
        if self.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.looked = Some(Instant::now());
            // In an order that stays: the queues come as they were found.
            cold.sort();
            let some = turn_of(cold, &mut self.turn);
            let (names, patience): (Vec<_>, Vec<_>) = some.into_iter().unzip();
            let oldest = bus.oldest_waiting(&names).await?;
            let waited = names.into_iter().zip(patience).zip(oldest);
            let long =
                waited.filter(|((_, patience), oldest)| oldest.is_some_and(|oldest| oldest >= *patience));
            self.let_through = long.map(|((queue, _), _)| queue).collect();
        }
        Ok(LOOK_EVERY)
    }

    /// How many jobs of a queue are wanted now, of a model `spare` more than are worth having in hand at once, unless that was set.
    pub(crate) fn wanted(&self, pool: &Pool, model: Option<&ModelId>, spare: usize) -> usize {
        if !self.pools.contains(pool) {
            return 0;
        }
        let Some(model) = model else { return usize::MAX };
        // Asked anew, not remembered: queues appear, and models come and go, between two decisions.
        if self.patience((pool, model), &self.held.models()).is_some()
            && !self.let_through.contains(&(pool.clone(), model.clone()))
        {
            return 0;
        }
        // Of a model that is not there yet one job is enough to have it loaded; which model comes first is then settled
        // before its others are taken.
        let most = match self.prospects.get(model) {
            Some((prospect, _)) if self.models.has(model) && prospect.is_limit => prospect.concurrency,
            Some((prospect, _)) if self.models.has(model) => prospect.concurrency + spare,
            _ => 1,
        };
        self.held.room(model, most, &self.bell)
    }

    /// How many jobs of `model` may be in hand at once, whoever they are of, if that was set.
    pub(crate) fn limit(&self, model: &ModelId) -> Option<usize> {
        let (prospect, _) = self.prospects.get(model)?;
        prospect.is_limit.then_some(prospect.concurrency)
    }

    /// How long the oldest job of a queue has to have waited before we take it; none when we take it at once.
    fn patience(&self, (pool, model): (&Pool, &ModelId), busy: &HashSet<ModelId>) -> Option<Duration> {
        if self.models.has(model) {
            return None;
        }
        let others_busy = busy.iter().any(|other| other != model);
        // Of a model that was not looked at yet one job is taken: its load waits for room as long as it has to.
        let file_bytes = self.prospects.get(model).and_then(|(prospect, _)| prospect.file_bytes);
        if others_busy && !self.models.has_room_for(model, file_bytes) {
            return Some(self.switch_after);
        }
        self.neighbours.have(pool, model).then_some(self.steal_after)
    }

    /// Sizes and settings of models are in files, so they are read on the CPU pool, and believed for a while.
    async fn look_ahead(&mut self, known: &[(Pool, ModelId)]) {
        let old = |(_, at): &(Prospect, Instant)| at.elapsed() > BELIEVED;
        let ids: HashSet<ModelId> = known.iter().map(|(_, model)| model.clone()).collect();
        self.prospects.retain(|id, _| ids.contains(id));
        let wanted: Vec<ModelId> =
            ids.into_iter().filter(|id| self.prospects.get(id).is_none_or(old)).take(MOST_AT_ONCE).collect();
        if wanted.is_empty() {
            return;
        }
        let models = self.models.clone();
        let read = move || wanted.into_iter().map(|id| (models.prospect(&id), id)).collect::<Vec<_>>();
        if let Ok((found, _)) = self.cpu.run(Caller::own(), read).await {
            let now = Instant::now();
            self.prospects.extend(found.into_iter().map(|(prospect, id)| (id, (prospect, now))));
        }
    }
}

/// As many of `all` as a look goes through, from `turn` on and round; those after them have the next turn.
pub(crate) fn turn_of<T>(mut all: Vec<T>, turn: &mut usize) -> Vec<T> {
    let begin = *turn % all.len().max(1);
    all.rotate_left(begin);
    *turn = begin + MOST_AT_ONCE.min(all.len());
    all.truncate(MOST_AT_ONCE);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_has_its_turn_however_many_there_are() {
        let mut turn = 0;
        let all: Vec<usize> = (0..3 * MOST_AT_ONCE / 2).collect();
        let mut looks = || turn_of(all.clone(), &mut turn);
        let (first, second) = (looks(), looks());
        assert_eq!((first.len(), first[0], second[0]), (MOST_AT_ONCE, 0, MOST_AT_ONCE));
        let seen: HashSet<usize> = first.into_iter().chain(second).collect();
        assert_eq!(seen.len(), all.len());
        assert!(turn_of(Vec::<usize>::new(), &mut turn).is_empty());
    }
}
