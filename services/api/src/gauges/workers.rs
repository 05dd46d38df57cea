//! How many workers there are, as a metric. Every replica tells of all workers, so whoever reads it takes the largest and not the
//! sum.

use metrics::gauge;
use millrace_bus::WorkerRecord;

use crate::routes::workers::info;

/// What a worker says of itself that is alive.
const STATES: [&str; 3] = ["starting", "active", "draining"];

/// Tells of these workers.
pub(super) fn tell(workers: &[WorkerRecord]) {
    for (state, count) in counts(workers) {
        gauge!("millrace_workers", "state" => state).set(count as f64);
    }
}

/// How many are in each state. Lost ones are in none.
fn counts(workers: &[WorkerRecord]) -> [(&'static str, usize); STATES.len()] {
    let states: Vec<_> = workers.iter().filter_map(|worker| info(worker).shift_remove("state")).collect();
    STATES.map(|state| (state, states.iter().filter(|said| **said == state).count()))
}

#[cfg(test)]
mod tests {
    use millrace_contracts::UnixMillis;

    use super::*;

    #[test]
    fn workers_are_counted_by_what_they_say_and_lost_ones_not_at_all() {
        let worker = |info: Option<&str>| WorkerRecord {
            id: "one".into(),
            last_seen: UnixMillis(0),
            info: info.map(str::to_owned),
        };
        let active = Some(r#"{"state":"active","pools":["fast"]}"#);
        let fleet = [worker(active), worker(Some(r#"{"state":"draining"}"#)), worker(None), worker(active)];
        assert_eq!(counts(&fleet), [("starting", 0), ("active", 2), ("draining", 1)]);
    }
}
