//! Spreading firings that are due at the same moment. The part is taken from the run's id, so it never changes.

use std::time::Duration;

use millrace_contracts::{ExecutionId, ScheduleId, UnixMillis};

/// When the firing of `schedule` that is due at `due` goes off: up to `jitter` later.
#[must_use]
pub fn jittered(schedule: ScheduleId, due: UnixMillis, jitter: Duration) -> UnixMillis {
    let run = ExecutionId::of_firing(schedule, due);
    let tail = u64::from_be_bytes(run.0.as_bytes()[8..].try_into().expect("a UUID has 16 bytes"));
    due.after(jitter.mul_f64((tail & 0xffff_ffff) as f64 / f64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_in_its_span_and_is_spread() {
        let (due, span) = (UnixMillis(1_800_000_000_000), Duration::from_secs(10));
        let schedules: Vec<_> = (0..100).map(|_| ScheduleId::generate()).collect();
        let late: Vec<_> = schedules.iter().map(|id| jittered(*id, due, span).since(due)).collect();
        assert!(late.iter().all(|late| *late <= 10_000));
        assert!(late.iter().any(|late| *late < 3_000) && late.iter().any(|late| *late > 7_000), "{late:?}");
        assert_eq!(jittered(schedules[0], due, span), jittered(schedules[0], due, span));
        assert_eq!(jittered(schedules[0], due, Duration::ZERO), due);
    }
}
