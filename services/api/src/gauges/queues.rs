//! How many jobs wait, as a metric: what workers are scaled by. Every replica tells of all queues, so whoever reads it takes the
//! largest and not the sum.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use metrics::gauge;
use millrace_bus::{Bus, QueueDepth};

const INTERVAL: Duration = Duration::from_secs(5);

/// Pool, model (none as "") and priority.
type Labels = (String, String, &'static str);

/// Measures for ever. A failed look is left out: readiness speaks of outages.
pub(crate) async fn run(bus: Bus) -> Result<(), Infallible> {
    let mut told = BTreeSet::new();
    loop {
        if let Ok(depths) = bus.queue_depths().await {
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

#[cfg(test)]
mod tests {
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
}
