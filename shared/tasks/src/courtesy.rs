//! Room for whoever waits for one thing alone. Rule: while somebody does, the work of all others leaves two cores free, one for
//! the thing and one for what has to happen around it; for a moment afterwards, when the next thing may come, one. On a small
//! machine that is all there is: there, others are held up for that moment at most, and then have a core in any case.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Who leaves room for whom, in one process. Cheap to clone; as it is by default, nobody leaves any.
#[derive(Debug, Clone, Default)]
pub struct Courtesy(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    cores: usize,
    moment: Duration,
    state: Mutex<State>,
    /// Rung when a core may be free.
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Cores that pieces of work hold.
    busy: usize,
    /// Those who wait alone, or did a moment ago.
    alone: Vec<Alone>,
}

#[derive(Debug)]
struct Alone {
    whose: String,
    waits: usize,
    /// Since when it waits, or no longer does.
    since: Instant,
}

/// Somebody waits for one thing alone until this is dropped.
#[derive(Debug)]
pub struct Waiting {
    inner: Arc<Inner>,
    whose: String,
}

/// Cores, given back when this is dropped.
#[derive(Debug)]
pub struct Cores(Option<(Arc<Inner>, usize)>);

impl Courtesy {
    /// Courtesy on a machine of so many cores. A `moment` is how soon what waits alone comes back as a rule; zero: there is no
    /// courtesy.
    #[must_use]
    pub fn new(cores: usize, moment: Duration) -> Self {
        let (state, bell) = (Mutex::default(), Condvar::new());
        let inner = (!moment.is_zero()).then(|| Arc::new(Inner { cores, moment, state, bell }));
        Self(inner)
    }

    /// One thing of `whose` is waited for alone.
    #[must_use]
    pub fn wait_alone(&self, whose: &str) -> Option<Waiting> {
        let inner = Arc::clone(self.0.as_ref()?);
        inner.begin(whose);
        Some(Waiting { inner, whose: whose.to_owned() })
    }

