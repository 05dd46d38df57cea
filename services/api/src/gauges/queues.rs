//! How many jobs wait, as a metric: what workers are scaled by. Every replica tells of all queues, so whoever reads it takes the
//! largest and not the sum. Of a pool whose jobs nobody takes up the log says so.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use metrics::gauge;
use millrace_bus::{Bus, QueueDepth};
use millrace_contracts::Pool;

use super::workers;
use crate::models::Fleet;

const INTERVAL: Duration = Duration::from_secs(5);
/// Looks in a row at which a pool's jobs had nobody, before the log says so: workers may be about to come.
const LOOKS: u32 = 2;

/// Pool, model (none as "") and priority.
type Labels = (String, String, &'static str);

/// Measures for ever, and the workers with it, since it asks for them. A failed look is left out: readiness speaks of outages.
pub(crate) async fn run(bus: Bus) -> Result<(), Infallible> {
    let (mut told, mut looks) = (BTreeSet::new(), BTreeMap::new());
    loop {
        let workers = bus.workers().await.ok();
        if let Some(workers) = &workers {
            workers::tell(workers);
        }
        if let Ok(depths) = bus.queue_depths().await {
            if let Some(workers) = &workers {
                for pool in left_alone(&mut looks, &depths, &Fleet::of(workers)) {
                    tracing::warn!(pool = %pool, "jobs wait, and no worker serves their pool");
                }
            }
            for ((pool, model, priority), waiting) in readings(&mut told, &depths) {
                let labels = [("pool", pool), ("model", model), ("priority", priority.to_owned())];
                gauge!("millrace_queue_waiting", &labels).set(waiting as f64);
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// What to say of queues as deep as `depths`, having told of `told`. A queue that is gone is said to be empty, once: it would seem to
/// hold what it held last for as long as this process lives.
fn readings(told: &mut BTreeSet<Labels>, depths: &[QueueDepth]) -> Vec<(Labels, u64)> {
    let labels = |depth: &QueueDepth| {
        let model = depth.model.as_ref().map(ToString::to_string).unwrap_or_default();
        (depth.pool.to_string(), model, depth.priority.as_str())
    };
    let mut readings: Vec<_> = depths.iter().map(|depth| (labels(depth), depth.waiting)).collect();
    let there: BTreeSet<Labels> = readings.iter().map(|(labels, _)| labels.clone()).collect();
    let gone = std::mem::replace(told, there.clone());
    readings.extend(gone.into_iter().filter(|labels| !there.contains(labels)).map(|labels| (labels, 0)));
    readings
}

/// The pools to speak of: jobs wait for them and no worker serves them, which is so for the second time in a row. Each is spoken of
/// once, until that ends.
fn left_alone(looks: &mut BTreeMap<Pool, u32>, depths: &[QueueDepth], fleet: &Fleet) -> Vec<Pool> {
    let served = fleet.pools();
    let waited_for = depths.iter().filter(|depth| depth.waiting > 0).map(|depth| depth.pool.clone());
    let alone: BTreeSet<Pool> = waited_for.filter(|pool| !served.contains(pool.as_str())).collect();
    looks.retain(|pool, _| alone.contains(pool));
    let mut again = |pool: &Pool| {
        let so_far = looks.entry(pool.clone()).or_default();
        *so_far = so_far.saturating_add(1);
        *so_far == LOOKS
    };
    alone.into_iter().filter(|pool| again(pool)).collect()
}

#[cfg(test)]
mod tests {
    use millrace_bus::WorkerRecord;
    use millrace_contracts::UnixMillis;
    use millrace_contracts::job::Priority;

    use super::*;

    fn depth(model: Option<&str>, waiting: u64) -> QueueDepth {
        let model = model.map(Into::into);
        QueueDepth {
            pool: "fast".into(),
            model,
            priority: Priority::High,
            waiting,
            pending: 7,
            oldest_ms: None,
        }
    }

    #[test]
    fn a_queue_that_is_gone_is_said_to_be_empty_once() {
        let mut told = BTreeSet::new();
        let said = |model: &str, waiting| (("fast".to_owned(), model.to_owned(), "high"), waiting);
        let both = [depth(Some("detector"), 3), depth(None, 2)];
        assert_eq!(readings(&mut told, &both), [said("detector", 3), said("", 2)]);
        assert_eq!(readings(&mut told, &both[1..]), [said("", 2), said("detector", 0)]);
        assert_eq!(readings(&mut told, &both[1..]), [said("", 2)]);
    }
    #[test]
    fn a_pool_whose_jobs_nobody_takes_up_is_spoken_of_once() {
        let worker = |state: &str| {
            let info = format!(r#"{{"state":"{state}","pools":["fast"]}}"#);
            WorkerRecord { id: "one".into(), last_seen: UnixMillis(0), info: Some(info) }
        };
        let (none, some) = (Fleet::default(), Fleet::of(&[worker("active")]));
        let drains = Fleet::of(&[worker("draining")]);
        let (waits, idle) = ([depth(Some("detector"), 3), depth(None, 2)], [depth(None, 0)]);
        let mut looks = BTreeMap::new();
        let mut told = |depths: &[QueueDepth], fleet| left_alone(&mut looks, depths, fleet).len();
        assert_eq!((told(&waits, &none), told(&waits, &none), told(&waits, &none)), (0, 1, 0));
        assert_eq!((told(&waits, &some), told(&waits, &drains), told(&waits, &drains)), (0, 0, 1));
        assert_eq!((told(&idle, &none), told(&waits, &none), told(&idle, &none)), (0, 0, 0));
    }
}
