//! What a firing does while an earlier run of its schedule goes on. Pure, so that every replica decides the same.

use millrace_contracts::schedule::Overlap;

/// What becomes of a firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A run begins now.
    Start,
    /// A run begins when the earlier one has ended.
    Wait,
    /// No run begins.
    Skip,
}

/// Decides about a firing; `busy`: an earlier run goes on, `waiting`: an earlier firing waits already.
#[must_use]
pub fn decide(overlap: Overlap, busy: bool, waiting: bool) -> Decision {
    match overlap {
        Overlap::Allow => Decision::Start,
        Overlap::Skip if busy => Decision::Skip,
        Overlap::Queue if waiting => Decision::Skip,
        Overlap::Queue if busy => Decision::Wait,
        Overlap::Skip | Overlap::Queue => Decision::Start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_schedule_starts_whatever_its_policy() {
        for overlap in [Overlap::Skip, Overlap::Queue, Overlap::Allow] {
            assert_eq!(decide(overlap, false, false), Decision::Start);
        }
    }

    #[test]
    fn a_busy_one_does_what_its_policy_says() {
        assert_eq!(decide(Overlap::Skip, true, false), Decision::Skip);
        assert_eq!(decide(Overlap::Queue, true, false), Decision::Wait);
        assert_eq!(decide(Overlap::Allow, true, false), Decision::Start);
    }

    #[test]
    fn at_most_one_firing_waits() {
        assert_eq!(decide(Overlap::Queue, true, true), Decision::Skip);
        assert_eq!(decide(Overlap::Queue, false, true), Decision::Skip, "the one that waits goes first");
    }
}