    /// Waits for a core for a piece of work of `whose`. Blocks: for threads of their own.
    #[must_use]
    pub fn core(&self, whose: &str) -> Cores {
        let Some(inner) = &self.0 else { return Cores(None) };
        let mut state = inner.lock();
        loop {
            let now = Instant::now();
            let changes = match inner.take(&mut state, (whose, 1), now) {
                Ok(core) => return core,
                Err(changes) => changes,
            };
            state = match changes.map(|at| at.saturating_duration_since(now)) {
                Some(pause) => {
                    inner.bell.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0
                }
                None => inner.bell.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// A core for a piece of work of `whose`, if it may have one now.
    #[must_use]
    pub fn core_now(&self, whose: &str) -> Option<Cores> {
        self.cores_now(whose, 1)
    }

    /// So many cores for a piece of work of `whose`, if it may have one of them now: it does not wait for all of them, or those
    /// who want but one would always be before it.
    #[must_use]
    pub fn cores_now(&self, whose: &str, count: usize) -> Option<Cores> {
        let Some(inner) = &self.0 else { return Some(Cores(None)) };
        inner.take(&mut inner.lock(), (whose, count), Instant::now()).ok()
    }
}

/// What others leave.
struct Room {
    /// Cores that may be held in all.
    cores: usize,
    /// When that may change by itself.
    changes: Option<Instant>,
}

impl Inner {
    /// Cores, if there is room; else when that may change by itself.
    fn take(
        self: &Arc<Self>,
        state: &mut State,
        (whose, count): (&str, usize),
        now: Instant,
    ) -> Result<Cores, Option<Instant>> {
        let Room { cores, changes } = self.room(state, whose, now);
        if state.busy >= cores {
            return Err(changes);
        }
        state.busy += count;
        Ok(Cores(Some((Arc::clone(self), count))))
    }

    /// The room for a piece of work of `whose`. Nobody stands in their own way.
    fn room(&self, state: &State, whose: &str, now: Instant) -> Room {
        let mut room = Room { cores: usize::MAX, changes: None };
        for alone in state.alone.iter().filter(|alone| alone.whose != whose) {
            let change = alone.since + self.moment;
            let ahead = change > now;
            let cores = match (alone.waits > 0, ahead) {
                (true, true) => self.cores.saturating_sub(2),
                (true, false) => self.cores.saturating_sub(2).max(1),
                (false, true) => self.cores.saturating_sub(1).max(1),
                (false, false) => continue,
            };
            room.cores = room.cores.min(cores);
            if ahead {
                room.changes = Some(room.changes.map_or(change, |other| other.min(change)));
            }
        }
        room
    }

    fn begin(&self, whose: &str) {
        let (mut state, now) = (self.lock(), Instant::now());
        state.alone.retain(|alone| alone.waits > 0 || alone.since + self.moment > now);
        match state.alone.iter_mut().find(|alone| alone.whose == whose) {
            Some(alone) if alone.waits > 0 => alone.waits += 1,
            Some(alone) => (alone.waits, alone.since) = (1, now),
            None => state.alone.push(Alone { whose: whose.to_owned(), waits: 1, since: now }),
        }
    }

    fn end(&self, whose: &str) {
        let mut state = self.lock();
        if let Some(alone) = state.alone.iter_mut().find(|alone| alone.whose == whose) {
            (alone.waits, alone.since) = (alone.waits.saturating_sub(1), Instant::now());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave the counts half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.inner.end(&self.whose);
        self.inner.bell.notify_all();
    }
}

impl Drop for Cores {
    fn drop(&mut self) {
        let Some((inner, count)) = &self.0 else { return };
        inner.lock().busy -= count;
        // Not all who wait may have it: whom one bell woke might have to leave it to somebody who sleeps on.
        inner.bell.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn all_there_are(courtesy: &Courtesy, whose: &str, most: usize) -> Vec<Cores> {
        std::iter::from_fn(|| courtesy.core_now(whose)).take(most).collect()
    }

    #[test]
    fn two_cores_are_left_free_while_somebody_else_waits_alone_and_one_for_a_moment_afterwards() {
        let courtesy = Courtesy::new(4, LONG);
        let unhindered = all_there_are(&courtesy, "crowd", 10);
        assert_eq!(unhindered.len(), 10);
        let waiting = courtesy.wait_alone("lone");
        assert!(courtesy.core_now("crowd").is_none());
        drop(unhindered);
        assert_eq!(all_there_are(&courtesy, "crowd", 10).len(), 2);
        assert_eq!(all_there_are(&courtesy, "lone", 10).len(), 10, "nobody stands in their own way");
        drop(waiting);
        assert_eq!(all_there_are(&courtesy, "crowd", 10).len(), 3, "it may come back");
    }

    #[test]
    fn work_of_several_threads_holds_as_many_cores_and_does_not_wait_for_all_of_them() {
        let courtesy = Courtesy::new(6, LONG);
        let _waiting = courtesy.wait_alone("lone");
        let wide = courtesy.cores_now("crowd", 3).unwrap();
        let rest = courtesy.cores_now("crowd", 3).unwrap();
        assert!(courtesy.core_now("crowd").is_none(), "six of the four that are left to it");
        drop(wide);
        assert_eq!(all_there_are(&courtesy, "crowd", 10).len(), 1);
        drop(rest);
        assert_eq!(all_there_are(&courtesy, "crowd", 10).len(), 4);
    }

    #[test]
    fn on_a_small_machine_others_are_held_up_for_a_moment_at_most() {
        let courtesy = Courtesy::new(2, Duration::from_millis(5));
        let begun = Instant::now();
        let _waiting = courtesy.wait_alone("lone");
        assert!(courtesy.core_now("crowd").is_none());
        let core = courtesy.core("crowd");
        assert!(begun.elapsed() >= Duration::from_millis(5));
        assert!(courtesy.core_now("crowd").is_none(), "one, while it waits");
        std::thread::scope(|scope| {
            let next = scope.spawn(|| drop(courtesy.core("crowd")));
            drop(core);
            next.join().unwrap();
        });
    }

    #[test]
    fn a_core_that_is_given_back_finds_whoever_may_have_it() {
        let moment = Duration::from_secs(60);
        let courtesy = Courtesy::new(2, moment);
        let inner = courtesy.0.as_ref().unwrap();
        let long_ago = Instant::now().checked_sub(moment).unwrap();
        let alone = |whose: &str, since| Alone { whose: whose.to_owned(), waits: 1, since };
        // `late` has just come and leaves nothing to others; `early` leaves one core to `late`.
        inner.lock().alone.extend([alone("early", long_ago), alone("late", Instant::now())]);
        let core = courtesy.core("late");
        let (sender, taken) = std::sync::mpsc::channel();
        for whose in ["crowd", "crowd", "crowd", "late"] {
            let (courtesy, sender) = (courtesy.clone(), sender.clone());
            // Those of the crowd wait for as long as `late` is new.
            std::thread::spawn(move || sender.send((whose, courtesy.core(whose))));
        }
        drop(core);
        let (whose, _core) = taken.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(whose, "late");
    }

    #[test]
    fn without_courtesy_nobody_is_held_up() {
        for courtesy in [Courtesy::default(), Courtesy::new(2, Duration::ZERO)] {
            let _waiting = courtesy.wait_alone("lone");
            assert_eq!(all_there_are(&courtesy, "crowd", 10).len(), 10);
        }
    }

    #[test]
    fn those_who_have_gone_are_forgotten() {
        let courtesy = Courtesy::new(2, Duration::from_nanos(1));
        (0..100).for_each(|number| drop(courtesy.wait_alone(&number.to_string())));
        let inner = courtesy.0.as_ref().unwrap();
        assert!(inner.lock().alone.len() < 3);
    }
}
