//! How the worker's time is shared among the jobs in hand. While there are several, each has an equal part: a clock runs at one
//! over their number, and a job's share is how far it came meanwhile. The shares of all jobs add up to the time in which there was
//! something in hand, so that what is charged for jobs and what idling costs add up to what the worker costs. Pure: it is told
//! the time.

use std::time::{Duration, Instant};

/// The clock.
#[derive(Debug, Clone)]
pub(crate) struct Effort {
    in_hand: u32,
    /// Time with something in hand.
    busy: Duration,
    /// How far a job came that was in hand all the time.
    each: Duration,
    /// What the two were last brought up to.
    at: Instant,
}

/// Where the clock stood when a job was taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(Duration);

impl Effort {
    pub(crate) fn new(now: Instant) -> Self {
        Self { in_hand: 0, busy: Duration::ZERO, each: Duration::ZERO, at: now }
    }

    /// One more job is in hand.
    pub(crate) fn take(&mut self, now: Instant) -> Mark {
        self.advance(now);
        self.in_hand += 1;
        Mark(self.each)
    }

    /// One less.
    pub(crate) fn release(&mut self, now: Instant) {
        self.advance(now);
        self.in_hand = self.in_hand.saturating_sub(1);
    }

    /// The share, so far, of a job that was taken at `mark`.
    pub(crate) fn share(&mut self, mark: Mark, now: Instant) -> Duration {
        self.advance(now);
        self.each.saturating_sub(mark.0)
    }

    /// Time with something in hand, so far.
    pub(crate) fn busy(&mut self, now: Instant) -> Duration {
        self.advance(now);
        self.busy
    }

    fn advance(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        self.at = self.at.max(now);
        if self.in_hand > 0 {
            self.busy += passed;
            self.each += passed / self.in_hand;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_busy_time() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let ms = Duration::from_millis;
        let mut effort = Effort::new(start);
        // Idle for 100; alone for 10; two for 20; alone again for 30.
        let one = effort.take(at(100));
        let two = effort.take(at(110));
        assert_eq!(effort.share(one, at(130)), ms(20));
        effort.release(at(130));
        assert_eq!(effort.share(two, at(160)), ms(40));
        effort.release(at(160));
        assert_eq!(effort.busy(at(500)), ms(60));
        assert_eq!(effort.share(effort.clone().take(at(500)), at(500)), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_is_told_an_earlier_time_stands_still() {
        let start = Instant::now() + Duration::from_secs(1);
        let mut effort = Effort::new(start);
        let mark = effort.take(start);
        assert_eq!(effort.share(mark, start - Duration::from_millis(500)), Duration::ZERO);
        assert_eq!(effort.share(mark, start + Duration::from_millis(5)), Duration::from_millis(5));
    }
}
