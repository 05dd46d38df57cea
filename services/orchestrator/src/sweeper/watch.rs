//! Which runs stand still: the versions of two sweeps are compared, so that no run's state is loaded to find out. A run that is
//! woken and stays as it is, because it waits for good reason, is left alone for twice as long each time. Looked at are pages of
//! runs, in turn, and the first again after the last.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use millrace_contracts::ExecutionId;

/// Runs remembered; those beyond are not watched until there is room.
const CAPACITY: usize = 50_000;
/// The longest a quiet run is left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What the sweeps before saw.
#[derive(Debug)]
pub(crate) struct Watch {
    stalled_after: Duration,
    seen: HashMap<ExecutionId, Seen>,
    /// The last run of the page before the next one; none before the first.
    after: Option<ExecutionId>,
    /// Counts the passes through all unfinished runs.
    pass: u64,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    version: Option<u64>,
    /// When it is to be looked at again, if it is still as it was.
    due: Instant,
    pause: Duration,
    pass: u64,
}

impl Watch {
    pub(crate) fn new(stalled_after: Duration) -> Self {
        Self { stalled_after, seen: HashMap::new(), after: None, pass: 0 }
    }

    /// Whether something is to be done about a run: it has had this version, or no live state, for long enough.
    pub(crate) fn is_due(&mut self, run: ExecutionId, version: Option<u64>, now: Instant) -> bool {
        let pass = self.pass;
        let Some(seen) = self.seen.get_mut(&run).filter(|seen| seen.version == version) else {
            // What has no state when it is first seen is old enough already: the record says so.
            let is_due = version.is_none();
            if self.seen.len() < CAPACITY || self.seen.contains_key(&run) {
                let pause = self.stalled_after;
                self.seen.insert(run, Seen { version, due: now + pause, pause, pass });
            }
            return is_due;
        };
        seen.pass = pass;
        if now < seen.due {
            return false;
        }
        seen.pause = (seen.pause * 2).min(LONGEST_PAUSE.max(self.stalled_after));
        seen.due = now + seen.pause;
        true
    }

    /// After which run the next page begins; none for the first.
    pub(crate) fn after(&self) -> Option<ExecutionId> {
        self.after
    }

    /// A page was looked at, which ended with the run `last`; none where no page follows.
    pub(crate) fn turn_page(&mut self, last: Option<ExecutionId>) {
        self.after = last;
        if last.is_none() {
            self.end_pass();
        }
    }

    /// All were gone through: what was not among them has ended, or is another replica's.
    fn end_pass(&mut self) {
        let pass = self.pass;
        self.seen.retain(|_, seen| seen.pass == pass);
        self.pass += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_run_that_moves_is_never_due_and_one_that_does_not_is_due_ever_more_rarely() {
        let (mut watch, start, run) = (Watch::new(10 * SECOND), Instant::now(), ExecutionId::generate());
        for second in 0..100 {
            assert!(!watch.is_due(run, Some(u64::from(second / 5)), start + second * SECOND));
        }
        let start = start + 100 * SECOND;
        let due: Vec<u32> =
            (0..200).filter(|second| watch.is_due(run, Some(1_000), start + *second * SECOND)).collect();
        assert_eq!(due, [10, 30, 70, 150]);
    }

    #[test]
    fn a_lost_run_is_due_at_once_and_not_again_while_its_command_is_on_its_way() {
        let (mut watch, start, run) = (Watch::new(10 * SECOND), Instant::now(), ExecutionId::generate());
        let due: Vec<u32> =
            (0..40).filter(|second| watch.is_due(run, None, start + *second * SECOND)).collect();
        assert_eq!(due, [0, 10, 30]);
        assert!(!watch.is_due(run, Some(1), start + 41 * SECOND), "it came to life");
        assert!(watch.is_due(run, None, start + 42 * SECOND), "and was lost again");
    }

    #[test]
    fn what_does_not_change_is_not_due_at_first_sight() {
        let (mut watch, start, run) = (Watch::new(10 * SECOND), Instant::now(), ExecutionId::generate());
        let due: Vec<u32> =
            (0..40).filter(|second| watch.is_due(run, Some(0), start + *second * SECOND)).collect();
        assert_eq!(due, [10, 30]);
    }

    #[test]
    fn what_has_ended_is_forgotten() {
        let (mut watch, now, run) = (Watch::new(SECOND), Instant::now(), ExecutionId::generate());
        watch.is_due(run, Some(1), now);
        watch.turn_page(Some(run));
        assert_eq!((watch.after(), watch.seen.len()), (Some(run), 1));
        watch.turn_page(None);
        assert_eq!((watch.after(), watch.seen.len()), (None, 1));
        watch.turn_page(None);
        assert!(watch.seen.is_empty());
    }
}
